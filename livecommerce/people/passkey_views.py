"""One's own passkeys: a list, one more, other names, and away with them."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.accounts import passkey_wire
from core.accounts import passkeys as keys
from core.accounts.access import signed_in
from core.accounts.devices import device_name
from core.accounts.passkey_views import body_of, here, tells_problems
from core.errors import InvalidInput, NotFound
from core.pages import page
from livecommerce.lan.addresses import own_names


class Adding(msgspec.Struct):
    credential: passkey_wire.Made


@require_GET
@never_cache
@page
def passkeys(request: HttpRequest) -> HttpResponseBase:
    user = signed_in(request.user)
    place = keys.place_of(request)
    context = {
        "passkeys": user.passkeys.order_by("-pk"),
        "place": place,
        "by_name": "" if place else _address_by_name(request),
        "most": keys.MOST,
        "longest": keys.LONGEST_NAME,
    }
    return render(request, "people/passkeys.html", context)


@require_POST
@never_cache
@tells_problems
def options(request: HttpRequest) -> HttpResponse:
    user, place = signed_in(request.user), here(request)
    return JsonResponse(keys.ask_to_make(user, place, keys.browser_of(request)))


@require_POST
@never_cache
@tells_problems
def add(request: HttpRequest) -> HttpResponse:
    user, place = signed_in(request.user), here(request)
    made = body_of(request, Adding).credential
    name = device_name(request.headers.get("User-Agent", ""))
    keys.keep(user, place, keys.browser_of(request), made, name=name)
    messages.success(request, _("Done. Next time you can sign in without a code or password."))
    return JsonResponse({}, status=201)


@require_POST
@page
def rename(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    try:
        found = keys.rename(signed_in(request.user), passkey_id, request.POST.get("name", ""))
    except InvalidInput as error:
        messages.error(request, error.message)
        return redirect("my_passkeys")
    return _changed(request, found, _("Saved."))


@require_POST
@page
def remove(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    found = keys.remove(signed_in(request.user), passkey_id)
    return _changed(request, found, _("Removed. It opens nothing any more."))


def _changed(request: HttpRequest, found: bool, message: str) -> HttpResponse:
    if not found:
        raise NotFound(_("There is nothing here, or it is not yours."))
    messages.success(request, message)
    return redirect("my_passkeys")


def _address_by_name(request: HttpRequest) -> str:
    """This page under a name, where one is known: an address can have no passkeys."""
    if not settings.LAN:
        return ""
    names = [name for name in own_names().dns if name.endswith(".local")]
    return f"https://{names[0]}:{settings.HTTPS_PORT}{request.path}" if names else ""
