"""Django's responses, given by an application that stands before Django."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.http import HttpResponse


async def give(
    response: HttpResponse, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]
) -> None:
    """Send it and end the connection: a body that came with the request is never read."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    headers += [
        (b"set-cookie", cookie.OutputString().encode()) for cookie in response.cookies.values()
    ]
    headers += [(b"content-length", b"%d" % len(response.content)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
