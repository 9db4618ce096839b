"""Parts of uploads, put to this server by an address that says which part, of how many bytes."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from media_pipeline.serving_answers import Receive, Refused, Scope, headers_of
from media_pipeline.storage import URL_PREFIX, NoSuchFile, storage
from media_pipeline.storage_parts import Ticket, ticket_of

PARTS = f"{URL_PREFIX}/u/"
SILENT_S = 60.0
"""A phone that says nothing for so long has no network; it puts the part again."""
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="media-write")


async def take_part(scope: Scope, receive: Receive) -> None:
    """Write one part to the disk; it counts when all of it is there. Raises `Refused`."""
    if scope["method"] != "PUT":
        raise Refused(405, allow="PUT")
    ticket = ticket_of(scope["path"].removeprefix(PARTS))
    if ticket is None:
        raise Refused(403)
    if headers_of(scope).get("content-length") != str(ticket.size):
        raise Refused(400)
    local = storage().local
    try:
        incoming = local.incoming(ticket)
        try:
            await _receive(receive, ticket, incoming)
            local.arrived(ticket, incoming)
        finally:
            incoming.unlink(missing_ok=True)
    except NoSuchFile as error:
        raise Refused(404) from error


async def _receive(receive: Receive, ticket: Ticket, incoming: Path) -> None:
    loop, left = asyncio.get_running_loop(), ticket.size
    file = await loop.run_in_executor(_threads, _opened, incoming)
    try:
        while left:
            block = await _block(receive)
            left -= len(block)
            if left < 0:
                raise Refused(400)
            await loop.run_in_executor(_threads, file.write, block)
        await loop.run_in_executor(_threads, os.fsync, file.fileno())
    finally:
        file.close()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("xb", buffering=0)
    except FileNotFoundError as error:  # the upload was cancelled meanwhile
        raise NoSuchFile(path.name) from error


async def _block(receive: Receive) -> bytes:
    try:
        message = await asyncio.wait_for(receive(), SILENT_S)
    except TimeoutError as error:
        raise Refused(408) from error
    data: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect" or not (data or message.get("more_body")):
        raise Refused(400)
    return data
