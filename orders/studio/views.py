"""Pages of orders for who packs and sends."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, NotFound
from core.pages import cut, page
from orders import access, selectors
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.timeline import Action, actions
from sellers.access import sellers_of

SELLER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Card:
    """An order in a list."""

    order: Order
    actions: list[Action]


@dataclass(frozen=True, slots=True)
class Tab:
    """One state to filter by."""

    state: str
    label: str
    count: int
    is_current: bool


@require_GET
@page
def studio_orders(request: HttpRequest) -> HttpResponse:
    sellers = list(sellers_of(signed_in(request.user)))
    if not sellers:
        raise NotFound(_("There is nothing here, or it is not yours."))
    orders = selectors.orders_of_seller(sellers)
    counts = selectors.counts_by_state(orders)
    state = _state(request.GET.get("state", ""))
    found = cut(orders.filter(state=state), request.GET.get("before", ""), SELLER_PAGE)
    context = {
        "tabs": [Tab(one.value, str(one.label), counts[one], one == state) for one in OrderState],
        "state": state,
        "cards": [
            Card(order, actions(order, access.moves_of_seller(order))) for order in found.rows
        ],
        "before": found.before,
        "to_pack": selectors.to_pack(orders),
        "waiting_orders": counts[OrderState.PLACED],
        "several_sellers": len(sellers) > 1,
        "nothing_ever": not sum(counts.values()),
    }
    return render(request, "studio/orders.html", context)


@require_POST
@page
def studio_order_move(request: HttpRequest, order_id: UUID) -> HttpResponse:
    to = _known_state(request.POST.get("to", ""))
    _move(request, order_id, to)
    back = _state(request.POST.get("state", ""))
    return redirect(f"{reverse('studio_orders')}?state={back.value}")


def _move(request: HttpRequest, order_id: UUID, to: OrderState) -> None:
    """Move the order and say so; a move that came too late is said, too."""
    try:
        order = move_order(order_id, to, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        said = {"number": order.number, "state": OrderState(order.state).label}
        messages.success(request, _("Order %(number)s: %(state)s.") % said)


def _state(text: str) -> OrderState:
    return OrderState(text) if text in OrderState.values else OrderState.PLACED


def _known_state(text: str) -> OrderState:
    if text not in OrderState.values:
        raise NotFound(_("An order cannot be that."))
    return OrderState(text)
