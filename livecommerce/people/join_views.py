"""What a farmer sees who has scanned an invitation: who invites them, and one thing to do."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.accounts import sms
from core.accounts.access import is_signed_in
from core.accounts.models import Invitation
from core.accounts.phone_views import let_in
from core.errors import InvalidInput
from livecommerce.people import invitations
from livecommerce.people.invitations import InvitationVoid, Newcomer
from livecommerce.people.landing import greet_no_more


@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        invitation = invitations.open_invitation(token)
        if request.method != "POST":
            return _shown(request, invitation)
        return _answered(request, token, invitation)
    except InvitationVoid:
        return render(request, "people/void.html", status=404)


def _answered(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponseBase:
    if "by_code" in request.POST and sms.sender() is not None:
        let_in(request, invitation)
        here = reverse("join", args=[token])
        return redirect(f"{reverse('account_phone')}?{urlencode({'next': here})}")
    if is_signed_in(request.user):
        invitations.accept(token, request.user)
        return _welcome(request, invitation)
    try:
        user = invitations.accept_as_newcomer(token, _typed(request))
    except InvalidInput as error:
        return _shown(request, invitation, error)
    start = _start(invitation)
    _greet(request, invitation)
    greet_no_more(request)
    answer: HttpResponseBase = perform_login(request, user, redirect_url=start)
    return answer


def _typed(request: HttpRequest) -> Newcomer:
    sent = request.POST
    return Newcomer(sent.get("name", ""), sent.get("login", ""), sent.get("password", ""))


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    _greet(request, invitation)
    return redirect(_start(invitation))


def _greet(request: HttpRequest, invitation: Invitation) -> None:
    seller = invitations.seller_of(invitation)
    place = seller.name if seller else _("the school")
    messages.success(request, _("Welcome to %(place)s.") % {"place": place})


def _start(invitation: Invitation) -> str:
    return reverse("studio") if invitation.seller_id else reverse("learn")


def _shown(
    request: HttpRequest, invitation: Invitation, problem: InvalidInput | None = None
) -> HttpResponse:
    context = {
        "invitation": invitation,
        "seller": invitations.seller_of(invitation),
        "role": invitations.role_name(invitation),
        "problem": problem,
        "typed": request.POST,
    }
    return render(request, "people/join.html", context, status=problem.status if problem else 200)
