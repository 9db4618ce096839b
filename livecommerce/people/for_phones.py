"""Addresses in codes that a phone scans, and whether a phone could open them at all."""

from __future__ import annotations

import segno
from django.conf import settings
from django.http import HttpRequest

from core.callers import is_loopback
from livecommerce.lan import invitation


def address(request: HttpRequest, path: str) -> str:
    """A phone that does not trust our authority yet gets the page that says how, not a red one."""
    if settings.LAN:
        return invitation.address(path, _host(request))
    return request.build_absolute_uri(path)


def code(text: str) -> str:
    """A QR code, as the address of a picture."""
    return segno.make(text, micro=False, error="m").svg_data_uri(border=2)


def reach(request: HttpRequest) -> dict[str, object]:
    """For a page with codes: `only_here`, if they lead nowhere, and where to open it instead."""
    if settings.LAN or not _is_own(_host(request)):
        return {"only_here": False}
    elsewhere = next((name for name in settings.ALLOWED_HOSTS if _is_told(name)), "")
    return {"only_here": True, "elsewhere": elsewhere}


def _host(request: HttpRequest) -> str:
    return request.get_host().rsplit(":", 1)[0].strip("[]")


def _is_own(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


def _is_told(host: str) -> bool:
    """Whether it is a name that phones could know, and no pattern."""
    return not _is_own(host.strip("[]")) and not host.startswith(("*", "."))
