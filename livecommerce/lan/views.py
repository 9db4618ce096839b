"""The page with the code to scan, for the screen of the machine itself."""

from __future__ import annotations

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core.accounts.access import has_role
from core.accounts.models import Role
from core.callers import is_this_machine
from livecommerce.lan import invitation
from livecommerce.lan.pages import kept


def lan(request: HttpRequest) -> HttpResponse:
    """For who may pass the code on: this machine, a demo's guests, and operators."""
    if not settings.LAN or not may_see(request):
        raise Http404
    address = invitation.address()
    code = segno.make(address, error="m").svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
    context = {"code": code, "address": address, "fingerprint": kept().fingerprint}
    response = render(request, "livecommerce/lan.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def may_see(request: HttpRequest) -> bool:
    is_guest = getattr(request, "scope", {}).get("lan_guest", False)
    return is_guest or is_this_machine(request) or has_role(request.user, Role.OPERATOR)
