"""What only the log of a single process does: it stores before it shows, and loads once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.db import DatabaseError, connection

from core.clock import now
from core.realtime import log_store
from core.realtime.db import run_in_db
from core.realtime.local_log import LocalLog, head_of
from core.realtime.log import Position
from core.realtime.models import LogEntry, Topic
from core.realtime.newest import Head
from tests.logs import said
from tests.realtime import until

TOPIC = "show:apples"


@pytest_asyncio.fixture
async def local(transactional_db: None) -> AsyncIterator[LocalLog]:
    log = LocalLog()
    log.start()
    yield log
    await log.stop()


async def test_an_entry_is_stored_before_a_follower_sees_it(local: LocalLog) -> None:
    shown: list[int] = []
    local.follow(lambda topic, epoch, entries: shown.append(len(entries)))
    order: list[str] = []
    real_show = local._show

    def show(written: log_store.Written) -> None:
        order.append(f"shown, in transaction: {connection.in_atomic_block}")
        order.append(f"rows: {LogEntry.objects.count()}")
        real_show(written)

    local._show = show  # type: ignore[method-assign]
    await local.append(TOPIC, [said("a")])
    await until(lambda: shown == [1])
    assert order == ["shown, in transaction: False", "rows: 1"]


async def test_a_swept_history_is_not_passed_off_as_complete(local: LocalLog) -> None:
    await local.append(TOPIC, [said(str(n)) for n in range(5)])
    await run_in_db(LogEntry.objects.filter(seq=2).delete)
    again = LocalLog()
    again.start()
    stretch = await again.read(TOPIC, None, limit=100)
    await again.stop()
    assert not stretch.complete


def occupy(seq: int) -> None:
    """A row where the log wants to write: its commit fails, whatever it tries."""
    epoch = Topic.objects.get(name=TOPIC).epoch
    LogEntry.objects.create(topic=TOPIC, epoch=epoch, seq=seq, at=now(), type="x", data={})


async def test_a_room_that_comes_back_after_a_restart_is_one_load(local: LocalLog) -> None:
    await local.append(TOPIC, [said(str(n)) for n in range(50)])
    await local.append(TOPIC, [said("rude"), said("gone", removes=51)])
    end = await local.tail(TOPIC)
    again = LocalLog()
    again.start()
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    def noting(topic: str) -> Head:
        with connection.execute_wrapper(note):
            return head_of(topic)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.realtime.local_log.head_of", noting)
        stretches = await asyncio.gather(
            *(again.read(TOPIC, Position(end.epoch, n % 50), limit=500) for n in range(2000))
        )
    await again.stop()
    assert all(stretch.complete for stretch in stretches)
    assert stretches[0].entries[50].type == "tombstone"
    assert len(statements) == 2  # the topic, and its newest entries


async def test_a_failed_commit_fails_its_caller_and_nobody_else(local: LocalLog) -> None:
    await local.append(TOPIC, [said("a")])
    await run_in_db(occupy, 2)
    broken, fine = await asyncio.gather(
        local.append(TOPIC, [said("b")]),
        local.append("show:pears", [said("c")]),
        return_exceptions=True,
    )
    assert isinstance(broken, DatabaseError)
    assert not isinstance(fine, BaseException)
    assert fine[0].seq == 1


async def test_after_a_failed_commit_the_database_says_where_the_log_ends(
    local: LocalLog,
) -> None:
    await local.append(TOPIC, [said("a")])
    await run_in_db(lambda: Topic.objects.filter(name=TOPIC).update(last_seq=7))
    with pytest.raises(DatabaseError):
        await local.append(TOPIC, [said("b")])
    [entry] = await local.append(TOPIC, [said("c")])
    assert entry.seq == 8
