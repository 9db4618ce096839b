"""Pages of orders for who bought. Who packs has `orders.studio`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict
from core.pages import cut, page
from orders import access, selectors
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.timeline import Step, steps

BUYER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Card:
    """An order in a list."""

    order: Order
    steps: list[Step]


@require_GET
@page
def order_list(request: HttpRequest) -> HttpResponse:
    buyer = signed_in(request.user)
    found = cut(selectors.orders_of_buyer(buyer), request.GET.get("before", ""), BUYER_PAGE)
    cards = [Card(order, steps(order)) for order in found.rows]
    return render(request, "orders/orders.html", {"cards": cards, "before": found.before})


@require_GET
@page
def order_detail(request: HttpRequest, order_id: UUID) -> HttpResponse:
    order = access.order_of(request.user, order_id)
    context = {
        "order": order,
        "lines": order.lines.select_related("variant__product").order_by("pk"),
        "steps": steps(order, order.moves.all()),
        "cancelled": order.moves.filter(state=OrderState.CANCELLED).first(),
        "may_cancel": access.may_move(request.user, order, OrderState.CANCELLED),
    }
    return render(request, "orders/order.html", context)


@require_POST
@page
def order_cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    _move(request, order_id, OrderState.CANCELLED)
    return redirect("order", order_id=order_id)


def _move(request: HttpRequest, order_id: UUID, to: OrderState) -> None:
    """Move the order and say so; a move that came too late is said, too."""
    try:
        order = move_order(order_id, to, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        said = {"number": order.number, "state": OrderState(order.state).label}
        messages.success(request, _("Order %(number)s: %(state)s.") % said)
