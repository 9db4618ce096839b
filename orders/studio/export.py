"""A seller's orders as a table, a few hundred at a time, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from orders import sheets
from orders.models import Order
from orders.shows import ShowName, names_of
from orders.studio.words import goods
from sellers.regions import region_label

AT_ONCE = 500


def header() -> list[str]:
    return [
        _("Order number"),
        _("Ordered at"),
        _("State"),
        _("Show"),
        _("Goods"),
        _("Pieces"),
        _("Delivery fee"),
        _("Total"),
        _("Paid back"),
        _("Currency"),
        _("Payment"),
        _("Delivery"),
        _("Pick-up point"),
        _("Pick-up code"),
        _("Recipient"),
        _("Phone"),
        _("Region"),
        _("Address"),
        _("Note"),
        _("Carrier"),
        _("Tracking number"),
    ]


async def lines(orders: QuerySet[Order]) -> AsyncIterator[str]:
    """The table in pieces of text, the newest order first.

    Each piece is a query of its own, from where the last one ended: nothing is held meanwhile,
    and an order that comes now does not move the others.
    """
    language = get_language()  # a piece is written in another thread, which has its own
    yield sheets.BOM + sheets.write([header()])
    edge: int | None = None
    while batch := await sync_to_async(_batch)(orders, edge):
        yield await sync_to_async(_written)(batch, language)
        edge = batch[-1].pk


def _batch(orders: QuerySet[Order], edge: int | None) -> list[Order]:
    rest = orders if edge is None else orders.filter(pk__lt=edge)
    rest = rest.select_related("pickup_point").prefetch_related("lines")
    return list(rest.order_by("-pk")[:AT_ONCE])


def _written(batch: list[Order], language: str | None) -> str:
    with override(language):
        shows = names_of({order.show_id for order in batch if order.show_id})
        return sheets.write(_row(order, shows) for order in batch)


def _row(order: Order, shows: Mapping[UUID, ShowName]) -> list[object]:
    point = order.pickup_point
    show = shows.get(order.show_id) if order.show_id else None
    return [
        order.number,
        f"{timezone.localtime(order.placed_at):%Y-%m-%d %H:%M}",
        order.get_state_display(),
        show.title if show else "",
        goods(order),
        sum(line.quantity for line in order.lines.all()),
        sheets.amount(order.delivery_fee_minor, order.currency),
        sheets.amount(order.total_minor, order.currency),
        sheets.amount(order.refunded_minor, order.currency),
        order.currency,
        order.get_payment_method_display(),
        order.get_delivery_display(),
        point.name if point else "",
        order.pickup_code,
        order.recipient,
        order.phone,
        region_label(order.region),
        order.address,
        order.note,
        order.carrier,
        order.tracking_number,
    ]
