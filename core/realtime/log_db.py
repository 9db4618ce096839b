"""The log's own threads for the database.

The common pool may be full of handlers that wait for the log: the log must not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from core.realtime.db import with_fresh_connections

P = ParamSpec("P")
T = TypeVar("T")


class LogDatabase:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="log-db")

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` in a thread that may use the ORM."""

        def call() -> T:
            return with_fresh_connections(lambda: fn(*args, **kwargs))

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def stop(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
