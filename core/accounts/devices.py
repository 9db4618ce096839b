"""Where somebody is signed in, and signing out elsewhere."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core.accounts import changes
from core.accounts.models import Device, User
from core.accounts.proof import living_sessions
from core.clock import now

log = logging.getLogger(__name__)

SEEN_EVERY_S = 300.0
LONGEST_AGENT = 300
NOTED_KNOWN = 10_000
_noted: dict[str, float] = {}
"""When each session was noted by this process. Not in the cache, which may be away."""
# In this order: each of the later ones is also named by those before it.
BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device as its owner sees it."""

    id: UUID
    name: str
    signed_in_at: datetime
    seen_at: datetime
    is_this: bool


class DevicesMiddleware:
    """Notes where people are, with the pages that they open; at most every few minutes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "GET" and not request.path_info.startswith(("/api/", "/jsi18n/")):
            _note(request)
        return response


def _note(request: HttpRequest) -> None:
    key, user_pk = request.session.session_key, request.session.get(SESSION_KEY)
    if key is None or user_pk is None or not request.user.is_authenticated:
        return
    if time.monotonic() - _noted.get(key, -SEEN_EVERY_S) < SEEN_EVERY_S:
        return
    agent = request.headers.get("User-Agent", "").replace("\0", "")[:LONGEST_AGENT]
    seen = {"user_id": int(user_pk), "agent": agent, "seen_at": now()}
    try:
        Device.objects.update_or_create(session_key=key, defaults=seen)
    except DatabaseError:  # the page that they asked for is there
        log.exception("a device could not be noted")
        return
    _noted[key] = time.monotonic()
    if len(_noted) > NOTED_KNOWN:
        del _noted[next(iter(_noted))]


def devices_of(user: User, session_key: str | None) -> list[DeviceView]:
    """Where the user is signed in now, this device first, then the last seen."""
    rows = list(user.devices.order_by("-seen_at", "-pk"))
    alive = living_sessions({row.session_key for row in rows})
    views = [_view(row, session_key) for row in rows if row.session_key in alive]
    return sorted(views, key=lambda one: not one.is_this)


def _view(row: Device, session_key: str | None) -> DeviceView:
    is_this = row.session_key == session_key
    name = device_name(row.agent)
    return DeviceView(row.public_id, name, row.signed_in_at, row.seen_at, is_this)


def device_name(agent: str) -> str:
    """What people would call it, e.g. "Chrome on Android"."""
    browser = next((name for mark, name in BROWSERS if re.search(rf"\b{mark}\w*/", agent)), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")


@transaction.atomic
def sign_out_device(user: User, device_id: UUID) -> bool:
    """Whether there was such a device; its session and its sockets end."""
    device = user.devices.filter(public_id=device_id).first()
    if device is None:
        return False
    Session.objects.filter(session_key=device.session_key).delete()
    device.delete()
    changes.note([user.pk])
    return True


@transaction.atomic
def sign_out_everywhere(user: User) -> None:
    """End every session and socket of the user, those that no page has noted, too.

    Who is to stay in here calls `update_session_auth_hash` afterwards.
    """
    keys = user.devices.values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()
    user.devices.all().delete()
    User.objects.filter(pk=user.pk).update(sessions_round=F("sessions_round") + 1)
    user.refresh_from_db(fields=["sessions_round"])
    changes.note([user.pk])


def forget_old() -> None:
    """Devices whose sessions ended by themselves."""
    ended = Device.objects.exclude(session_key__in=Session.objects.values("session_key"))
    ended.delete()
