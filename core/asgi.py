"""What stands beside Django on the event loop and answers HTTP itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.http import HttpResponse

Message = MutableMapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


async def respond(send: Send, response: HttpResponse, **more: str) -> None:
    """Send a response that is there as a whole; `more` are headers with `_` for `-`."""
    headers = {**response.headers, "Content-Length": str(len(response.content))}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": encoded})
    await send({"type": "http.response.body", "body": response.content})
