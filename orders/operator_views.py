"""Money that needs a person, for operators: refunds that failed, notices that do not fit."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import AnyUser, has_role, signed_in
from core.accounts.models import Role, User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.pages import page
from orders.models import NoticeOutcome, PaymentNotice, Refund
from orders.services.refunds import refunds_to_look_at, try_again

MOST_SHOWN = 50


@require_GET
@never_cache
@page
def money(request: HttpRequest) -> HttpResponse:
    _operator(request.user)
    failed = refunds_to_look_at().select_related("payment__order__seller")
    flagged = PaymentNotice.objects.filter(outcome=NoticeOutcome.FLAGGED, looked_at=None)
    context = {
        "failed": failed[:MOST_SHOWN],
        "flagged": flagged[:MOST_SHOWN],
        "waiting": failed.count() + flagged.count(),
    }
    return render(request, "operator/money.html", context)


@require_POST
@page
def refund_again(request: HttpRequest, refund_id: int) -> HttpResponse:
    operator = _operator(request.user)
    refund = Refund.objects.select_related("payment").filter(pk=refund_id).first()
    if refund is None:
        raise _nothing_here()
    try:
        try_again(refund, operator)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("It is on its way again."))
    return redirect("operator_money")


@require_POST
@page
def notice_looked_at(request: HttpRequest, notice_id: int) -> HttpResponse:
    """It stays in the books, with who looked at it; again: who was first."""
    operator = _operator(request.user)
    flagged = PaymentNotice.objects.filter(pk=notice_id, outcome=NoticeOutcome.FLAGGED)
    if not flagged.exists():
        raise _nothing_here()
    flagged.filter(looked_at=None).update(looked_at=now(), looked_by=operator)
    messages.success(request, _("Marked as looked at."))
    return redirect("operator_money")


def _operator(user: AnyUser) -> User:
    """Raises `NotFound` for everybody else: that there is such a page is no business of theirs."""
    person = signed_in(user)
    if not has_role(person, Role.OPERATOR):
        raise _nothing_here()
    return person


def _nothing_here() -> NotFound:
    return NotFound(_("There is nothing here, or it is not yours."))
