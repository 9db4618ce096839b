"""The list of orders for who packs and sends, and one order with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, InvalidInput, NotFound
from core.pages import cut, page
from core.text import clean_line
from orders.access import may_move
from orders.models import ClaimState, Order, OrderState
from orders.selectors import to_pack, waiting_orders
from orders.services.claims import granted_minor
from orders.services.fulfil import move_order
from orders.services.refunds import can_pay_back
from orders.shows import names_of
from orders.studio import access, search
from orders.studio.money_forms import ClaimAnswerForm, PayBackForm
from orders.studio.moves import Report, move_all
from orders.studio.words import CARRIERS, address, card, due, next_steps

PAGE = 50
SHOWN_REFUSALS = 20
NEXT = {
    search.TO_PACK: OrderState.PACKED,
    "packed": OrderState.SENT,
    "sent": OrderState.DELIVERED,
}
CARRIER_BEFORE = "carrier"
"""In the session: who carries one parcel mostly carries the next."""


@require_GET
@page
def studio_orders(request: HttpRequest) -> HttpResponse:
    sellers = access.sellers_for(request.user)
    form = search.OrderFilter(sellers, request.GET)
    orders, query = form.orders(), request.GET
    kind = search.kind_of(query.get("state", ""), searching=bool(query.get("q")))
    found = cut(
        search.with_troubles(search.of_kind(orders, kind))
        .select_related("seller", "buyer", "pickup_point")
        .prefetch_related("lines"),
        query.get("before", ""),
        PAGE,
    )
    context = {
        "form": form,
        "tabs": search.tabs(orders, kind, query),
        "kind": kind,
        "cards": [card(order) for order in found.rows],
        "before": found.before,
        "query": search.with_(query, state=kind),
        "to_pack": to_pack(orders) if kind == search.TO_PACK else [],
        "waiting_orders": waiting_orders(sellers),
        "bulk_to": NEXT.get(kind),
        "carriers": CARRIERS,
        "carrier": request.session.get(CARRIER_BEFORE, ""),
        "several_sellers": len(sellers) > 1,
        "nothing_ever": not Order.objects.filter(seller__in=sellers).exists(),
    }
    return render(request, "studio/orders.html", context)


@require_GET
@page
def studio_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    return order_page(request, access.order_to_send(request.user, order_id))


def order_page(
    request: HttpRequest,
    order: Order,
    *,
    claim_form: ClaimAnswerForm | None = None,
    pay_back_form: PayBackForm | None = None,
) -> HttpResponse:
    """All of one order; with a form that came back, 422 and what is wrong in it."""
    step, can_be_cancelled = next_steps(order)
    lines = order.lines.select_related("variant__product").order_by("pk")
    claims = order.claims.prefetch_related("photos").select_related("answered_by")
    may_pay_back = access.may_pay_back(request.user, order)
    context = {
        "order": order,
        "lines": lines,
        "goods_minor": order.total_minor - order.delivery_fee_minor,
        "step": step,
        "can_be_cancelled": can_be_cancelled,
        "may_cancel": may_move(request.user, order, OrderState.CANCELLED),
        "due": due(order),
        "address": address(order),
        "show_name": names_of([order.show_id]).get(order.show_id) if order.show_id else None,
        "moves": order.way,
        "payments": order.payments.prefetch_related("refunds__actor"),
        "answered_claims": [
            (one, granted_minor(one)) for one in claims if one.state != ClaimState.OPEN
        ],
        "open_claim": next((one for one in claims if one.state == ClaimState.OPEN), None),
        "may_pay_back": may_pay_back,
        "claim_form": claim_form or ClaimAnswerForm(order),
        "pay_back_form": pay_back_form or PayBackForm(order),
        "left_minor": can_pay_back(order),
        "carriers": CARRIERS,
        "carrier": order.carrier or request.session.get(CARRIER_BEFORE, ""),
    }
    is_wrong = any(form is not None for form in (claim_form, pay_back_form))
    return render(request, "studio/order.html", context, status=422 if is_wrong else 200)


@require_POST
@page
def studio_order_move(request: HttpRequest, order_id: UUID) -> HttpResponse:
    to, actor = _known_state(request.POST.get("to", "")), signed_in(request.user)
    order = access.order_to_send(actor, order_id)
    try:
        order = move_order(
            order.public_id,
            to,
            actor,
            reason=_typed(request, "reason", 200),
            carrier=_typed(request, "carrier", 40),
            tracking_number=_typed(request, "tracking_number", 60),
        )
    except (Conflict, InvalidInput) as error:
        messages.error(request, f"{order.number}: {error.message}")
    else:
        _remember_carrier(request, order)
        said = {"number": order.number, "state": OrderState(order.state).label}
        messages.success(request, _("Order %(number)s: %(state)s.") % said)
    return _back(request, order)


@require_POST
@page
def studio_orders_move(request: HttpRequest) -> HttpResponse:
    """Move all that were ticked; what cannot be moved is said by number, the rest goes on."""
    sellers = access.sellers_for(request.user)
    to = _known_state(request.POST.get("to", ""))
    if to not in NEXT.values():  # many at once go forward only: cancelling asks for each why
        raise NotFound(_("An order cannot be that."))
    numbers = request.POST.getlist("order")[: search.MOST_CHOSEN]
    _say(request, move_all(sellers, numbers, to, signed_in(request.user)), to)
    return _back(request)


def _say(request: HttpRequest, report: Report, to: OrderState) -> None:
    if report.moved:
        moved = len(report.moved)
        said = ngettext("%(count)d order: %(state)s.", "%(count)d orders: %(state)s.", moved)
        messages.success(request, said % {"count": moved, "state": to.label})
    if report.already:
        known = len(report.already)
        said = ngettext(
            "%(count)d order was %(state)s already.",
            "%(count)d orders were %(state)s already.",
            known,
        )
        messages.info(request, said % {"count": known, "state": to.label})
    for line in _refusals(report.refused):
        messages.error(request, line)
    if not (report.moved or report.already or report.refused):
        messages.warning(request, _("Select orders first."))


def _refusals(refused: list[tuple[str, str]]) -> Iterator[str]:
    for number, why in refused[:SHOWN_REFUSALS]:
        yield f"{number}: {why}"
    if (more := len(refused) - SHOWN_REFUSALS) > 0:
        said = ngettext("and %(count)d other", "and %(count)d others", more)
        yield said % {"count": more}


def _typed(request: HttpRequest, name: str, longest: int) -> str:
    return clean_line(request.POST.get(name, ""), name, longest=longest, shortest=0)


def _remember_carrier(request: HttpRequest, order: Order) -> None:
    if order.carrier and request.session.get(CARRIER_BEFORE) != order.carrier:
        request.session[CARRIER_BEFORE] = order.carrier


def _back(request: HttpRequest, order: Order | None = None) -> HttpResponse:
    """To the order's page if the form was there, else to the list as it was filtered."""
    if order is not None and request.POST.get("back") == "order":
        return redirect("studio_order", order_id=order.public_id)
    # Read and written anew: what is typed into the form leads nowhere but to this list.
    query = search.with_(QueryDict(request.POST.get("back", "")))
    return redirect(f"{reverse('studio_orders')}?{query}")


def _known_state(text: str) -> OrderState:
    if text not in OrderState.values:
        raise NotFound(_("An order cannot be that."))
    return OrderState(text)
