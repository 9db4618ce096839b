"""Pages of orders: for who bought, and for who packs."""

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
from orders.timeline import Action, Step, actions, steps
from sellers.access import sellers_of

BUYER_PAGE = 20
SELLER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Card:
    """An order in a list."""

    order: Order
    steps: list[Step]
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
def order_list(request: HttpRequest) -> HttpResponse:
    buyer = signed_in(request.user)
    found = cut(selectors.orders_of_buyer(buyer), request.GET.get("before", ""), BUYER_PAGE)
    cards = [Card(order, steps(order), []) for order in found.rows]
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
            Card(order, [], actions(order, access.moves_of_seller(order))) for order in found.rows
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
