"""Media files over HTTP, beside Django: segments, playlists, posters, downloads; parts of uploads.

A plain ASGI application. Files are opened and read in a few threads, in blocks, so that neither a
slow disk nor a slow phone holds the event loop; a waiting request costs no thread. Public keys are
open to everybody; private ones only through a signed address (`media_pipeline.storage`). What is
not on the disk is in the bucket, if there is one (`media_pipeline.serving_remote`).
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from media_pipeline.http_ranges import NotSatisfiable, Version, is_unchanged, wanted_range
from media_pipeline.serving_answers import (
    Receive,
    Refused,
    Scope,
    Send,
    cache_control,
    disconnected,
    headers_of,
    saved_as,
    start,
)
from media_pipeline.serving_parts import PARTS, take_part
from media_pipeline.serving_remote import give_remote
from media_pipeline.storage import URL_PREFIX, BadKey, checked, storage, verify
from media_pipeline.storage_keys import content_type

T = TypeVar("T")

BLOCK = 256 * 1024
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="media-read")


class NotHere(Exception):
    """Nothing of this name is on the disk."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file, with its version as it was when it was opened."""

    key: str
    handle: int
    version: Version


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for a path below `/media/`."""
    try:
        if scope["path"].startswith(PARTS):
            await take_part(scope, receive)
            raise Refused(200)
        if scope["method"] not in {"GET", "HEAD"}:
            raise Refused(405, allow="GET, HEAD")
        await _give(key_of(scope["path"]), scope, receive, send)
    except Refused as refused:
        await start(send, refused.status, {"content-length": "0", **refused.headers})
        await send({"type": "http.response.body", "body": b""})


async def _give(key: str, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        async with _opened(key) as file:
            await _answer(file, scope, receive, send)
    except NotHere as error:
        remote = storage().remote
        if remote is None:
            raise Refused(404) from error
        await give_remote(remote, key, scope, receive, send)


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
    except FileNotFoundError as error:
        raise NotHere(key) from error
    except OSError as error:
        raise Refused(404) from error
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise Refused(404)
    return OpenFile(key, handle, Version(about.st_size, about.st_mtime_ns))


async def _answer(file: OpenFile, scope: Scope, receive: Receive, send: Send) -> None:
    asked = headers_of(scope)
    if is_unchanged(asked, file.version):
        await start(send, 304, _about(file))
        await send({"type": "http.response.body", "body": b""})
        return
    first, last, status = _selected(asked, file.version)
    about = {**_about(file), **saved_as(scope.get("query_string", b""))}
    await start(send, status, {**about, **_content(file, first, last, status)})
    end = first if scope["method"] == "HEAD" else last + 1
    await _send_bytes(file.handle, first, end, receive, send)


def _selected(asked: dict[str, str], version: Version) -> tuple[int, int, int]:
    """First byte, last byte and status."""
    try:
        part = wanted_range(asked, version)
    except NotSatisfiable as error:
        raise Refused(416, **{"content-range": f"bytes */{version.size}"}) from error
    return (*part, 206) if part else (0, version.size - 1, 200)


def _content(file: OpenFile, first: int, last: int, status: int) -> dict[str, str]:
    headers = {
        "content-type": content_type(file.key),
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


async def _send_bytes(handle: int, at: int, end: int, receive: Receive, send: Send) -> None:
    """Send bytes `at` to `end` (exclusive), block by block, until done or the client is gone."""
    gone = asyncio.ensure_future(disconnected(receive))
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


async def _in_thread(work: Callable[..., T], *args: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)
