from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection

from core.clock import now
from core.realtime import log_store
from core.realtime.db import run_in_db
from core.realtime.local_log import REMEMBERED_ENTRIES, LocalLog
from core.realtime.log import Entry, LogClosed, NewEntry, Position
from core.realtime.models import LogEntry, Topic
from core.realtime.runtime import Runtime
from tests.realtime import until

TOPIC = "show:apples"


def said(text: str, **more: Any) -> NewEntry:
    return NewEntry(type="chat.message", data={"text": text}, at=now(), **more)


def texts(entries: Any) -> list[str | None]:
    return [entry.data.get("text") for entry in entries]


async def test_positions_follow_each_other_from_one(runtime: Runtime) -> None:
    first = await runtime.log.append(TOPIC, [said("a"), said("b")])
    second = await runtime.log.append(TOPIC, [said("c")])
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert (await runtime.log.tail(TOPIC)).seq == 3


async def test_an_entry_is_stored_before_a_follower_sees_it(runtime: Runtime) -> None:
    stored: list[int] = []

    def look(topic: str, epoch: str, entries: Any) -> None:
        # On the event loop, where the ORM refuses to work: read the file by another connection.
        stored.append(len(entries))

    runtime.log.follow(look)
    order: list[str] = []
    real_show, real_store = runtime.log._show, log_store.store

    def show(written: log_store.Written) -> None:
        order.append(f"shown, in transaction: {connection.in_atomic_block}")
        order.append(f"rows: {LogEntry.objects.count()}")
        real_show(written)

    runtime.log._show = show  # type: ignore[method-assign]
    await runtime.log.append(TOPIC, [said("a")])
    await until(lambda: stored == [1])
    assert order == ["shown, in transaction: False", "rows: 1"]
    assert log_store.store is real_store


async def test_appends_that_wait_together_are_committed_together(runtime: Runtime) -> None:
    seen: list[int] = []
    runtime.log.follow(lambda topic, epoch, entries: seen.append(len(entries)))
    await asyncio.gather(*(runtime.log.append(TOPIC, [said(str(n))]) for n in range(200)))
    await until(lambda: sum(seen) == 200)
    assert len(seen) < 50


async def test_a_repeated_fact_gets_its_first_place_and_is_shown_once(runtime: Runtime) -> None:
    seen: list[Entry] = []
    runtime.log.follow(lambda topic, epoch, entries: seen.extend(entries))
    fact = uuid.uuid4()
    [[first], [second]] = await asyncio.gather(
        runtime.log.append(TOPIC, [said("sold", fact_id=fact)]),
        runtime.log.append(TOPIC, [said("sold", fact_id=fact)]),
    )
    [third] = await runtime.log.append(TOPIC, [said("sold", fact_id=fact)])
    [last] = await runtime.log.append(TOPIC, [said("next")])
    assert first.seq == second.seq == third.seq == 1
    assert last.seq == 2
    await until(lambda: len(seen) == 2)
    assert texts(seen) == ["sold", "next"]


async def test_one_fact_may_be_told_in_two_rooms(runtime: Runtime) -> None:
    fact = uuid.uuid4()
    await runtime.log.append(TOPIC, [said("fewer", fact_id=fact)])
    await runtime.log.append("show:pears", [said("fewer", fact_id=fact)])
    assert (await runtime.log.tail("show:pears")).seq == 1


async def test_reading_is_all_or_nothing(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said(str(n)) for n in range(10)])
    tail = await runtime.log.tail(TOPIC)
    some = await runtime.log.read(TOPIC, Position(tail.epoch, 6), limit=4)
    too_many = await runtime.log.read(TOPIC, Position(tail.epoch, 5), limit=4)
    assert (some.complete, texts(some.entries)) == (True, ["6", "7", "8", "9"])
    assert (too_many.complete, too_many.entries) == (False, [])


@pytest.mark.parametrize(
    ("epoch", "seq"), [("another", 1), (None, 4), (None, -(10**6))], ids=["epoch", "ahead", "odd"]
)
async def test_an_unknown_position_is_not_recovered(
    runtime: Runtime, epoch: str | None, seq: int
) -> None:
    await runtime.log.append(TOPIC, [said("a"), said("b"), said("c")])
    tail = await runtime.log.tail(TOPIC)
    stretch = await runtime.log.read(TOPIC, Position(epoch or tail.epoch, seq), limit=100)
    assert (stretch.complete, stretch.entries) == (False, [])


