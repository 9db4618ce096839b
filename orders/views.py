"""Pages of orders for who bought. Who packs has `orders.studio`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, InvalidInput, NotFound
from core.money import to_minor
from core.pages import cut, page
from orders import access, photos, selectors
from orders.models import Order, OrderState, RefundClaim
from orders.order_page import order_context
from orders.reorder import again_url
from orders.services import claims
from orders.services.fulfil import move_order
from orders.timeline import Step, steps

BUYER_PAGE = 20
FRAGMENT = "X-Fragment"
"""A page that is open asks with this header for the part of it that changes."""
BUYER_MOVES = frozenset({OrderState.PLACED, OrderState.DELIVERED, OrderState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Card:
    """An order in a list."""

    order: Order
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Tab:
    """Some of the orders, by what is to be done about them."""

    name: str
    label: str
    is_current: bool


@require_GET
@page
def order_list(request: HttpRequest) -> HttpResponse:
    buyer = signed_in(request.user)
    some, number = request.GET.get("show", ""), request.GET.get("number", "").strip()
    orders = selectors.found_orders(selectors.orders_of_buyer(buyer), some, number)
    found = cut(orders, request.GET.get("before", ""), BUYER_PAGE)
    context = {
        "cards": [Card(order, steps(order)) for order in found.rows],
        "before": found.before,
        "tabs": _tabs(some),
        "some": some,
        "number": number,
        "nothing_ever": not found.rows and not selectors.orders_of_buyer(buyer).exists(),
    }
    return _page_or_part(request, "orders/orders.html", "orders/_orders.html", context)


@require_GET
@page
def order_detail(request: HttpRequest, order_id: UUID) -> HttpResponse:
    order = access.order_of(request.user, order_id)
    context = order_context(order, signed_in(request.user))
    return _page_or_part(request, "orders/order.html", "orders/_order.html", context)


@require_POST
@page
def order_cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    return _move(request, order_id, OrderState.CANCELLED)


@require_POST
@page
def order_move(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """What a buyer does with an order: says that it came, or pays in cash after all."""
    to = request.POST.get("to", "")
    if to not in BUYER_MOVES:
        raise NotFound(_("An order cannot be that."))
    return _move(request, order_id, OrderState(to))


@require_POST
@page
def order_again(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Into a new basket, with what things cost today."""
    order = access.order_of(request.user, order_id)
    access.buyer_of(request.user, order)
    return redirect(again_url(order))


@require_POST
@page
def order_claim(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Ask for money back; what was typed stays where something of it is wrong."""
    order = access.order_of(request.user, order_id)
    buyer = access.buyer_of(request.user, order)
    text, amount = request.POST.get("text", ""), request.POST.get("amount", "")
    try:
        pictures = _pictures(request)
        claims.ask_refund(order_id, buyer, text, _minor(amount, order.currency), pictures)
    except (InvalidInput, Conflict) as error:
        typed = {"text": text, "amount": amount, "error": error.message, "field": error.field}
        context = {**order_context(order, buyer), "typed": typed}
        return render(request, "orders/order.html", context, status=error.status)
    messages.success(request, _("You asked for money back. The seller answers here."))
    return redirect("order", order_id=order_id)


@require_POST
@page
def claim_withdraw(request: HttpRequest, claim_id: UUID) -> HttpResponse:
    try:
        claim = claims.withdraw_claim(claim_id, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
        claim = RefundClaim.objects.select_related("order").get(public_id=claim_id)
    return redirect("order", order_id=claim.order.public_id)


def _page_or_part(
    request: HttpRequest, whole: str, part: str, context: dict[str, Any]
) -> HttpResponse:
    response = render(request, part if FRAGMENT in request.headers else whole, context)
    response["Vary"] = f"Cookie, Accept-Language, {FRAGMENT}"
    return response


def _move(request: HttpRequest, order_id: UUID, to: OrderState) -> HttpResponse:
    """Move the order and say so; a move that came too late is said, too."""
    reason = request.POST.get("reason", "")
    try:
        order = move_order(order_id, to, signed_in(request.user), reason=reason)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    else:
        said = {"number": order.number, "state": OrderState(order.state).label}
        messages.success(request, _("Order %(number)s: %(state)s.") % said)
    return redirect("order", order_id=order_id)


def _pictures(request: HttpRequest) -> list[bytes]:
    """The photos of a form; too many or too large ones are refused before they are read."""
    files = request.FILES.getlist("photos")
    if len(files) > photos.MOST_PHOTOS or any((one.size or 0) > photos.MOST_BYTES for one in files):
        message = _("Please send at most %(most)d photos of 8 MB each.")
        raise InvalidInput(message % {"most": photos.MOST_PHOTOS}, field="photos")
    return [one.read() for one in files]


def _minor(typed: str, currency: str) -> int:
    """The amount that was typed, in minor units; 0, which is refused, for what is no amount."""
    try:
        amount = Decimal(typed.strip().replace(",", "."))
    except InvalidOperation:
        return 0
    return to_minor(amount, currency) if amount.is_finite() and 0 < amount < 10**9 else 0


def _tabs(some: str) -> list[Tab]:
    labels = {
        "": _("All"),
        "to_pay": _("To pay"),
        "under_way": _("On the way"),
        "done": _("Done"),
    }
    return [Tab(name, label, name == some) for name, label in labels.items()]
