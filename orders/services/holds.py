"""Holds end by themselves, unless they were paid for first: exactly one of the two happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.clock import now
from core.errors import Conflict
from orders import reasons
from orders.models import Order, OrderState
from orders.services.moves import change_state

log = logging.getLogger(__name__)

BATCH = 100
BUDGET_S = 4.0
MARGIN = timedelta(minutes=2)
"""So long after the last moment of a payment its hold still waits to be told of it."""
LONGEST_PAYING = timedelta(hours=2)
"""So long after a hold's own time payments under way can keep it, however often they are begun."""


def expire_holds(budget_s: float = BUDGET_S) -> int:
    """End the holds whose time is over, those that waited longest first; how many. Periodic."""
    ended = 0
    deadline = time.monotonic() + budget_s
    while time.monotonic() < deadline:
        batch = _due()
        done = sum(_ended(order) for order in batch)
        ended += done
        if len(batch) < BATCH or not done:
            break
    return ended


def extend_hold(order: Order, until: datetime) -> bool:
    """Keep the goods aside until `until`, if they are now; never shortens. `False` if it is over
    or `until` is beyond what payments may keep.
    """
    if until > last_moment(order):
        return False
    held = Order.objects.filter(pk=order.pk, state=OrderState.HELD, held_until__gt=now())
    if not held.exists():
        return False
    held.filter(held_until__lt=until).update(held_until=until)
    order.refresh_from_db(fields=["held_until", "state"])
    return order.state == OrderState.HELD


def last_moment(order: Order) -> datetime:
    """Until when payments can keep the goods of an order aside, at most."""
    return order.placed_at + timedelta(minutes=order.seller.hold_minutes) + LONGEST_PAYING


def _due() -> Sequence[Order]:
    over = Order.objects.filter(state=OrderState.HELD, held_until__lt=now())
    return list(over.select_related("seller", "buyer").order_by("held_until")[:BATCH])


def _ended(order: Order) -> bool:
    try:
        return _expire(order)
    except Conflict:  # its goods are not set aside: a fault, but not its neighbours'
        log.exception("the hold of order %s cannot end", order.number)
        return False


@transaction.atomic
def _expire(order: Order) -> bool:
    return change_state(
        order,
        OrderState.EXPIRED,
        sources=_sources(),
        only_if=_is_over(),
        actor=None,
        reason=reasons.NOT_PAID_IN_TIME,
    )


def _sources() -> frozenset[OrderState]:
    return frozenset({OrderState.HELD})


def _is_over() -> Q:
    """Looked at again in the row itself: a payment may have extended the hold by now."""
    return Q(held_until__lt=now())
