"""The running side of real time in a web process: log, hub, presence and the outbox's relay.

Started by the server's lifespan (uvicorn) or by `livecommerce serve` (Daphne has no lifespan).
Without `REDIS_URL` one web process holds a data folder alone; with it any number share it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError

from core import outbox
from core.realtime.db import run_in_db, with_fresh_connections
from core.realtime.hub import Hub
from core.realtime.local_log import LocalLog
from core.realtime.log import LogClosed, LogUnavailable
from core.realtime.presence import Presence
from core.realtime.shared import LocalShared, Shared
from core.realtime.threads import ended

if TYPE_CHECKING:
    from core.realtime.redis_log import RedisLog

log = logging.getLogger(__name__)

RELAY_EVERY_S = 0.25
# Facts in one round, and the pause after it in which the next ones gather.
MANY, GATHER_S = 10, 0.05
# Of the time in which a process has to end, whatever the database does.
RELAY_STOPS_WITHIN_S = 1.0
LOG_STOPS_WITHIN_S = 1.5
STEP_STOPS_WITHIN_S = 0.5


class NotRunning(RuntimeError):
    """Real time has not been started in this process."""


# What every fact needs is not there, yet or any more: no fault of the fact's.
AWAY = (LogUnavailable, LogClosed, NotRunning)


class AlreadyRunning(RuntimeError):
    """Another web process keeps the log of this data folder."""


def _over_redis(url: str) -> tuple[RedisLog, Shared]:
    from core.realtime.redis_log import RedisLog  # a process that is alone needs no Redis client
    from core.realtime.redis_shared import RedisShared

    return RedisLog(url), RedisShared(url)


class Runtime:
    """What a web process runs beside its requests. `alone` says that no other shares its data."""

    def __init__(self, data: Path, redis_url: str = "") -> None:
        self.alone = not redis_url
        self.log: RedisLog | LocalLog
        self.shared: Shared
        both = _over_redis(redis_url) if redis_url else (LocalLog(), LocalShared())
        self.log, self.shared = both
        self.hub = Hub(self.log, lines_per_s=settings.CHAT_LINES_PER_S)
        self.presence = Presence(self.hub, self.shared)
        self._data = data
        self._lock: IO[str] | None = None
        self._stopping = threading.Event()
        self._all_ended = True
        # Daemons: one that waits for the database must not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._relay_until_stopped, name="outbox-relay", daemon=True),
            threading.Thread(target=self._renew_until_stopped, name="outbox-claims", daemon=True),
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
        """Finish the fact in hand, close the sockets, store what waits.

        Each step has its share of the time, and the later ones are taken however the earlier ones
        end. What could not be stored was not acknowledged either.
        """
        self._stopping.set()
        outbox.wake()
        async with AsyncExitStack() as steps:  # which takes the last one first
            steps.callback(self._let_go)
            self._then(steps, "what is shared", self.shared.stop, STEP_STOPS_WITHIN_S)
            self._then(steps, "who came meanwhile", self.hub.stop, STEP_STOPS_WITHIN_S)
            self._then(steps, "the log", self.log.stop, LOG_STOPS_WITHIN_S)
            self._then(steps, "the rooms", self.hub.stop, STEP_STOPS_WITHIN_S)
            self._then(steps, "presence", self.presence.stop, STEP_STOPS_WITHIN_S)
            self._then(steps, "the relay", self._relay_ended, RELAY_STOPS_WITHIN_S)

    def _then(
        self, steps: AsyncExitStack, what: str, stop: Callable[[], Awaitable[None]], within_s: float
    ) -> None:
        async def take() -> None:
            try:
                async with asyncio.timeout(within_s):
                    await stop()
            except TimeoutError:
                self._all_ended = False
                log.error("%s did not stop within %g s", what, within_s)

        steps.push_async_callback(take)

    async def _relay_ended(self) -> None:
        for thread in self._threads:
            await ended(thread)

    def _let_go(self) -> None:
        """Let another process take the data folder, unless this one may still write to it."""
        if self._lock is not None and self._all_ended:
            self._lock.close()

    def _relay_until_stopped(self) -> None:
        deliver = partial(outbox.deliver_waiting, later=AWAY)
        while not self._stopping.is_set():
            handled = 0
            try:
                handled = with_fresh_connections(deliver)
            except Exception:  # outermost loop of the thread: the database may be away for a while
                log.exception("the relay could not read the outbox")
            if handled < MANY:
                outbox.wait_for_facts(RELAY_EVERY_S)
            else:  # while much happens, more of it is told at once, and less often
                self._stopping.wait(GATHER_S)

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
    """Stop what `start` started; until then it is still there for the fact in hand."""
    global _current
    try:
        if _current is not None:
            await _current.stop()
    finally:
        _current = None


def current() -> Runtime:
    """What runs in this process; raises `NotRunning`."""
    if _current is None:
        raise NotRunning("real time is not running in this process")
    return _current
