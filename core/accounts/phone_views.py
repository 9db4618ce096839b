"""Signing in, or proving one's number, with a code that is sent to the phone.

Three steps: the number, the code, and for new people a name. What was asked for is in the session:
which code, for which number, why, and where to go on.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.accounts import codes, passkey_views, services, sms
from core.accounts.access import is_signed_in
from core.accounts.models import Invitation, User
from core.accounts.phones import clean_phone, masked
from core.callers import network_of
from core.clock import now
from core.errors import AppError, Conflict, NotAllowed
from core.ids import parse_id
from core.pages import page

ASKED, PROVEN, INVITED = "phone_asked", "phone_proven", "phone_invitation"
PROVEN_FOR_S = 900
ACCOUNT = "my_account"


def let_in(request: HttpRequest, invitation: Invitation) -> None:
    """Let who holds an invitation make an account by code, where others may not."""
    request.session[INVITED] = str(invitation.public_id)


def may_sign_up(request: HttpRequest) -> bool:
    return bool(settings.SIGN_UP) or _is_invited(request)


def _is_invited(request: HttpRequest) -> bool:
    """Whether the invitation still is one: it may be revoked, or somebody else's, since."""
    known = parse_id(request.session.get(INVITED, ""))
    found = Invitation.objects.filter(public_id=known).first() if known else None
    return found is not None and found.state == "open"


@require_http_methods(["GET", "POST"])
@never_cache
@page
def number(request: HttpRequest) -> HttpResponseBase:
    """Where to? A signed-in person proves a number of theirs; anybody else signs in."""
    if sms.sender() is None:
        raise Http404
    problem: AppError | None = None
    if request.method == "POST":
        try:
            _send(request, clean_phone(request.POST.get("phone", "")))
            return redirect("account_phone_code")
        except AppError as error:
            problem = error
    context = {"problem": problem, "typed": request.POST.get("phone", ""), "next": _next(request)}
    return _page(request, "account/phone.html", context, problem)


@require_http_methods(["GET", "POST"])
@never_cache
@page
def code(request: HttpRequest) -> HttpResponseBase:
    asked = request.session.get(ASKED)
    if asked is None:
        return redirect("account_phone")
    problem: AppError | None = None
    if request.method == "POST":
        try:
            if "again" in request.POST:
                _send(request, asked["phone"])
                messages.success(request, _("We have sent another code."))
                return redirect("account_phone_code")
            return _redeemed(request, asked)
        except AppError as error:
            problem = error
    context = {"problem": problem, "phone": masked(asked["phone"]), "digits": codes.DIGITS}
    return _page(request, "account/phone_code.html", context, problem)


@require_http_methods(["GET", "POST"])
@never_cache
@page
def name(request: HttpRequest) -> HttpResponseBase:
    """The last step of new people: what to call them."""
    proven = request.session.get(PROVEN)
    if proven is None or proven["until"] < now().timestamp() or is_signed_in(request.user):
        return redirect("account_phone")
    problem: AppError | None = None
    if request.method == "POST":
        try:
            if not may_sign_up(request):
                raise NotAllowed(_("New accounts are by invitation"))
            user = services.join_by_phone(proven["phone"], request.POST.get("name", ""))
            del request.session[PROVEN]
            return _sign_in(request, user, proven["next"])
        except AppError as error:
            problem = error
    context = {"problem": problem, "typed": request.POST.get("name", "")}
    return _page(request, "account/phone_name.html", context, problem)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], problem: AppError | None
) -> HttpResponse:
    answer = render(request, template, context, status=problem.status if problem else 200)
    if problem is not None and problem.retry_after is not None:
        answer["Retry-After"] = str(max(1, round(problem.retry_after)))
    return answer


def _send(request: HttpRequest, phone: str) -> None:
    code_id = codes.send_code(
        phone,
        address=network_of(request),
        language=get_language() or settings.LANGUAGE_CODE,
        to_strangers=is_signed_in(request.user) or may_sign_up(request),
    )
    was = request.session.get(ASKED, {})
    onward = _next(request) or was.get("next", "")
    request.session[ASKED] = {"code": str(code_id), "phone": phone, "next": onward}


def _redeemed(request: HttpRequest, asked: dict[str, str]) -> HttpResponseBase:
    phone = codes.redeem(UUID(asked["code"]), request.POST.get("code", "").strip())
    del request.session[ASKED]
    if is_signed_in(request.user):
        return _keep(request, request.user, phone, asked["next"])
    user = User.objects.filter(phone=phone).first()
    if user is not None:
        return _sign_in(request, user, asked["next"])
    until = now().timestamp() + PROVEN_FOR_S
    request.session[PROVEN] = {"phone": phone, "until": until, "next": asked["next"]}
    return redirect("account_phone_name")


def _keep(request: HttpRequest, user: User, phone: str, onward: str) -> HttpResponse:
    try:
        services.keep_phone(user, phone)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("You can sign in with this number now."))
    return redirect(onward or ACCOUNT)


def _sign_in(request: HttpRequest, user: User, onward: str) -> HttpResponseBase:
    answer: HttpResponseBase = perform_login(request, user, redirect_url=onward or None)
    if is_signed_in(request.user):
        passkey_views.offer(request, user)
    return answer


def _next(request: HttpRequest) -> str:
    """Where to go on, if that is a place of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure())
    return wanted if is_ours else ""
