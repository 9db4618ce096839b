"""The running side of real time in a web process: log, hub and the outbox's relay.

Started by the server's lifespan (uvicorn) or by `livecommerce serve` (Daphne has no lifespan).
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
from pathlib import Path
from typing import IO

from django.conf import settings

from core import outbox
from core.realtime.db import run_in_db, with_fresh_connections
from core.realtime.hub import Hub
from core.realtime.local_log import LocalLog

log = logging.getLogger(__name__)

RELAY_EVERY_S = 0.25


class NotRunning(RuntimeError):
    """Real time has not been started in this process."""


class AlreadyRunning(RuntimeError):
    """Another web process keeps the log of this data folder."""


class Runtime:
    """What a web process runs beside its requests."""

    def __init__(self, data: Path) -> None:
        self.log = LocalLog()
        self.hub = Hub(self.log)
        self._data = data
        self._only_one: IO[str] | None = None
        self._stopping = threading.Event()
        self._relay = threading.Thread(target=self._relay_until_stopped, name="outbox-relay")

    async def start(self) -> None:
        self._only_one = hold_alone(self._data / "web.lock")
        await run_in_db(outbox.release_claims)
        self.log.start()
        self.hub.start()
        self._relay.start()

    async def stop(self) -> None:
        """Close the sockets, finish the fact in hand, store what waits."""
        await self.hub.stop()
        self._stopping.set()
        outbox.wake()
        await asyncio.to_thread(self._relay.join)
        await self.log.stop()
        if self._only_one is not None:
            self._only_one.close()

    def _relay_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                with_fresh_connections(outbox.deliver_waiting)
            except Exception:  # outermost loop of the thread: the database may be away for a while
                log.exception("the relay could not read the outbox")
            outbox.wait_for_facts(RELAY_EVERY_S)


def hold_alone(path: Path) -> IO[str]:
    """Hold the file until it is closed or the process ends; raises `AlreadyRunning`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise AlreadyRunning(
            f"another web process uses {path.parent}: stop it, or name another LIVECOMMERCE_DATA"
        ) from error
    return held


_current: Runtime | None = None


async def start() -> Runtime:
    """Start real time in this process; raises `AlreadyRunning`."""
    global _current
    runtime = Runtime(settings.DATA_ROOT)
    await runtime.start()
    _current = runtime
    return runtime


async def stop() -> None:
    """Stop what `start` started."""
    global _current
    if _current is not None:
        runtime, _current = _current, None
        await runtime.stop()


def current() -> Runtime:
    """What runs in this process; raises `NotRunning`."""
    if _current is None:
        raise NotRunning("real time is not running in this process")
    return _current
