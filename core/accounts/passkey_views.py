"""Signing in with a passkey: the page's script asks what to sign, and comes with the signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import msgspec
from allauth.account.utils import perform_login
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.accounts import limits, passkey_wire, passkeys
from core.accounts.models import User
from core.accounts.passkeys import Place
from core.api import problem_of
from core.callers import network_of
from core.errors import AppError

FAILED = "passkeys that failed from address"
MOST_FAILED, FAILED_PER_S = 10, limits.MINUTE_S
OFFER = "passkey_offer"
"""In the session of who signed in by a code: to be asked once whether a passkey would be easier."""
T = TypeVar("T")


class BodyTooBig(AppError):
    code = "too_big"
    status = 413


class SigningIn(msgspec.Struct):
    credential: passkey_wire.Signed
    next: str = ""


def tells_problems(
    view: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view for scripts: what a service refuses becomes a problem detail."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponseBase:
        try:
            return view(request)
        except AppError as error:
            return problem_of(error)

    return answered


def here(request: HttpRequest) -> Place:
    place = passkeys.place_of(request)
    if place is None:
        raise Http404
    return place


def body_of(request: HttpRequest, kind: type[T]) -> T:
    """The request's JSON; raises `PasskeyRefused` or `BodyTooBig`."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    most = passkey_wire.LARGEST_BODY
    if not announced.isdigit() or int(announced) > most or len(request.body) > most:
        raise BodyTooBig(_("That is too large."))
    return passkey_wire.read(request.body, kind)


@require_POST
@never_cache
@tells_problems
def options(request: HttpRequest) -> HttpResponseBase:
    place, browser = here(request), passkeys.browser_of(request)
    asked = passkeys.ask_to_sign(place, browser, address=network_of(request))
    return JsonResponse(asked)


@require_POST
@never_cache
@tells_problems
def sign_in(request: HttpRequest) -> HttpResponseBase:
    place = here(request)
    address = network_of(request)
    limits.look(FAILED, address, most=MOST_FAILED, per_s=FAILED_PER_S)
    try:
        sent = body_of(request, SigningIn)
        user = passkeys.owner(place, passkeys.browser_of(request), sent.credential)
    except AppError:
        limits.take(FAILED, address, most=MOST_FAILED, per_s=FAILED_PER_S)
        raise
    answer = perform_login(request, user, redirect_url=_ours(request, sent.next))
    return JsonResponse({"next": answer["Location"]})


def offer(request: HttpRequest, user: User) -> None:
    """Let the next page ask whether signing in shall be easier, if this browser could have it."""
    place = passkeys.place_of(request)
    if place is not None and not user.passkeys.filter(rp_id=place.rp_id).exists():
        request.session[OFFER] = True


def is_offered(request: HttpRequest) -> bool:
    """Whether to ask on this page; says so once."""
    session = getattr(request, "session", {})  # an error page may come before there is one
    return bool(OFFER in session and session.pop(OFFER) and request.user.is_authenticated)


def _ours(request: HttpRequest, wanted: str) -> str | None:
    """Where to go on, if that is a place of ours."""
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure())
    return wanted if is_ours else None
