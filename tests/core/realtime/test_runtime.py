from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from core import outbox
from core.clock import now
from core.models import OutboxFact
from core.outbox import CLAIM_FOR, Fact
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.log import LogClosed, NewEntry
from core.realtime.runtime import AlreadyRunning, NotRunning, Runtime, hold, hold_alone
from tests.realtime import DEADLINE_S, until
from tests.redis_server import redis_server
from tests.world import World


def test_two_web_processes_cannot_keep_one_log(tmp_path: Path) -> None:
    held = hold_alone(tmp_path / "web.lock")
    with pytest.raises(AlreadyRunning, match=str(tmp_path)):
        hold_alone(tmp_path / "web.lock")
    held.close()
    hold_alone(tmp_path / "web.lock").close()


def test_processes_that_share_a_redis_share_the_folder_and_with_nobody_else(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "web.lock"
    first, second = hold(lock, alone=False), hold(lock, alone=False)
    with pytest.raises(AlreadyRunning):
        hold(lock, alone=True)
    first.close()
    with pytest.raises(AlreadyRunning):
        hold(lock, alone=True)
    second.close()
    alone = hold(lock, alone=True)
    with pytest.raises(AlreadyRunning, match="REDIS_URL"):
        hold(lock, alone=False)
    alone.close()


async def test_claims_are_released_by_who_is_alone_and_left_to_others_by_who_is_not(
    transactional_db: None, tmp_path: Path
) -> None:
    """Taking them back would hand out a second time what another process has in hand."""
    in_hand = OutboxFact(
        topic="tests", type="tests.InHand", data={}, at=now(), claimed_until=now() + 100 * CLAIM_FOR
    )
    await run_in_db(in_hand.save)

    async def after_a_start(redis_url: str) -> bool:
        runtime = Runtime(tmp_path, redis_url)
        await runtime.start()
        await runtime.stop()
        await run_in_db(in_hand.refresh_from_db)
        return in_hand.attempts == 0

    with redis_server() as redis:
        assert await after_a_start(redis.url)
    assert not await after_a_start("")


async def test_a_second_start_is_refused_and_leaves_the_first_alone(runtime: Runtime) -> None:
    with pytest.raises(AlreadyRunning):
        await running.start()
    assert running.current() is runtime


def test_what_is_not_started_says_so() -> None:
    with pytest.raises(NotRunning):
        running.current()


async def test_it_can_be_started_again_after_it_stopped(transactional_db: None) -> None:
    for _ in range(2):
        await running.start()
        await running.stop()
    await running.stop()


def test_tickets_are_given_to_who_is_signed_in(world: World, client: Client) -> None:
    assert client.post("/api/v1/realtime/tickets").status_code == 401
    client.force_login(world.li)
    answer = client.post("/api/v1/realtime/tickets")
    assert answer.status_code == 201
    assert tickets.redeem(answer.json()["ticket"]) == world.li.public_id


class Told(Fact, frozen=True):
    name: ClassVar[str] = "tests.Told"

    @property
    def topic(self) -> str:
        return "tests"


class Slow:
    """A handler that takes until it may go on."""

    def __init__(self, do: Callable[[uuid.UUID], None]) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self._do = do

    def __call__(self, fact: Told, fact_id: uuid.UUID) -> None:
        self.begun.set()
        self.goes_on.wait(DEADLINE_S)
        self._do(fact_id)


@contextlib.contextmanager
def handled_by(handler: outbox.Handler, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    wiring = outbox.Wiring()
    wiring.connect({Told: (handler,)})
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "wiring", wiring)
        yield


def tell() -> None:
    with transaction.atomic():
        outbox.publish(Told())


async def test_a_step_that_hangs_keeps_no_later_one_from_being_taken(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(lambda fact_id: None)
    monkeypatch.setattr(running, "RELAY_STOPS_WITHIN_S", 0.05)
    runtime = await running.start()
    with handled_by(slow, monkeypatch):
        await run_in_db(tell)
        await until(slow.begun.is_set)
        await running.stop()
        with pytest.raises(LogClosed):
            await runtime.log.append("tests", [NewEntry(type="t", data={}, at=now())])
        with pytest.raises(AlreadyRunning):  # the hanging one may still write
            hold_alone(Path(settings.DATA_ROOT) / "web.lock")
        assert all(thread.daemon for thread in runtime._threads)
        slow.goes_on.set()
        await until(lambda: not any(thread.is_alive() for thread in runtime._threads))
    runtime._all_ended = True
    runtime._let_go()


async def test_a_cancelled_stop_still_ends_the_log(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(lambda fact_id: None)
    runtime = await running.start()
    with handled_by(slow, monkeypatch):
        await run_in_db(tell)
        await until(slow.begun.is_set)
        stopping = asyncio.create_task(running.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        slow.goes_on.set()
        with pytest.raises(LogClosed):
            await runtime.log.append("tests", [NewEntry(type="t", data={}, at=now())])
        await until(lambda: not any(thread.is_alive() for thread in runtime._threads))
    runtime._let_go()


async def test_the_fact_in_hand_is_told_before_real_time_ends(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(fact_id: uuid.UUID) -> None:
        entry = NewEntry(type="t", data={}, at=now(), fact_id=fact_id)
        running.current().log.append_blocking("tests", [entry])

    slow = Slow(append)
    await running.start()
    with handled_by(slow, monkeypatch):
        await run_in_db(tell)
        await until(slow.begun.is_set)
        stopping = asyncio.create_task(running.stop())
        await asyncio.sleep(0)
        slow.goes_on.set()
        await stopping
    fact = await run_in_db(OutboxFact.objects.get)
    assert fact.sent_at is not None
    with pytest.raises(NotRunning):
        running.current()


@pytest.mark.parametrize("away", [NotRunning, LogClosed])
async def test_a_fact_that_finds_real_time_gone_comes_again_and_is_not_to_blame(
    transactional_db: None, away: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def fail(fact: Told, fact_id: uuid.UUID) -> None:
        tried.set()
        raise away("gone")

    with handled_by(fail, monkeypatch):
        await running.start()
        await run_in_db(tell)
        await until(tried.is_set)
        await running.stop()
    fact = await run_in_db(OutboxFact.objects.get)
    assert away.__name__ in fact.last_error
    assert (fact.attempts, fact.dead_at) == (0, None)
