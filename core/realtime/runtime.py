"""The running side of real time in a web process: log, hub, presence and the outbox's relay.

Started by the server's lifespan (uvicorn) or by `livecommerce serve` (Daphne has no lifespan).
Without `REDIS_URL` one web process holds a data folder alone; with it any number share it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import DatabaseError

from core import outbox
from core.realtime.db import run_in_db, with_fresh_connections
from core.realtime.hub import Hub
from core.realtime.local_log import LocalLog
from core.realtime.log import LogUnavailable
from core.realtime.presence import Presence
from core.realtime.redis_log import RedisLog
from core.realtime.shared import LocalShared, RedisShared, Shared

log = logging.getLogger(__name__)

RELAY_EVERY_S = 0.25


class NotRunning(RuntimeError):
    """Real time has not been started in this process."""


class AlreadyRunning(RuntimeError):
    """Another web process keeps the log of this data folder."""


class Runtime:
    """What a web process runs beside its requests. `alone` says that no other shares its data."""

    def __init__(self, data: Path, redis_url: str = "") -> None:
        self.alone = not redis_url
        self.log = RedisLog(redis_url) if redis_url else LocalLog()
        self.shared: Shared = RedisShared(redis_url) if redis_url else LocalShared()
        self.hub = Hub(self.log, lines_per_s=settings.CHAT_LINES_PER_S)
        self.presence = Presence(self.hub, self.shared)
        self._data = data
        self._lock: IO[str] | None = None
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._relay_until_stopped, name="outbox-relay"),
            threading.Thread(target=self._renew_until_stopped, name="outbox-claims"),
        ]

    async def start(self) -> None:
        self._lock = hold(self._data / "web.lock", alone=self.alone)
        if self.alone:
            await run_in_db(outbox.release_claims)
        self.log.start()
        self.hub.start()
        self.presence.start()
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Close the sockets, finish the fact in hand, store what waits."""
        await self.presence.stop()
        await self.hub.stop()
        self._stopping.set()
        outbox.wake()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        await self.log.stop()
        await self.shared.stop()
        if self._lock is not None:
            self._lock.close()

    def _relay_until_stopped(self) -> None:
        deliver = partial(outbox.deliver_waiting, later=(LogUnavailable,))
        while not self._stopping.is_set():
            try:
                with_fresh_connections(deliver)
            except Exception:  # outermost loop of the thread: the database may be away for a while
                log.exception("the relay could not read the outbox")
            outbox.wait_for_facts(RELAY_EVERY_S)

    def _renew_until_stopped(self) -> None:
        while not self._stopping.wait(outbox.RENEW_EVERY_S):
            try:
                with_fresh_connections(outbox.renew_claims)
            except DatabaseError:
                log.exception("the relay could not keep what it has in hand")


def hold(path: Path, *, alone: bool) -> IO[str]:
    """Hold the file until it is closed or the process ends; raises `AlreadyRunning`.

    Those who are not alone share it, with each other and nobody else: a process whose log is in
    its own memory must not run beside others, whoever of them starts first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("a")
    try:
        fcntl.flock(held, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise AlreadyRunning(
            f"another web process uses {path.parent}: stop it, or name another LIVECOMMERCE_DATA"
            if alone
            else f"a web process without REDIS_URL uses {path.parent}: stop it, and start it again"
            " with the REDIS_URL that all of them share"
        ) from error
    return held


def hold_alone(path: Path) -> IO[str]:
    """Hold the file as the one process; raises `AlreadyRunning`."""
    return hold(path, alone=True)


_current: Runtime | None = None


async def start() -> Runtime:
    """Start real time in this process; raises `AlreadyRunning`."""
    global _current
    runtime = Runtime(settings.DATA_ROOT, settings.REDIS_URL)
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
