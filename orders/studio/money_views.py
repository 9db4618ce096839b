"""Money that goes back: the answer to a buyer's claim, paying back, and trying that again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.pages import id_of_form, page
from orders.access import keeper_of
from orders.models import Order, Refund
from orders.services.claims import answer_claim
from orders.services.refunds import pay_back, try_again
from orders.studio import access
from orders.studio.money_forms import ClaimAnswerForm, PayBackForm
from orders.studio.views import order_page


@require_POST
@page
def claim_answer(request: HttpRequest, order_id: UUID, claim_id: UUID) -> HttpResponse:
    order, actor = _order(request, order_id)
    claim = order.claims.filter(public_id=claim_id).first()
    if claim is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    form = ClaimAnswerForm(order, request.POST)
    if form.is_valid() and _done(form, partial(_answer, form, claim_id, actor)):
        said = _("You pay it back.") if form.cleaned_data["accept"] else _("You declined.")
        messages.success(request, said)
        return redirect("studio_order", order_id=order_id)
    return order_page(request, order, claim_form=form)


def _answer(form: ClaimAnswerForm, claim_id: UUID, actor: User) -> None:
    typed = form.cleaned_data
    answer_claim(
        claim_id,
        actor,
        typed["accept"],
        amount_minor=typed["amount"] if typed["accept"] else None,
        answer=typed["answer"],
        restock=form.returned if typed["accept"] else None,
    )


@require_POST
@page
def order_pay_back(request: HttpRequest, order_id: UUID) -> HttpResponse:
    order, actor = _order(request, order_id)
    form = PayBackForm(order, request.POST)
    # Sent twice it is one refund; who types another amount means another.
    key = f"studio:{id_of_form(request)}"
    if form.is_valid() and _done(form, partial(_pay_back, form, order, actor, key)):
        messages.success(request, _("The money is on its way back."))
        return redirect("studio_order", order_id=order_id)
    return order_page(request, order, pay_back_form=form)


def _pay_back(form: PayBackForm, order: Order, actor: User, key: str) -> None:
    typed = form.cleaned_data
    pay_back(order, typed["amount"], typed["reason"], actor, key, form.returned)


@require_POST
@page
def refund_again(request: HttpRequest, order_id: UUID, refund_id: UUID) -> HttpResponse:
    order, actor = _order(request, order_id)
    refund = Refund.objects.filter(public_id=refund_id, payment__order=order).first()
    if refund is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    try:
        try_again(refund, actor)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The money is on its way back."))
    return redirect("studio_order", order_id=order_id)


def _order(request: HttpRequest, order_id: UUID) -> tuple[Order, User]:
    """The order, and who may give its money back: not a packer (403), and no stranger (404)."""
    order = access.order_to_send(request.user, order_id)
    return order, keeper_of(request.user, order)


def _done(form: forms.Form, change: Callable[[], object]) -> bool:
    """Make the change, or say in the form what is wrong and with which field."""
    try:
        change()
    except (InvalidInput, Conflict) as error:
        field = "amount" if error.field == "amount_minor" else error.field
        form.add_error(field if field in form.fields else None, error.message)
        return False
    return True
