"""A way back in: operators make and show it, and who forgot the password chooses a new one."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.backend import find_person
from core.accounts.models import User, WayBack
from core.callers import network_of
from core.errors import AppError, InvalidInput, NotFound, TooMany
from core.ids import parse_id
from core.pages import page
from livecommerce.people import for_phones, ways_back
from livecommerce.people.operator_views import shown
from livecommerce.people.ways_back import WayBackVoid
from streams.access import require_operator


@require_POST
@page
def make(request: HttpRequest) -> HttpResponseBase:
    operator = require_operator(request.user)
    try:
        made = ways_back.make(operator, _person(request))
    except (InvalidInput, TooMany) as error:
        error.field = "person"
        return shown(request, error)
    return redirect("operator_way_back", made.public_id)


@require_GET
@never_cache
@page
def made(request: HttpRequest, way_id: UUID) -> HttpResponse:
    """The code and the address, for the one person to scan."""
    require_operator(request.user)
    way = WayBack.objects.filter(public_id=way_id).select_related("user").first()
    if way is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    path = reverse("way_back", args=[ways_back.token_of(way)])
    address = for_phones.address(request, path)
    context = {
        "way": way,
        "address": address,
        "qr": for_phones.code(address),
        **for_phones.reach(request),
    }
    return render(request, "people/way_back_made.html", context)


@require_POST
@page
def revoke(request: HttpRequest, way_id: UUID) -> HttpResponse:
    require_operator(request.user)
    if ways_back.revoke(way_id):
        messages.success(request, _("Revoked. It opens nothing any more."))
    else:
        messages.error(request, _("It had been used or revoked before."))
    return redirect("operator_people")


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password")
def way_back(request: HttpRequest, token: str) -> HttpResponseBase:
    """The person's page: a new password, and they are in; every other session of theirs ends."""
    try:
        way = ways_back.open_way(token, address=network_of(request))
        if request.method != "POST":
            return _asked(request, way)
        return _used(request, way)
    except (WayBackVoid, TooMany) as error:
        return render(request, "people/way_back_void.html", {"problem": error}, status=error.status)


def _used(request: HttpRequest, way: WayBack) -> HttpResponseBase:
    try:
        user = ways_back.use(way, request.POST.get("password", ""))
    except InvalidInput as error:
        return _asked(request, way, error)
    answer: HttpResponseBase = perform_login(request, user)
    return answer


def _asked(request: HttpRequest, way: WayBack, problem: AppError | None = None) -> HttpResponse:
    context = {"person": way.user, "problem": problem}
    status = problem.status if problem else 200
    return render(request, "people/way_back.html", context, status=status)


def _person(request: HttpRequest) -> User:
    """By id, from a list of people, or by what they sign in with, as it was typed."""
    known = parse_id(request.POST.get("person_id", ""))
    typed = request.POST.get("person", "").strip()
    found = User.objects.filter(public_id=known).first() if known else find_person(typed)
    if found is None:
        raise InvalidInput(_("There is nobody of this name or number."), field="person")
    return found
