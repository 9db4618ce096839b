"""What every page knows."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import pgettext_lazy

from core.accounts.access import AnyUser, has_role, is_signed_in
from core.accounts.models import Role
from sellers.models import Member


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody as whom one click signs in, in the demo."""

    name: str
    shown_name: str
    role: object


DEMO_PEOPLE = (
    DemoPerson("zhang", "Zhang", pgettext_lazy("demo person", "host")),
    DemoPerson("li", "Li", pgettext_lazy("demo person", "viewer")),
    DemoPerson("wang", "Wang", pgettext_lazy("demo person", "trainee")),
    DemoPerson("chen", "Chen", pgettext_lazy("demo person", "mentor")),
    DemoPerson("zhao", "Zhao", pgettext_lazy("demo person", "operator")),
)


def site(request: HttpRequest) -> dict[str, object]:
    """`demo_people` is empty unless this is the demo, seen from the machine it runs on."""
    return {
        "demo": settings.DEMO,
        "demo_people": DEMO_PEOPLE if settings.DEMO and is_local(request) else (),
        # Lazy: a page that shows no navigation asks the database nothing.
        "sells": SimpleLazyObject(lambda: sells(request.user)),
        "area": area(request.path),
    }


def is_local(request: HttpRequest) -> bool:
    """Whether the visitor sits at this machine: a loopback address, and no proxy in between."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def sells(user: AnyUser) -> bool:
    """Whether the studio has something for this person."""
    if not is_signed_in(user):
        return False
    return Member.objects.filter(user=user).exists() or has_role(user, Role.OPERATOR)


def area(path: str) -> str:
    """The part of the site that the navigation marks as the current one."""
    first = path.strip("/").partition("/")[0]
    return {"": "on", "shows": "on"}.get(first, first)
