"""Paper for the shed: a packing slip for each order, and what to fetch for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.clock import now
from core.pages import page
from orders.fees import weight_of
from orders.models import GONE, Order, OrderLine, OrderState
from orders.shows import ShowName, names_of
from orders.studio import access, search
from orders.studio.words import Due, address, due, is_fetched, masked_phone

NOTHING_TO_PACK = [*GONE, OrderState.REFUNDED, OrderState.HELD]


@dataclass(frozen=True, slots=True)
class Slip:
    """One order's slip. `phone` is whole only where a carrier needs it."""

    order: Order
    lines: list[OrderLine]
    address: str
    phone: str
    due: Due
    qr: str


@dataclass(slots=True)
class Pick:
    """So many of one thing to fetch, for so many orders."""

    title: str
    quantity: int = 0
    orders: int = 0
    weight_g: int = 0

    def add(self, line: OrderLine) -> None:
        self.quantity += line.quantity
        self.orders += 1
        self.weight_g += weight_of([(line.variant, line.quantity)])


@dataclass(slots=True)
class PickPart:
    """What to fetch for the orders of one show, or of none."""

    title: str
    picks: dict[tuple[int, str], Pick] = field(default_factory=dict)

    def add(self, line: OrderLine) -> None:
        # By title, too: a variant may have had another name, and that is what is on the slips.
        key = (line.variant_id, line.title)
        self.picks.setdefault(key, Pick(line.title)).add(line)

    @property
    def rows(self) -> list[Pick]:
        return sorted(self.picks.values(), key=lambda pick: (-pick.quantity, pick.title))

    @property
    def quantity(self) -> int:
        return sum(pick.quantity for pick in self.picks.values())

    @property
    def weight_g(self) -> int:
        return sum(pick.weight_g for pick in self.picks.values())


@require_GET
@page
def slips(request: HttpRequest) -> HttpResponse:
    orders, more = _to_print(request)
    context = {"slips": [_slip(request, order) for order in orders], "more": more}
    return render(request, "studio/slips.html", context)


@require_GET
@page
def pick_list(request: HttpRequest) -> HttpResponse:
    orders, more = _to_print(request)
    parts = _parts(orders)
    context = {
        "total": _part("", orders),
        "parts": parts if len(parts) > 1 else [],
        "order_count": len(orders),
        "more": more,
        "printed_at": now(),
    }
    return render(request, "studio/pick_list.html", context)


def _to_print(request: HttpRequest) -> tuple[list[Order], bool]:
    """The orders that were asked for, the oldest first, and whether there are more than these."""
    sellers = access.sellers_for(request.user)
    orders = (
        search.chosen(sellers, request.GET)
        .exclude(state__in=NOTHING_TO_PACK)
        .select_related("seller", "buyer", "pickup_point")
        .prefetch_related("lines__variant")
        .order_by("placed_at", "pk")
    )
    found = list(orders[: search.MOST_CHOSEN + 1])
    return found[: search.MOST_CHOSEN], len(found) > search.MOST_CHOSEN


def _slip(request: HttpRequest, order: Order) -> Slip:
    link = request.build_absolute_uri(order.get_absolute_url())
    return Slip(
        order=order,
        lines=sorted(order.lines.all(), key=lambda line: line.pk),
        address=address(order),
        # At a pick-up point the slips lie where others read them.
        phone=masked_phone(order.phone) if is_fetched(order) else order.phone,
        due=due(order),
        qr=segno.make(link, micro=False, error="m").svg_data_uri(border=0),
    )


def _parts(orders: Iterable[Order]) -> list[PickPart]:
    by_show: dict[UUID | None, list[Order]] = defaultdict(list)
    for order in orders:
        by_show[order.show_id].append(order)
    names = names_of([show_id for show_id in by_show if show_id])
    return [_part(_title(show_id, names), of_show) for show_id, of_show in by_show.items()]


def _title(show_id: UUID | None, names: Mapping[UUID, ShowName]) -> str:
    if show_id is None:
        return _("outside of shows")
    return str(names.get(show_id, _("a show that is gone")))


def _part(title: str, orders: Iterable[Order]) -> PickPart:
    part = PickPart(title)
    for order in orders:
        for line in order.lines.all():
            part.add(line)
    return part
