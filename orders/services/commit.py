"""Group commit: orders that wait together are committed together, by one thread per process.

While one group is being committed the next one gathers. After a crowd the next crowd is waited for,
for a moment; an order that comes alone is committed at once. Each is answered after the commit,
never before. With many buyers of one thing the hot row is locked, and the disk waited for, once per
group instead of once per order.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from core.errors import AppError
from core.failpoints import failpoint
from core.realtime.db import give_back_connection, with_fresh_connections
from orders.errors import TryAgain
from orders.models import Order
from orders.services.group import Answer, Asked, place_group

log = logging.getLogger(__name__)

MOST_IN_GROUP = 200
MOST_WAITING = 4000
"""Orders: what is more than a few seconds' work is told to come again."""
ANSWERED_WITHIN_S = 30.0
STOPS_WITHIN_S = 2.0
GATHERS_WITHIN_S = 0.02
NOBODY_COMES_S = 0.002
"""After so long without a newcomer a crowd is not waited for any more."""
AWAY = (OperationalError, InterfaceError)

Waiter = Future[Order] | asyncio.Future[Order]
"""Who is told: a thread, or a task of an event loop."""
Told = Sequence[tuple[Waiter, Answer | BaseException]]


class Committer:
    """The queue of one process and the thread that empties it."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Asked, Waiter]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._wakes_at = 1

    def ask(self, asked: Asked) -> Future[Order]:
        """Resolves once the order is committed, or with why it is not. Raises `TryAgain`."""
        answer: Future[Order] = Future()
        self._add(asked, answer)
        return answer

    def ask_soon(self, asked: Asked) -> asyncio.Future[Order]:
        """The same for a task of the running event loop."""
        answer: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        self._add(asked, answer)
        return answer

    def _add(self, asked: Asked, answer: Waiter) -> None:
        with self._changed:
            if self._stopped or len(self._waiting) >= MOST_WAITING:
                raise TryAgain
            self._waiting.append((asked, answer))
            if self._thread is None or not self._thread.is_alive():  # not yet, or before a fork
                self._thread = threading.Thread(
                    target=self._commit_until_stopped, name="order-commits", daemon=True
                )
                self._thread.start()
            if len(self._waiting) >= self._wakes_at:
                self._changed.notify()

    def stop(self, within_s: float = STOPS_WITHIN_S) -> None:
        """Commit what waits, while newcomers are told to come again; as is what takes too long.

        Whoever comes after that, before the process has ended, is served as before.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(within_s)
        _tell([(answer, TryAgain()) for _asked, answer in self._take(len(self._waiting))])
        with self._changed:
            self._stopped = False

    def _commit_until_stopped(self) -> None:
        group: list[tuple[Asked, Waiter]] = []
        while group := self._next_group(len(group)):
            with_fresh_connections(partial(_commit, group))

    def _next_group(self, last: int) -> list[tuple[Asked, Waiter]]:
        """What waits now, once anything does; nothing when it is to stop."""
        while True:
            with self._changed:
                while not self._waiting and not self._stopped:
                    self._changed.wait()
                if not self._waiting:
                    return []
                if last > 1:
                    self._gather(last)
            if group := self._take(MOST_IN_GROUP):
                return group

    def _gather(self, as_many: int) -> None:
        """Wait for those who ask again as soon as they are answered, while they keep coming.

        A group alone costs as much as twenty orders in it: without this wait a crowd falls into
        two halves that take turns.
        """
        until = time.monotonic() + GATHERS_WITHIN_S
        self._wakes_at = as_many
        came = 0
        while came < len(self._waiting) < as_many and time.monotonic() < until:
            came = len(self._waiting)
            self._changed.wait(NOBODY_COMES_S)
        self._wakes_at = 1

    def _take(self, most: int) -> list[tuple[Asked, Waiter]]:
        """Up to so many, the longest waiting first, without those that nobody waits for."""
        with self._changed:
            some = [self._waiting.popleft() for _one in range(min(most, len(self._waiting)))]
        return [one for one in some if _is_waited_for(one[1])]


committer = Committer()


def place(asked: Asked) -> Order:
    """The order, committed; in the caller's transaction where there is one. Raises `AppError`."""
    if not is_grouped():
        return place_alone(asked)
    answer = committer.ask(asked)
    give_back_connection()  # the committer needs one of the pool, too
    try:
        return answer.result(ANSWERED_WITHIN_S)
    except TimeoutError:
        raise TryAgain from None
    except AWAY as error:
        log.error("the database is away", exc_info=error)
        raise TryAgain from error


def place_alone(asked: Asked) -> Order:
    """The same in this thread, as a group of one."""
    [answer] = place_group([asked])
    if isinstance(answer, AppError):
        raise answer
    failpoint("orders.before_ack")
    return answer


def is_grouped() -> bool:
    """Whether orders of this thread are committed with others': not in somebody's transaction."""
    return settings.GROUP_COMMIT and not transaction.get_connection().in_atomic_block


def _commit(group: Sequence[tuple[Asked, Waiter]]) -> None:
    """Commit and answer. A fault of one is not its neighbours': then each is tried alone."""
    began = time.monotonic()
    try:
        answers: Sequence[Answer | BaseException] = place_group([asked for asked, _waiter in group])
    except Exception as error:  # the thread's outermost loop: whoever waits has to hear of it
        answers = _one_by_one(group, error)
    failpoint("orders.before_ack")
    _tell([(waiter, answer) for (_asked, waiter), answer in zip(group, answers, strict=True)])
    log.debug("%d orders in %.1f ms", len(group), (time.monotonic() - began) * 1000)


def _is_waited_for(waiter: Waiter) -> bool:
    if isinstance(waiter, Future):
        return waiter.set_running_or_notify_cancel()
    return not waiter.cancelled()


def _tell(told: Told) -> None:
    """Answer: threads at once, and each event loop once for all of its tasks.

    To be woken for each answer costs a loop more than the answer.
    """
    soon: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, Answer | BaseException]]] = {}
    for waiter, answer in told:
        if isinstance(waiter, Future):
            _resolve([(waiter, answer)])
        else:
            soon.setdefault(waiter.get_loop(), []).append((waiter, answer))
    for loop, of_loop in soon.items():
        with suppress(RuntimeError):  # it was closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, of_loop)


def _resolve(told: Told) -> None:
    for waiter, answer in told:
        if waiter.cancelled():
            continue
        if isinstance(answer, BaseException):
            waiter.set_exception(answer)
        else:
            waiter.set_result(answer)


def _one_by_one(
    group: Sequence[tuple[Asked, Waiter]], error: Exception
) -> list[Answer | BaseException]:
    if len(group) == 1:
        return [error]
    log.warning("a group of %d orders failed and is tried one by one", len(group), exc_info=error)
    answers: list[Answer | BaseException] = []
    away: BaseException | None = None
    for asked, _waiter in group:
        answer = away if away is not None else _alone(asked)
        if isinstance(answer, AWAY) and not _is_over_soon(answer):
            away = answer  # nobody waits for as many time limits as there are orders before theirs
        answers.append(answer)
    return answers


def _alone(asked: Asked) -> Answer | BaseException:
    try:
        return place_group([asked])[0]
    except Exception as error:  # as above
        return error


def _is_over_soon(error: BaseException) -> bool:
    """Whether PostgreSQL chose us to end a circle of waits, which says nothing of the next one."""
    return getattr(error.__cause__, "sqlstate", None) in {"40P01", "40001", "55P03"}
