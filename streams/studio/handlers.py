"""What a show's own people are told about facts, in full: `studio:<show id>`; and a shop's, each
on their own topic.

A fact whose order is gone is done: nobody can look at that order any more.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from core.clock import now
from core.outbox import Together, Told
from core.realtime import runtime
from core.realtime.log import NewEntry
from orders.events import ClaimChanged, OrderMoved, OrderPlaced
from orders.models import Offer, OrderMove
from sellers.events import StockChanged
from sellers.models import Member
from streams.events import ShowReviewed
from streams.me_consumer import PREFIX as PERSON
from streams.me_protocol import ShopClaimMoved
from streams.models import Show, ShowState
from streams.studio.protocol import (
    OrderMovedInFull,
    OrderPlacedInFull,
    ShowReviewedInFull,
    StockLow,
    StudioEvent,
)
from streams.studio.selectors import studio_orders, studio_orders_of
from streams.studio.topics import studio_topic


@Together
def tell_order(told: Told[OrderPlaced]) -> None:
    orders = studio_orders_of({fact.order_id: fact.lines for fact, _id in told if fact.show_id})
    entries: dict[UUID, list[NewEntry]] = {}
    for fact, fact_id in told:
        if fact.show_id is not None and (order := orders.get(fact.order_id)) is not None:
            # As it was: an order may be packed before this is told, and that is told next.
            placed = OrderPlacedInFull(msgspec.structs.replace(order, state=fact.state))
            entry = placed.entry(fact.at, fact_id=fact_id)
            entries.setdefault(fact.show_id, []).append(entry)
    for show_id, of_show in entries.items():
        runtime.current().log.append_blocking(studio_topic(show_id), of_show)


def tell_move(fact: OrderMoved, fact_id: UUID) -> None:
    if fact.show_id is None:
        return
    for order in studio_orders(public_id=fact.order_id):
        moved = msgspec.structs.replace(order, state=fact.state)
        _tell(fact.show_id, OrderMovedInFull(moved, _mover(fact)), fact.at, fact_id)


@Together
def tell_low_stock(told: Told[StockChanged]) -> None:
    """Tell the studio of every open show that sells the variant, when there is as little left as
    its seller wants to be told of (`Variant.low_at`).
    """
    of_variants = {fact.variant_id for fact, _id in told}
    offers = Offer.objects.filter(variant__public_id__in=of_variants, variant__low_at__gte=1)
    watched = list(offers.select_related("variant__product"))
    for fact, fact_id in told:
        for offer in watched:
            is_of_it = offer.variant.public_id == fact.variant_id
            if is_of_it and offer.variant.low_at >= max(1, fact.available):
                _tell_low(offer, fact, fact_id)


def _tell_low(offer: Offer, fact: StockChanged, fact_id: UUID) -> None:
    if Show.objects.filter(public_id=offer.show_id).exclude(state=ShowState.ENDED).exists():
        event = StockLow(fact.variant_id, str(offer.variant), fact.available, fact.version)
        _tell(offer.show_id, event, now(), fact_id)


def tell_reviewed(fact: ShowReviewed, fact_id: UUID) -> None:
    _tell(fact.show_id, ShowReviewedInFull(fact.is_yes, fact.reason), fact.at, fact_id)


def tell_claim(fact: ClaimChanged, fact_id: UUID) -> None:
    """Tell the seller's people, whatever page they are on; a buyer among them hears it as one."""
    event = ShopClaimMoved(fact.order_id, fact.number, fact.state)
    people = Member.objects.filter(seller__public_id=fact.seller_id)
    for person in set(people.values_list("user__public_id", flat=True)) - {fact.buyer_id}:
        entry = event.entry(fact.at, fact_id=fact_id)
        runtime.current().log.append_blocking(f"{PERSON}:{person}", [entry])


def _mover(fact: OrderMoved) -> str:
    """Who made this move; empty if that person is gone."""
    moves = OrderMove.objects.filter(order__public_id=fact.order_id, state=fact.state)
    move = moves.select_related("actor").last()
    return move.actor.shown_name if move and move.actor else ""


def _tell(show_id: UUID, event: StudioEvent, at: datetime, fact_id: UUID) -> None:
    runtime.current().log.append_blocking(studio_topic(show_id), [event.entry(at, fact_id=fact_id)])
