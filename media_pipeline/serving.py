"""Media files over HTTP, beside Django: segments, playlists, posters, downloads.

A plain ASGI application. Files are opened and read in a few threads, in blocks, so that neither a
slow disk nor a slow phone holds the event loop; a waiting request costs no thread. Public keys are
open to everybody; private ones only through a signed address (`media_pipeline.storage`).
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote

from media_pipeline.http_ranges import NotSatisfiable, Version, is_unchanged, wanted_range
from media_pipeline.storage import URL_PREFIX, BadKey, checked, storage, verify

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

T = TypeVar("T")

BLOCK = 256 * 1024
CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="media-read")


class Refused(Exception):
    """An answer without a file."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file, with its version as it was when it was opened."""

    key: str
    handle: int
    version: Version


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request for a path below `/media/`."""
    try:
        if scope["method"] not in {"GET", "HEAD"}:
            raise Refused(405, allow="GET, HEAD")
        async with _opened(key_of(scope["path"])) as file:
            await _answer(file, scope, receive, send)
    except Refused as refused:
        await _start(send, refused.status, {"content-length": "0", **refused.headers})
        await send({"type": "http.response.body", "body": b""})


def key_of(path: str) -> str:
    """The storage key that a request's path may read; raises `Refused`."""
    kind, _, rest = path.removeprefix(URL_PREFIX + "/").partition("/")
    try:
        if kind == "s":
            token, _, key = rest.partition("/")
            return _verified(token, key)
        key = checked(f"{kind}/{rest}")
    except BadKey as error:
        raise Refused(404) from error
    if not key.startswith("public/"):
        raise Refused(403)
    return key


def _verified(token: str, key: str) -> str:
    if not checked(key).startswith("private/"):
        raise Refused(404)
    if not verify(token, key):
        raise Refused(403)
    return key


@asynccontextmanager
async def _opened(key: str) -> AsyncIterator[OpenFile]:
    file = await _in_thread(_open, key)
    try:
        yield file
    finally:
        await _in_thread(os.close, file.handle)


def _open(key: str) -> OpenFile:
    root = storage().root.resolve()
    path: Path = storage().path(key)
    try:
        real = path.resolve(strict=True)
        # A link inside the storage must not lead out of it, or into what is private.
        if real != root / key:
            raise Refused(404)
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(404) from error
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise Refused(404)
    return OpenFile(key, handle, Version(about.st_size, about.st_mtime_ns))


async def _answer(
    file: OpenFile, scope: MutableMapping[str, Any], receive: Receive, send: Send
) -> None:
    asked = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    if is_unchanged(asked, file.version):
        await _start(send, 304, _about(file))
        await send({"type": "http.response.body", "body": b""})
        return
    first, last, status = _selected(asked, file.version)
    about = {**_about(file), **_saved_as(scope.get("query_string", b""))}
    await _start(send, status, {**about, **_content(file, first, last, status)})
    end = first if scope["method"] == "HEAD" else last + 1
    await _send_bytes(file.handle, first, end, receive, send)


def _saved_as(query: bytes) -> dict[str, str]:
    """`?download=<name>`: a browser saves the file by this name (RFC 6266) and plays nothing."""
    names = parse_qs(query.decode("latin-1")).get("download")
    if not names:
        return {}
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", names[0])
    exact = quote(names[0], safe="")
    return {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"}


def _selected(asked: dict[str, str], version: Version) -> tuple[int, int, int]:
    """First byte, last byte and status."""
    try:
        part = wanted_range(asked, version)
    except NotSatisfiable as error:
        raise Refused(416, **{"content-range": f"bytes */{version.size}"}) from error
    return (*part, 206) if part else (0, version.size - 1, 200)


def _content(file: OpenFile, first: int, last: int, status: int) -> dict[str, str]:
    headers = {
        "content-type": CONTENT_TYPES.get(Path(file.key).suffix, "application/octet-stream"),
        "content-length": str(last - first + 1),
    }
    if status == 206:
        headers["content-range"] = f"bytes {first}-{last}/{file.version.size}"
    return headers


def _about(file: OpenFile) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "etag": file.version.etag,
        "last-modified": file.version.last_modified,
        "cache-control": cache_control(file.key),
    }


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


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    everywhere = {"x-content-type-options": "nosniff"}
    encoded = [
        (name.encode(), value.encode("latin-1"))
        for name, value in {**headers, **everywhere}.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def _send_bytes(handle: int, at: int, end: int, receive: Receive, send: Send) -> None:
    """Send bytes `at` to `end` (exclusive), block by block, until done or the client is gone."""
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        while at < end and not gone.done():
            block = await _in_thread(os.pread, handle, min(BLOCK, end - at), at)
            if not block:
                break  # cut short while it was sent: the missing bytes tell the client
            at += len(block)
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _in_thread(work: Callable[..., T], *args: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)
