"""What every answer with media has: its headers, and how it begins and ends."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Refused(Exception):
    """An answer without a file."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


def headers_of(scope: Scope) -> dict[str, str]:
    """What the client asked, by names in small letters."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def saved_as(query: bytes) -> dict[str, str]:
    """`?download=<name>`: a browser saves the file by this name (RFC 6266) and plays nothing."""
    names = parse_qs(query.decode("latin-1")).get("download")
    if not names:
        return {}
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", names[0])
    exact = quote(names[0], safe="")
    return {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"}


def cache_control(key: str) -> str:
    """Segments never change under their name; playlists grow; pictures may be replaced.

    What many share (nginx, a CDN) asks again every few minutes whether a segment is still there:
    one that was removed, or is not public any more, must not be kept by them for a year.

    A second for playlists, which is a segment's length: by it one viewer's request answers all.
    """
    who, shared = ("public", ", s-maxage=300") if key.startswith("public/") else ("private", "")
    if key.endswith(".m3u8"):
        return f"{who}, max-age=1"
    if key.endswith((".m4s", "/init.mp4")):
        return f"{who}, max-age=31536000{shared}, immutable"
    if key.endswith("/live/poster.jpg"):
        return f"{who}, max-age=2"  # another one every few seconds
    return f"{who}, max-age=300"


async def start(send: Send, status: int, headers: dict[str, str]) -> None:
    everywhere = {"x-content-type-options": "nosniff"}
    encoded = [
        (name.encode(), value.encode("latin-1"))
        for name, value in {**headers, **everywhere}.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
