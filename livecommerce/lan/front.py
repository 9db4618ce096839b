"""What is answered on the local network, before the product is asked.

The web process has two doors then. By HTTPS it gives everything (in a demo to those who scanned the
code). Without it, this machine itself gets everything too, and everybody else only what leads them
to HTTPS: how to trust the authority, and a redirect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpResponse, HttpResponseForbidden
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from core.callers import PROXIED, is_loopback
from livecommerce.lan import door, pages
from livecommerce.lan.answers import give

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

ENTER = "/lan/enter/"
FORWARDED = {name.lower().encode() for name in PROXIED}
CLOSED = 4403


def on_the_lan(application: Application) -> Application:
    """The application as this instance gives it to its networks."""
    if not settings.LAN:
        return application
    entrance = door.Door(door.secret(settings.DATA_ROOT)) if settings.DEMO else None

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_own(scope):
            await application(scope, receive, send)
        elif not is_encrypted(scope):
            await lead_to_https(application, scope, receive, send)
        elif entrance is None:
            await application(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == ENTER:
            await give(enter(entrance, scope), send)
        elif entrance.lets_in(scope):
            await application({**scope, "lan_guest": True}, receive, send)
        else:
            await refuse(scope, send)

    return answer


def is_encrypted(scope: dict[str, Any]) -> bool:
    return scope.get("scheme") in {"https", "wss"}


def is_own(scope: dict[str, Any]) -> bool:
    """Whether a program on this machine asks by plain HTTP, and not a tunnel for strangers."""
    address = (scope.get("client") or ("",))[0]
    is_direct = not any(name in FORWARDED for name, _ in scope["headers"])
    return is_direct and scope.get("scheme") in {"http", "ws"} and is_loopback(address)


async def lead_to_https(
    application: Application, scope: dict[str, Any], receive: Receive, send: Send
) -> None:
    if scope["type"] == "websocket":
        await close(send)
    elif scope["path"].startswith(settings.STATIC_URL) and scope["method"] in {"GET", "HEAD"}:
        await application(scope, receive, send)  # how the page looks
    else:
        await give(pages.without_https(scope), send)


def enter(entrance: door.Door, scope: dict[str, Any]) -> HttpResponse:
    """Let in who has the secret; from then on their browser is known by a cookie."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    given = query.get("key", [""])[0]
    if not entrance.opens_with(given):
        return closed()
    response = HttpResponse(status=303, headers={"Location": wanted(query)})
    response.set_cookie(
        door.COOKIE,
        entrance.pass_,
        max_age=door.COOKIE_LASTS_S,
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    # The address has the secret: it goes nowhere, and is not kept.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def wanted(query: dict[str, list[str]]) -> str:
    """The page of ours that they came for; the first one for any other address."""
    page = query.get("next", [""])[0]
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return iri_to_uri(page) if is_ours else "/"


async def refuse(scope: dict[str, Any], send: Send) -> None:
    if scope["type"] == "websocket":
        await close(send)
    else:
        await give(closed(), send)


def closed() -> HttpResponse:
    return HttpResponseForbidden(render_to_string("livecommerce/lan_closed.html"))


async def close(send: Send) -> None:
    """Before it was accepted: the browser sees that there is no socket."""
    await send({"type": "websocket.close", "code": CLOSED})
