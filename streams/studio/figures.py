"""How a show goes: viewers and orders minute by minute, and the sums so far."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from django.db.models import Count, Q, QuerySet, Sum

from core.clock import iso_ms, now
from orders.models import Order, OrderLine, OrderState
from streams.models import Show, ViewersSample

WINDOW_MINUTES = 30
MINUTE = timedelta(minutes=1)


class Minute(msgspec.Struct, frozen=True):
    """One minute of a show; `viewers` as it began, `None` where nobody counted them."""

    at: str
    viewers: int | None
    orders: int


class Figures(msgspec.Struct, frozen=True):
    """The last half hour, the oldest minute first, and the sums of the whole show.

    Cancelled orders count in `cancelled` alone; `waiting` of the others are not packed yet.
    """

    minutes: list[Minute]
    orders: int
    boxes: int
    total_minor: int
    currency: str
    waiting: int
    cancelled: int


def figures(show: Show, at: datetime | None = None) -> Figures:
    """The figures of a show as of `at` (now, if not given), whose minute is the last one."""
    orders = Order.objects.filter(show_id=show.public_id).order_by()
    counted = orders.exclude(state=OrderState.CANCELLED)
    sums = orders.aggregate(
        cancelled=Count("pk", filter=Q(state=OrderState.CANCELLED)),
        waiting=Count("pk", filter=Q(state=OrderState.PLACED)),
        orders=Count("pk", filter=~Q(state=OrderState.CANCELLED)),
        total_minor=Sum("total_minor", filter=~Q(state=OrderState.CANCELLED), default=0),
    )
    boxes = OrderLine.objects.filter(order__in=counted).aggregate(sum=Sum("quantity", default=0))
    return Figures(
        minutes=_minutes(show, counted, at or now()),
        boxes=boxes["sum"],
        currency=show.seller.currency,
        **sums,
    )


def minute_of(moment: datetime) -> datetime:
    """The begin of the minute in which this is."""
    return moment.replace(second=0, microsecond=0)


def _minutes(show: Show, orders: QuerySet[Order], at: datetime) -> list[Minute]:
    last = minute_of(at)
    begins = [last - back * MINUTE for back in reversed(range(WINDOW_MINUTES))]
    since = Q(placed_at__gte=begins[0], placed_at__lt=last + MINUTE)
    placed = Counter(map(minute_of, orders.filter(since).values_list("placed_at", flat=True)))
    samples = ViewersSample.objects.filter(show=show, minute__in=begins)
    viewers = dict(samples.values_list("minute", "viewers"))
    return [Minute(iso_ms(begin), viewers.get(begin), placed[begin]) for begin in begins]
