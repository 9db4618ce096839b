"""A camera's trial before the show: how fast the way to here is, and what time it is here."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from core.clock import now

MAX_BYTES = 500_000
"""Enough to tell a good uplink from a bad one; less than three seconds of a show."""
WITHIN_S = 12.0


class Line(Protocol):
    """What of the ingest socket is used here."""

    async def receive(self) -> str | bytes: ...

    async def tell(self, **frame: dict[str, object]) -> None: ...

    async def close(self, code: int = 1000) -> None: ...


async def measure(line: Line) -> None:
    """Count what comes, until it is enough, takes too long, or the camera has seen enough."""
    began = time.monotonic()
    await line.tell(probe={"server_ms": now().timestamp() * 1000, "max_bytes": MAX_BYTES})
    try:
        async with asyncio.timeout(WITHIN_S):
            await _count(line, began)
    except TimeoutError:
        pass
    await line.close()


async def _count(line: Line, began: float) -> None:
    counted = 0
    while counted < MAX_BYTES:
        block = await line.receive()
        if isinstance(block, str):
            return
        counted += len(block)
        await line.tell(got={"bytes": counted, "after_ms": (time.monotonic() - began) * 1000})
