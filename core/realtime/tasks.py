"""Tasks that go on until somebody ends them."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_AFTER_S = 1.0


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel these and return when they have ended; `None` is a task that never began.

    Once may not do: where redis-py, or `asyncio.timeout`, waits with a limit that ends at that very
    moment, the cancellation is lost, and the task would be waited for for ever.
    """
    working = {task for task in tasks if task is not None}
    while working:
        for task in working:
            task.cancel()
        _ended, working = await asyncio.wait(working, timeout=AGAIN_AFTER_S)
