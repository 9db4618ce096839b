"""One's own account: name, phone, devices, tokens, a copy of everything, and leaving."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts import devices as device_list
from core.accounts import services
from core.accounts import tokens as api_tokens
from core.accounts.access import signed_in
from core.accounts.models import User
from core.clock import now
from core.errors import AppError, NotFound
from core.pages import page
from livecommerce.people import leaving
from livecommerce.people.export import everything_of

ENDS_AFTER_DAYS = (30, 90, 365, 0)


@require_GET
@never_cache
@page
def account(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    return render(request, "people/account.html", {"languages": settings.LANGUAGES, "me": user})


@require_POST
@page
def details(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    try:
        services.introduce(user, request.POST.get("name", ""))
        services.set_language(user, request.POST.get("language", ""))
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Saved."))
    return redirect("my_account")


@require_GET
@never_cache
@page
def devices(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    found = device_list.devices_of(user, request.session.session_key)
    return render(request, "people/devices.html", {"devices": found})


@require_POST
@page
def sign_out_device(request: HttpRequest, device_id: UUID) -> HttpResponse:
    if not device_list.sign_out_device(signed_in(request.user), device_id):
        raise NotFound(_("There is nothing here, or it is not yours."))
    messages.success(request, _("Signed out there."))
    return redirect("my_devices")


@require_POST
@page
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    device_list.sign_out_everywhere(user)
    update_session_auth_hash(request, user)
    messages.success(request, _("Signed out everywhere else."))
    return redirect("my_devices")


@require_http_methods(["GET", "POST"])
@never_cache
@page
def tokens(request: HttpRequest) -> HttpResponse:
    """A new one is shown in the answer to the form, and never again."""
    user = signed_in(request.user)
    problem: AppError | None = None
    key = ""
    if request.method == "POST":
        try:
            key = _make_token(user, request)
        except AppError as error:
            problem = error
    context = {
        "key": key,
        "problem": problem,
        "typed": request.POST if problem else {},
        "chosen": request.POST.getlist("scopes") if problem else [],
        "tokens": api_tokens.alive(user),
        "scopes": api_tokens.SCOPES.items(),
        "ends": ENDS_AFTER_DAYS,
    }
    return render(request, "people/tokens.html", context, status=problem.status if problem else 200)


def _make_token(user: User, request: HttpRequest) -> str:
    sent = request.POST
    days = {str(days): days for days in ENDS_AFTER_DAYS}.get(sent.get("days", ""), 90)
    ends_at = now() + timedelta(days=days) if days else None
    name, scopes = sent.get("name", ""), sent.getlist("scopes")
    _made, key = api_tokens.make_token(user, name=name, scopes=scopes, ends_at=ends_at)
    return key


@require_POST
@page
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    if not api_tokens.revoke_token(signed_in(request.user), token_id):
        raise NotFound(_("There is nothing here, or it is not yours."))
    messages.success(request, _("Revoked. It opens nothing any more."))
    return redirect("my_tokens")


@require_GET
@never_cache
@page
def data(request: HttpRequest) -> HttpResponse:
    """Everything that is kept about somebody, as one JSON file."""
    user = signed_in(request.user)
    answer = JsonResponse(
        everything_of(user), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@require_http_methods(["GET", "POST"])
@never_cache
@page
def leave(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    problem: AppError | None = None
    if request.method == "POST":
        try:
            leaving.leave(user, request.POST.get("password", ""), sure="sure" in request.POST)
            logout(request)
            messages.success(request, _("Your account is gone."))
            return redirect("home")
        except AppError as error:
            problem = error
    context = {"obstacles": leaving.obstacles(user), "problem": problem, "me": user}
    return render(request, "people/leave.html", context, status=problem.status if problem else 200)
