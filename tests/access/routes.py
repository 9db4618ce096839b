"""Every address of Django's URLs and of the API, and what somebody gets who asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from core.accounts.models import User
from core.api import Token
from livecommerce.api import api
from tests.access.estate import Estate

ADMIN, API = "admin/", "api/v1/"
HOST = "localhost"
WITH_PHOTOS = "/claims"
GETS_IN, ASKED_TO_SIGN_IN, REFUSED = "+", "?", "-"
# An argument that is another thing at another address.
OTHERWISE = {
    ("way_back", "token"): "way_token",
    ("badge_status", "number"): "list_number",
    ("studio_tracking_upload", "upload_id"): "tracking_id",
    ("operator_refund_again", "refund_id"): "refund_number",
    ("studio_rehearsal_ready", "show_id"): "rehearsal_id",
    ("studio_rehearsal_delete", "show_id"): "rehearsal_id",
    ("review", "attempt_id"): "handed_in_id",
    ("review_claim", "attempt_id"): "handed_in_id",
    ("review_give_back", "attempt_id"): "handed_in_id",
    ("reviews/{attempt_id}/film", "attempt_id"): "handed_in_id",
    ("reviews/{attempt_id}/draft", "attempt_id"): "handed_in_id",
    ("reviews/{attempt_id}/send", "attempt_id"): "handed_in_id",
    ("reviews/{attempt_id}/answers", "attempt_id"): "handed_in_id",
    ("practice_of_show", "show_id"): "practice_show_id",
}


def pages() -> Iterator[tuple[str, str]]:
    """Name (or path, of one without) and path of every page; the admin's and the API's apart."""
    yield from _pages(get_resolver().url_patterns, "")


def _pages(patterns: list[Any], before: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver) and path not in {ADMIN, API}:
            yield from _pages(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield one.name or path, path


def admin_pages() -> list[str]:
    """Of those without an argument."""
    found = _pages(_below(ADMIN), ADMIN)
    return sorted(path for _name, path in found if "<" not in path and "(" not in path)


def _below(prefix: str) -> list[Any]:
    found = (one for one in get_resolver().url_patterns if str(one.pattern) == prefix)
    return [
        pattern for one in found if isinstance(one, URLResolver) for pattern in one.url_patterns
    ]


def operations() -> dict[tuple[str, str], str]:
    """Method and path of everything in the API, with the scope that a token needs, if any helps.

    Also of what the API's page does not show.
    """
    found: dict[tuple[str, str], str] = {}
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for one in view.operations:
                scopes = [auth.scope for auth in one.auth_callbacks if isinstance(auth, Token)]
                address = re.sub(r"{\w+:", "{", re.sub("/+", "/", f"{prefix}/{path}")).strip("/")
                found |= {(method, address): "".join(scopes) for method in one.methods}
    return found


def filled(name: str, path: str, estate: Estate) -> str:
    """The address with what there is in the estate."""

    def thing(found: re.Match[str]) -> str:
        return str(estate.ids[OTHERWISE.get((name, found[1]), found[1])])

    return "/" + re.sub(r"[<{](?:\w+:)?(\w+)[>}]", thing, path).lstrip("/")


def session_of(user: User) -> str:
    """The key of a session in which this person is signed in."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def ask(
    method: str,
    address: str,
    session: str = "",
    sent: dict[str, Any] | None = None,
    *,
    csrf: bool = False,
    headers: dict[str, str] | None = None,
) -> HttpResponseBase:
    """The answer; whatever it changed is as before when this returns."""
    client = _client(csrf)
    client.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: session} if session else {})
    is_form = not address.startswith(f"/{API}") or address.endswith(WITH_PHOTOS)
    body = "" if method == "GET" else json.dumps(sent or {})
    with transaction.atomic():
        if method == "POST" and is_form:
            answer = client.post(address, sent or {}, headers=headers)
        else:
            answer = client.generic(method, address, body, "application/json", headers=headers)
        transaction.set_rollback(True)
    return answer


@cache
def _client(csrf: bool) -> Client:
    """One for all: each loads all middleware. Passkeys are for hosts with a name."""
    return Client(enforce_csrf_checks=csrf, raise_request_exception=False, HTTP_HOST=HOST)


def outcome(answer: HttpResponseBase) -> str:
    """Whether they got in: who may is told what is wrong with the input, or the state, instead."""
    assert answer.status_code < 500, answer
    if answer.status_code == 401 or "/login/?next=" in answer.get("Location", ""):
        return ASKED_TO_SIGN_IN
    return REFUSED if answer.status_code in {403, 404} else GETS_IN
