"""Media files that are in the bucket: by a signed address there, or through this process.

Playlists always pass through: what they name is relative to their own address, and what is hidden
or removed must be so at once. The rest goes past us where browsers can reach the bucket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

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
from media_pipeline.storage import NoSuchFile, StorageDown
from media_pipeline.storage_keys import content_type

if TYPE_CHECKING:
    from media_pipeline.storage_s3 import S3Storage

log = logging.getLogger(__name__)
T = TypeVar("T")

BLOCK = 256 * 1024
SIGNED_S, KEPT_S = 900, 600
"""How long an address of the bucket opens a file, and how long a browser uses it again."""
AGAIN_S = 2
# Not those that read the disk: a bucket that does not answer must not stop what is live.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="s3-read")


async def give_remote(
    remote: S3Storage, key: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request for what is not on the disk; raises `Refused`."""
    saved = saved_as(scope.get("query_string", b""))
    if remote.bucket.public_url and not key.endswith(".m3u8"):
        url = await _in_thread(_signed, remote, key, saved.get("content-disposition", ""))
        raise Refused(307, location=url, **{"cache-control": f"private, max-age={KEPT_S}"})
    answer = await _in_thread(_opened, remote, key, _wanted(headers_of(scope)))
    about = {**_about(key, answer), **saved}
    await start(send, 206 if "content-range" in about else 200, about)
    try:
        if scope["method"] != "HEAD":
            await _pass_on(remote, answer, receive, send)
        await send({"type": "http.response.body", "body": b""})
    finally:
        await _in_thread(answer["Body"].close)


def _signed(remote: S3Storage, key: str, saved: str) -> str:
    return remote.url(key, expires_s=SIGNED_S, saved_as=saved)


def _wanted(asked: dict[str, str]) -> dict[str, str]:
    """What of a request S3 can answer itself. A part of another version is no use (`If-Range`)."""
    wanted = {}
    if "range" in asked and "if-range" not in asked:
        wanted["Range"] = asked["range"]
    if "if-none-match" in asked:
        wanted["IfNoneMatch"] = asked["if-none-match"]
    return wanted


def _opened(remote: S3Storage, key: str, wanted: dict[str, str]) -> Any:
    try:
        return remote.open(key, **wanted)
    except NoSuchFile as error:
        raise Refused(404) from error
    except StorageDown as error:
        status = error.status if error.status in {304, 416} else 503
        raise Refused(status, **({"retry-after": str(AGAIN_S)} if status == 503 else {})) from error


def _about(key: str, answer: Any) -> dict[str, str]:
    about = {
        "accept-ranges": "bytes",
        "cache-control": cache_control(key),
        "content-length": str(answer["ContentLength"]),
        "content-type": content_type(key),
        "etag": answer["ETag"],
    }
    if "ContentRange" in answer:
        about["content-range"] = answer["ContentRange"]
    return about


async def _pass_on(remote: S3Storage, answer: Any, receive: Receive, send: Send) -> None:
    """Block by block, until done or the client is gone. What is cut short the client notices: its
    length was said."""
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        while not gone.done() and (block := await _in_thread(remote.block, answer, BLOCK)):
            await send({"type": "http.response.body", "body": block, "more_body": True})
    except StorageDown:
        log.warning("a file was cut short", exc_info=True)
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _in_thread(work: Callable[..., T], *args: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)
