"""What a show's own people are told about facts, in full: `studio:<show id>`.

A fact whose order is gone is done: nobody can look at that order any more.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from core.clock import now
from core.realtime import runtime
from orders.events import OrderMoved, OrderPlaced
from orders.models import Offer, OrderMove, OrderState
from sellers.events import StockChanged
from streams.events import ShowReviewed
from streams.models import Show, ShowState
from streams.studio.protocol import (
    OrderMovedInFull,
    OrderPlacedInFull,
    ShowReviewedInFull,
    StockLow,
    StudioEvent,
)
from streams.studio.selectors import studio_orders
from streams.studio.topics import studio_topic


def tell_order(fact: OrderPlaced, fact_id: UUID) -> None:
    if fact.show_id is None:
        return
    for order in studio_orders(public_id=fact.order_id):
        # As it was: an order may be packed before this is told, and that is told next.
        placed = msgspec.structs.replace(order, state=fact.state)
        _tell(fact.show_id, OrderPlacedInFull(placed), fact.at, fact_id)


def tell_move(fact: OrderMoved, fact_id: UUID) -> None:
    if fact.show_id is None:
        return
    for order in studio_orders(public_id=fact.order_id):
        moved = msgspec.structs.replace(order, state=fact.state)
        _tell(fact.show_id, OrderMovedInFull(moved, _mover(fact)), fact.at, fact_id)


def tell_low_stock(fact: StockChanged, fact_id: UUID) -> None:
    """Tell the studio of every open show that sells the variant, when there is as little left as
    its seller wants to be told of (`Variant.low_at`).
    """
    offers = Offer.objects.filter(
        variant__public_id=fact.variant_id,
        variant__low_at__gte=max(1, fact.available),
    )
    for offer in offers.select_related("variant__product"):
        if Show.objects.filter(public_id=offer.show_id).exclude(state=ShowState.ENDED).exists():
            event = StockLow(fact.variant_id, str(offer.variant), fact.available, fact.version)
            _tell(offer.show_id, event, now(), fact_id)


def tell_reviewed(fact: ShowReviewed, fact_id: UUID) -> None:
    _tell(fact.show_id, ShowReviewedInFull(fact.is_yes, fact.reason), fact.at, fact_id)


def _mover(fact: OrderMoved) -> str:
    """Who made this move; empty if that person is gone."""
    moves = OrderMove.objects.filter(order__public_id=fact.order_id, state=fact.state)
    move = moves.select_related("actor").last()
    return move.actor.shown_name if move and move.actor else ""


def _tell(show_id: UUID, event: StudioEvent, at: datetime, fact_id: UUID) -> None:
    runtime.current().log.append_blocking(studio_topic(show_id), [event.entry(at, fact_id=fact_id)])
