"""Reactions to facts: what happened is told in the rooms that it concerns.

A handler runs at least once, in the relay's thread. The log takes each fact once per room, so a
repeat tells nothing twice.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from core.clock import now
from core.realtime import runtime
from core.realtime.log import NewEntry
from media_pipeline.events import PassageRemoved, RecordingSealed
from orders.events import OfferChanged, OrderPlaced
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


def tell_offer(fact: OfferChanged, fact_id: UUID) -> None:
    """The offer as it is by now, which may be newer than the fact; nothing if it is gone."""
    if not Show.objects.filter(public_id=fact.show_id).exists():
        return
    offer = with_goods(Offer.objects.filter(public_id=fact.offer_id)).first()
    if offer is not None and offer.variant.is_active:
        event = OfferChangedEvent(offer=offer_view(offer))
        _tell(fact.show_id, event.entry(fact.at, fact_id=fact_id))


def tell_order(fact: OrderPlaced, fact_id: UUID) -> None:
    if fact.show_id is None or not Show.objects.filter(public_id=fact.show_id).exists():
        return  # bought outside a show, or in one that has been removed
    lines = [msgspec.convert(line, SoldLine, from_attributes=True) for line in fact.lines]
    event = OrderPlacedEvent(buyer=fact.buyer_name, lines=lines)
    _tell(fact.show_id, event.entry(fact.at, fact_id=fact_id))


def tell_stock(fact: StockChanged, fact_id: UUID) -> None:
    """Tell every room that sells the variant, or is about to."""
    event = StockChangedEvent(
        variant_id=fact.variant_id, available=fact.available, version=fact.version
    )
    offered = Offer.objects.filter(variant__public_id=fact.variant_id).values("show_id")
    shows = Show.objects.filter(public_id__in=offered).exclude(state=ShowState.ENDED)
    for show_id in shows.values_list("public_id", flat=True):
        _tell(show_id, event.entry(now(), fact_id=fact_id))


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


def _tell(show_id: UUID, entry: NewEntry) -> None:
    runtime.current().log.append_blocking(f"show:{show_id}", [entry])
