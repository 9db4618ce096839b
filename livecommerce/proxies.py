"""Who a visitor is behind a proxy: what it says is believed if the settings name it, and else not.

Both servers have such a thing; neither asks where the request came from as we need it. Only
`X-Forwarded-For` and `X-Forwarded-Proto` are read. The host is always that of the Host header,
which the proxy passes on and Django compares with LIVECOMMERCE_HOSTS.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from livecommerce.config import Network

Application = Callable[[Any, Any, Any], Awaitable[None]]

SCHEMES = {
    "http": {"http": "http", "websocket": "ws"},
    "https": {"http": "https", "websocket": "wss"},
}


def behind_proxies(application: Application) -> Application:
    """The application, which is told of visitors as the proxies of the settings see them."""
    trusted: Sequence[Network] = settings.TRUSTED_PROXIES
    if not trusted:
        return application

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        known = scope["type"] != "lifespan" and is_trusted(_peer(scope), trusted)
        await application(as_seen(scope, trusted) if known else scope, receive, send)

    return answer


def as_seen(scope: dict[str, Any], trusted: Sequence[Network]) -> dict[str, Any]:
    """The scope with the visitor's own address and scheme."""
    told = {**scope}
    if visitor := _visitor(_values(scope, b"x-forwarded-for"), trusted):
        told["client"] = (visitor, 0)
    schemes = _values(scope, b"x-forwarded-proto")
    # The last word is that of the proxy which we know; a visitor may have sent others before it.
    if schemes and (named := SCHEMES.get(schemes[-1].lower())):
        told["scheme"] = named[scope["type"]]
    return told


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network for network in trusted)


def _visitor(chain: Sequence[str], trusted: Sequence[Network]) -> str:
    """From the right, the first that is no proxy of ours; what stands before it anybody can write.

    Empty where that is no address.
    """
    for address in reversed(chain):
        if not is_trusted(address, trusted):
            return address if _is_address(address) else ""
    return next(iter(chain), "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _peer(scope: dict[str, Any]) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _values(scope: dict[str, Any], wanted: bytes) -> list[str]:
    """What all headers of that name list, in order."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    return [part.strip() for part in ",".join(found).split(",") if part.strip()]


class SecureCookies:
    """What is set by HTTPS is sent by HTTPS only.

    Settings cannot say so: on a local network one instance is reached both ways.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response
