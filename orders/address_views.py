"""Where a buyer's orders can go: the addresses that are kept."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from core.pages import page
from orders import selectors
from orders.models import Address
from orders.services.addresses import address_of, forget_address, keep_address
from sellers.regions import REGIONS, address_line

FIELDS = ("name", "phone", "region", "address")


@require_GET
@page
def address_list(request: HttpRequest) -> HttpResponse:
    kept = selectors.addresses_of(signed_in(request.user))
    addresses = [(one, address_line(one.region, one.address)) for one in kept]
    return render(request, "orders/addresses.html", {"addresses": addresses})


@require_http_methods(["GET", "POST"])
@page
def address_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, signed_in(request.user), None)


@require_http_methods(["GET", "POST"])
@page
def address_edit(request: HttpRequest, address_id: UUID) -> HttpResponse:
    user = signed_in(request.user)
    return _edit(request, user, address_of(user, address_id))


@require_POST
@page
def address_delete(request: HttpRequest, address_id: UUID) -> HttpResponse:
    if forget_address(signed_in(request.user), address_id):
        messages.success(request, _("The address was removed."))
    return redirect("addresses")


def _edit(request: HttpRequest, user: User, address: Address | None) -> HttpResponse:
    if request.method != "POST":
        typed = {name: getattr(address, name, "") for name in FIELDS}
        return _form(request, address, typed)
    typed = {name: request.POST.get(name, "") for name in FIELDS}
    try:
        keep_address(user, typed, address)
    except (InvalidInput, Conflict) as error:
        return _form(request, address, typed, error)
    messages.success(request, _("The address was kept."))
    return redirect("addresses")


def _form(
    request: HttpRequest,
    address: Address | None,
    typed: dict[str, str],
    error: InvalidInput | Conflict | None = None,
) -> HttpResponse:
    context = {"address": address, "typed": typed, "error": error, "regions": REGIONS}
    return render(request, "orders/address.html", context, status=error.status if error else 200)
