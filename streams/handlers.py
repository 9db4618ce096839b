"""Reactions to facts: what happened is told in the rooms that it concerns.

A handler runs at least once, in the relay's thread. The log takes each fact once per room, so a
repeat tells nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

import msgspec

from core.clock import now
from core.outbox import Together, Told
from core.realtime import runtime
from core.realtime.log import NewEntry
from media_pipeline.events import PassageRemoved, RecordingSealed
from orders.events import OfferChanged, OfferRemoved, OrderPlaced
from orders.models import Offer
from orders.selectors import offer_view, with_goods
from sellers.events import StockChanged
from streams import access
from streams.events import (
    ProductPinned,
    ProductUnpinned,
    ShowEnded,
    ShowFact,
    ShowInterrupted,
    ShowResumed,
    ShowStarted,
)
from streams.models import Show, ShowState
from streams.protocol import (
    OfferChangedEvent,
    OfferRemovedEvent,
    OrderPlacedEvent,
    ProductPinnedEvent,
    ProductUnpinnedEvent,
    ReplayReadyEvent,
    RoomEvent,
    ShowEndedEvent,
    ShowInterruptedEvent,
    ShowResumedEvent,
    ShowStartedEvent,
    SoldLine,
    StockChangedEvent,
)

Entries = defaultdict[UUID, list[NewEntry]]
"""By show, in the order of their facts: one append for each room."""
SHOW_EVENTS: dict[type[ShowFact], RoomEvent] = {
    ShowStarted: ShowStartedEvent(),
    ShowInterrupted: ShowInterruptedEvent(),
    ShowResumed: ShowResumedEvent(),
    ProductUnpinned: ProductUnpinnedEvent(),
}


def tell_show_changed(fact: ShowFact, fact_id: UUID) -> None:
    _tell(fact.show_id, SHOW_EVENTS[type(fact)].entry(fact.at, fact_id=fact_id))


def tell_ended(fact: ShowEnded, fact_id: UUID) -> None:
    event = ShowEndedEvent(stopped=fact.is_stop)
    _tell(fact.show_id, event.entry(fact.at, fact_id=fact_id))


def tell_pinned(fact: ProductPinned, fact_id: UUID) -> None:
    offer = with_goods(Offer.objects.filter(public_id=fact.offer_id)).first()
    if offer is not None:
        event = ProductPinnedEvent(offer=offer_view(offer))
        _tell(fact.show_id, event.entry(fact.at, fact_id=fact_id))


@Together
def tell_offer(told: Told[OfferChanged]) -> None:
    """The offers as they are by now, which may be newer than the facts; not those that are gone."""
    rooms = _rooms({fact.show_id for fact, _id in told})
    changed = Offer.objects.filter(public_id__in={fact.offer_id for fact, _id in told})
    sold = {one.public_id: one for one in with_goods(changed) if one.variant.is_active}
    entries = Entries(list)
    for fact, fact_id in told:
        if fact.show_id in rooms and (offer := sold.get(fact.offer_id)) is not None:
            event = OfferChangedEvent(offer=offer_view(offer))
            entries[fact.show_id].append(event.entry(fact.at, fact_id=fact_id))
    _tell_all(entries)


@Together
def tell_order(told: Told[OrderPlaced]) -> None:
    """Not of what was bought outside a show, or in one that has been removed."""
    rooms = _rooms({fact.show_id for fact, _id in told if fact.show_id})
    entries = Entries(list)
    for fact, fact_id in told:
        if fact.show_id in rooms:
            lines = [msgspec.convert(line, SoldLine, from_attributes=True) for line in fact.lines]
            event = OrderPlacedEvent(buyer=fact.buyer_name, lines=lines)
            entries[fact.show_id].append(event.entry(fact.at, fact_id=fact_id))
    _tell_all(entries)


@Together
def tell_stock(told: Told[StockChanged]) -> None:
    """Tell every room that sells the variant, or is about to."""
    selling = _open_shows({fact.variant_id for fact, _id in told})
    entries = Entries(list)
    for fact, fact_id in told:
        event = StockChangedEvent(
            variant_id=fact.variant_id, available=fact.available, version=fact.version
        )
        for show_id in selling.get(fact.variant_id, ()):
            entries[show_id].append(event.entry(now(), fact_id=fact_id))
    _tell_all(entries)


def _open_shows(variant_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """By variant, the shows that sell it and have not ended."""
    offers = Offer.objects.filter(variant__public_id__in=variant_ids)
    pairs = list(offers.values_list("variant__public_id", "show_id"))
    shows = Show.objects.filter(public_id__in={show_id for _variant, show_id in pairs})
    still = set(shows.exclude(state=ShowState.ENDED).values_list("public_id", flat=True))
    selling: dict[UUID, set[UUID]] = {}
    for variant_id, show_id in pairs:
        if show_id in still:
            selling.setdefault(variant_id, set()).add(show_id)
    return selling


def tell_offer_removed(fact: OfferRemoved, fact_id: UUID) -> None:
    if Show.objects.filter(public_id=fact.show_id).exists():
        event = OfferRemovedEvent(offer_id=fact.offer_id, version=fact.version)
        _tell(fact.show_id, event.entry(fact.at, fact_id=fact_id))


def tell_replay_ready(fact: RecordingSealed, fact_id: UUID) -> None:
    show = Show.objects.filter(public_id=fact.show_id).first()
    if show is None or access.is_withheld(show):
        return
    event = ReplayReadyEvent(duration_s=fact.duration_s)
    _tell(fact.show_id, event.entry(now(), fact_id=fact_id))


def tell_replay_changed(fact: PassageRemoved, fact_id: UUID) -> None:
    """Whoever watches the replay has to load it anew: it is shorter now."""
    if access.is_withheld(access.show_by_id(fact.show_id)):
        return
    event = ReplayReadyEvent(duration_s=fact.duration_s)
    _tell(fact.show_id, event.entry(now(), fact_id=fact_id))


def _rooms(show_ids: Collection[UUID]) -> set[UUID]:
    """Those of these shows that there still are."""
    shows = Show.objects.filter(public_id__in=show_ids)
    return set(shows.values_list("public_id", flat=True))


def _tell(show_id: UUID, *entries: NewEntry) -> None:
    runtime.current().log.append_blocking(f"show:{show_id}", entries)


def _tell_all(entries: Entries) -> None:
    for show_id, of_show in entries.items():
        _tell(show_id, *of_show)
