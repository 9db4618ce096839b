"""Who is at the other end of a websocket."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils.translation import get_language_from_request

from core.accounts.access import AnyUser
from core.accounts.models import User


class Handshake:
    """The request with which a websocket was opened, read as Django reads a page's."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        headers = {name.decode("latin1").lower(): value for name, value in scope["headers"]}
        self._headers = {name: value.decode("latin1") for name, value in headers.items()}
        self.request = HttpRequest()
        self.request.META["HTTP_ACCEPT_LANGUAGE"] = self._headers.get("accept-language", "")
        self.request.COOKIES = parse_cookie(self._headers.get("cookie", ""))

    @property
    def is_browser(self) -> bool:
        """Only browsers send an `Origin`, and no page can keep them from it."""
        return "origin" in self._headers

    def is_same_site(self) -> bool:
        """Whether the page that opened the socket is ours: cookies alone do not tell."""
        origin, host = self._headers.get("origin", ""), self._headers.get("host", "")
        if origin in settings.CSRF_TRUSTED_ORIGINS:
            return True
        domain, _port = split_domain_port(host)
        known = validate_host(domain, settings.ALLOWED_HOSTS)
        try:
            return known and urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:  # as of "http://["
            return False

    def language(self) -> str:
        return get_language_from_request(self.request)

    def user(self) -> AnyUser:
        """The user of the session cookie. Asks the database."""
        key = self.request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        engine = import_module(settings.SESSION_ENGINE)
        self.request.session = engine.SessionStore(key)
        return get_user(self.request)

    def session_key(self) -> str | None:
        """What the session cookie says, whether or not there is such a session."""
        return self.request.COOKIES.get(settings.SESSION_COOKIE_NAME)

    def browser_key(self) -> str | None:
        """The same for all tabs of one browser, where its cookies say so."""
        return self.session_key() or self.request.COOKIES.get(settings.CSRF_COOKIE_NAME)


def user_by_public_id(public_id: UUID) -> AnyUser:
    return User.objects.filter(public_id=public_id, is_active=True).first() or AnonymousUser()
