"""Waiting for threads without a thread."""

from __future__ import annotations

import asyncio
import threading

LOOK_EVERY_S = 0.01


async def ended(thread: threading.Thread) -> None:
    """Return once the thread has ended; may be cancelled.

    A `join` in a thread of the pool could not be: the process would wait for it at its end.
    """
    while thread.is_alive():  # noqa: ASYNC110 - a thread sets no asyncio event when it ends
        await asyncio.sleep(LOOK_EVERY_S)