async def test_nothing_new_is_a_complete_answer(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said("a")])
    stretch = await runtime.log.read(TOPIC, await runtime.log.tail(TOPIC), limit=10)
    assert (stretch.complete, stretch.entries) == (True, [])


async def test_a_restart_keeps_epoch_and_positions(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said("a"), said("b")])
    before = await runtime.log.tail(TOPIC)
    again = LocalLog()
    again.start()
    [entry] = await again.append(TOPIC, [said("c")])
    stretch = await again.read(TOPIC, Position(before.epoch, 1), limit=10)
    await again.stop()
    assert entry.seq == 3
    assert (stretch.complete, texts(stretch.entries)) == (True, ["b", "c"])


async def test_what_memory_forgot_is_read_from_the_database(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said(str(n)) for n in range(REMEMBERED_ENTRIES + 5)])
    tail = await runtime.log.tail(TOPIC)
    stretch = await runtime.log.read(TOPIC, Position(tail.epoch, 1), limit=10_000)
    assert stretch.complete
    assert [entry.seq for entry in stretch.entries] == list(range(2, REMEMBERED_ENTRIES + 6))


async def test_a_swept_history_is_not_passed_off_as_complete(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said(str(n)) for n in range(5)])
    await run_in_db(LogEntry.objects.filter(seq=2).delete)
    again = LocalLog()
    again.start()
    stretch = await again.read(TOPIC, None, limit=100)
    await again.stop()
    assert not stretch.complete


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_removed_entry_leaves_a_tombstone(runtime: Runtime, remembered: bool) -> None:
    await runtime.log.append(TOPIC, [said("a"), said("rude"), said("c")])
    gone = NewEntry(type="chat.removed", data={"seq": 2}, at=now(), removes=2)
    await runtime.log.append(TOPIC, [gone])
    reader = runtime.log if remembered else LocalLog()
    entries = (await reader.read(TOPIC, None, limit=100)).entries
    assert [entry.type for entry in entries] == [
        "chat.message",
        "tombstone",
        "chat.message",
        "chat.removed",
    ]
    assert "rude" not in repr(entries)


def occupy(seq: int) -> None:
    """A row where the log wants to write: its commit fails, whatever it tries."""
    epoch = Topic.objects.get(name=TOPIC).epoch
    LogEntry.objects.create(topic=TOPIC, epoch=epoch, seq=seq, at=now(), type="x", data={})


async def test_a_failed_commit_fails_its_caller_and_nobody_else(runtime: Runtime) -> None:
    await runtime.log.append(TOPIC, [said("a")])
    await run_in_db(occupy, 2)
    broken, fine = await asyncio.gather(
        runtime.log.append(TOPIC, [said("b")]),
        runtime.log.append("show:pears", [said("c")]),
        return_exceptions=True,
    )
    assert isinstance(broken, DatabaseError)
    assert not isinstance(fine, BaseException)
    assert fine[0].seq == 1


async def test_after_a_failed_commit_the_database_says_where_the_log_ends(
    runtime: Runtime,
) -> None:
    await runtime.log.append(TOPIC, [said("a")])
    await run_in_db(lambda: Topic.objects.filter(name=TOPIC).update(last_seq=7))
    with pytest.raises(DatabaseError):
        await runtime.log.append(TOPIC, [said("b")])
    [entry] = await runtime.log.append(TOPIC, [said("c")])
    assert entry.seq == 8


async def test_what_is_not_json_fails_before_it_is_queued(runtime: Runtime) -> None:
    with pytest.raises(TypeError):
        await runtime.log.append(TOPIC, [NewEntry(type="x", data={"id": uuid.uuid4()}, at=now())])
    [entry] = await runtime.log.append(TOPIC, [said("fine")])
    assert entry.seq == 1


async def test_a_stopped_log_stores_what_waits_and_then_refuses(runtime: Runtime) -> None:
    own = LocalLog()
    own.start()
    waiting = [asyncio.ensure_future(own.append("show:own", [said(str(n))])) for n in range(20)]
    await asyncio.sleep(0)  # let each of them reach the queue
    await own.stop()
    assert sorted(entry.seq for [entry] in await asyncio.gather(*waiting)) == list(range(1, 21))
    with pytest.raises(LogClosed):
        await own.append("show:own", [said("late")])


async def test_threads_append_too(runtime: Runtime) -> None:
    answers = await asyncio.gather(
        *(run_in_db(runtime.log.append_blocking, TOPIC, [said(str(n))]) for n in range(20))
    )
    assert sorted(entry.seq for [entry] in answers) == list(range(1, 21))
