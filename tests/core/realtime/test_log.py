"""What every topic log promises, run against each of them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from django.db import transaction

from core.clock import now
from core.realtime import log_store
from core.realtime.db import run_in_db
from core.realtime.log import Entry, LogClosed, NewEntry, Position
from core.realtime.models import LogEntry
from core.realtime.newest import REMEMBERED_ENTRIES
from tests.logs import AnyLog, Logs, said, texts
from tests.realtime import until, until_in_db

TOPIC = "show:apples"


async def test_positions_follow_each_other_from_one(topic_log: AnyLog) -> None:
    first = await topic_log.append(TOPIC, [said("a"), said("b")])
    second = await topic_log.append(TOPIC, [said("c")])
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert (await topic_log.tail(TOPIC)).seq == 3


async def test_a_follower_hears_a_watched_topic_from_the_place_it_was_told(
    topic_log: AnyLog,
) -> None:
    seen: list[tuple[str, str, int]] = []
    await topic_log.append(TOPIC, [said("before")])
    here = await topic_log.watch(TOPIC)
    topic_log.follow(lambda topic, epoch, entries: seen.extend(heard(topic, epoch, entries)))
    for text in "ab":
        await topic_log.append(TOPIC, [said(text)])
    await until(lambda: len(seen) == 2)
    assert seen == [(TOPIC, here.epoch, 2), (TOPIC, here.epoch, 3)]


def heard(topic: str, epoch: str, entries: Any) -> list[tuple[str, str, int]]:
    return [(topic, epoch, entry.seq) for entry in entries]


async def test_a_topic_that_is_watched_later_is_heard_at_once(topic_log: AnyLog) -> None:
    seen: list[str] = []
    topic_log.follow(lambda topic, epoch, entries: seen.append(topic))
    for name in ("show:one", "show:two", "show:three"):
        await topic_log.watch(name)
        began = asyncio.get_running_loop().time()
        await topic_log.append(name, [said("a")])
        await until(lambda name=name: name in seen)  # type: ignore[misc]
        assert asyncio.get_running_loop().time() - began < 0.5


async def test_everything_that_was_told_becomes_stored(topic_log: AnyLog) -> None:
    await topic_log.append(TOPIC, [said("a"), said("b")])
    tail = await topic_log.tail(TOPIC)
    await topic_log.stored(TOPIC, tail)
    rows = await run_in_db(lambda: list(LogEntry.objects.values_list("seq", "epoch")))
    assert rows == [(1, tail.epoch), (2, tail.epoch)]


async def test_what_nobody_asks_for_is_stored_too(topic_log: AnyLog) -> None:
    await topic_log.append(TOPIC, [said("a"), said("b")])
    await until_in_db(lambda: LogEntry.objects.count() == 2)


async def test_what_a_thread_appends_is_stored_when_it_has_its_place(topic_log: AnyLog) -> None:
    def append_and_look() -> int:
        topic_log.append_blocking(TOPIC, [said("sold", fact_id=uuid.uuid4())])
        return LogEntry.objects.count()

    assert await run_in_db(append_and_look) == 1


async def test_appends_that_wait_together_are_told_together(topic_log: AnyLog) -> None:
    seen: list[int] = []
    topic_log.follow(lambda topic, epoch, entries: seen.append(len(entries)))
    await topic_log.watch(TOPIC)
    await asyncio.gather(*(topic_log.append(TOPIC, [said(str(n))]) for n in range(200)))
    await until(lambda: sum(seen) == 200)
    assert len(seen) < 50


async def test_a_repeated_fact_gets_its_first_place_and_is_shown_once(topic_log: AnyLog) -> None:
    seen: list[Entry] = []
    topic_log.follow(lambda topic, epoch, entries: seen.extend(entries))
    await topic_log.watch(TOPIC)
    fact = uuid.uuid4()
    [[first], [second]] = await asyncio.gather(
        topic_log.append(TOPIC, [said("sold", fact_id=fact)]),
        topic_log.append(TOPIC, [said("sold", fact_id=fact)]),
    )
    [third] = await topic_log.append(TOPIC, [said("sold again", fact_id=fact)])
    [last] = await topic_log.append(TOPIC, [said("next")])
    assert first == second == third
    assert (first.seq, last.seq) == (1, 2)
    await until(lambda: len(seen) == 2)
    assert texts(seen) == ["sold", "next"]


async def test_a_fact_may_be_repeated_among_others(topic_log: AnyLog) -> None:
    fact = uuid.uuid4()
    twice = [said("a"), said("sold", fact_id=fact), said("b"), said("sold", fact_id=fact)]
    assert [entry.seq for entry in await topic_log.append(TOPIC, twice)] == [1, 2, 3, 2]
    [entry] = await topic_log.append(TOPIC, [said("c")])
    assert entry.seq == 4


async def test_a_stored_fact_is_known_by_another_process(logs: Logs) -> None:
    fact = uuid.uuid4()
    one = logs.start()
    await one.append(TOPIC, [said("a"), said("sold", fact_id=fact)])
    await one.stop()
    [entry] = await logs.start().append(TOPIC, [said("sold", fact_id=fact)])
    assert entry.seq == 2


async def test_one_fact_may_be_told_in_two_rooms(topic_log: AnyLog) -> None:
    fact = uuid.uuid4()
    await topic_log.append(TOPIC, [said("fewer", fact_id=fact)])
    await topic_log.append("show:pears", [said("fewer", fact_id=fact)])
    assert (await topic_log.tail("show:pears")).seq == 1


@pytest.mark.parametrize("watched", [True, False])
async def test_reading_is_all_or_nothing(topic_log: AnyLog, watched: bool) -> None:
    if watched:
        await topic_log.watch(TOPIC)
    await topic_log.append(TOPIC, [said(str(n)) for n in range(10)])
    tail = await topic_log.tail(TOPIC)
    some = await topic_log.read(TOPIC, Position(tail.epoch, 6), limit=4)
    too_many = await topic_log.read(TOPIC, Position(tail.epoch, 5), limit=4)
    assert (some.complete, texts(some.entries)) == (True, ["6", "7", "8", "9"])
    assert (too_many.complete, too_many.entries) == (False, [])


@pytest.mark.parametrize(
    ("epoch", "seq"), [("another", 1), (None, 4), (None, -(10**6))], ids=["epoch", "ahead", "odd"]
)
async def test_an_unknown_position_is_not_recovered(
    topic_log: AnyLog, epoch: str | None, seq: int
) -> None:
    await topic_log.append(TOPIC, [said("a"), said("b"), said("c")])
    tail = await topic_log.tail(TOPIC)
    stretch = await topic_log.read(TOPIC, Position(epoch or tail.epoch, seq), limit=100)
    assert (stretch.complete, stretch.entries) == (False, [])


async def test_nothing_new_is_a_complete_answer(topic_log: AnyLog) -> None:
    await topic_log.append(TOPIC, [said("a")])
    stretch = await topic_log.read(TOPIC, await topic_log.tail(TOPIC), limit=10)
    assert (stretch.complete, stretch.entries) == (True, [])


async def test_a_restart_keeps_epoch_and_positions(logs: Logs) -> None:
    first = logs.start()
    await first.append(TOPIC, [said("a"), said("b")])
    before = await first.tail(TOPIC)
    await first.stop()
    again = logs.start()
    [entry] = await again.append(TOPIC, [said("c")])
    stretch = await again.read(TOPIC, Position(before.epoch, 1), limit=10)
    assert entry.seq == 3
    assert (stretch.complete, texts(stretch.entries)) == (True, ["b", "c"])


async def test_what_memory_forgot_is_still_read(topic_log: AnyLog) -> None:
    await topic_log.watch(TOPIC)
    await topic_log.append(TOPIC, [said(str(n)) for n in range(REMEMBERED_ENTRIES + 5)])
    tail = await topic_log.tail(TOPIC)
    stretch = await topic_log.read(TOPIC, Position(tail.epoch, 1), limit=10_000)
    assert stretch.complete
    assert [entry.seq for entry in stretch.entries] == list(range(2, REMEMBERED_ENTRIES + 6))


@pytest.mark.parametrize("watched", [True, False])
async def test_a_removed_entry_leaves_a_tombstone_at_once(topic_log: AnyLog, watched: bool) -> None:
    if watched:
        await topic_log.watch(TOPIC)
    await topic_log.append(TOPIC, [said("a"), said("rude"), said("c")])
    await topic_log.append(TOPIC, [takes_away(2)])
    assert_second_is_gone((await topic_log.read(TOPIC, None, limit=100)).entries)


async def test_a_removed_entry_stays_away_for_a_newcomer_and_in_the_database(logs: Logs) -> None:
    log = logs.start()
    await log.append(TOPIC, [said("a"), said("rude"), said("c")])
    await log.append(TOPIC, [takes_away(2)])
    tail = await log.tail(TOPIC)
    await log.stored(TOPIC, tail)
    start = Position(tail.epoch, 0)
    assert_second_is_gone(await run_in_db(log_store.between, TOPIC, start, tail))
    await log.stop()
    newcomer = logs.start()
    await newcomer.watch(TOPIC)
    assert_second_is_gone((await newcomer.read(TOPIC, None, limit=100)).entries)


async def test_an_entry_that_is_stored_already_can_be_removed(topic_log: AnyLog) -> None:
    await topic_log.append(TOPIC, [said("a"), said("rude"), said("c")])
    await topic_log.stored(TOPIC, await topic_log.tail(TOPIC))
    await topic_log.append(TOPIC, [takes_away(2)])
    await until_in_db(lambda: LogEntry.objects.exclude(removed_at=None).count() == 1)


def takes_away(seq: int, epoch: str | None = None) -> NewEntry:
    data = {"seq": seq}
    return NewEntry(type="chat.removed", data=data, at=now(), removes=seq, removes_epoch=epoch)


def assert_second_is_gone(entries: Any) -> None:
    assert [entry.type for entry in entries] == [
        "chat.message",
        "tombstone",
        "chat.message",
        "chat.removed",
    ]
    assert "rude" not in repr(entries)


async def test_an_entry_of_another_epoch_is_removed_there_and_not_here(
    topic_log: AnyLog,
) -> None:
    def tell_earlier() -> None:
        LogEntry.objects.create(
            topic=TOPIC, epoch="0" * 32, seq=1, at=now(), type="chat.message", data={}
        )

    await run_in_db(tell_earlier)
    await topic_log.append(TOPIC, [said("a")])
    await topic_log.append(TOPIC, [takes_away(1, "0" * 32)])
    stretch = await topic_log.read(TOPIC, None, limit=10)
    assert [entry.type for entry in stretch.entries] == ["chat.message", "chat.removed"]
    removed = LogEntry.objects.exclude(removed_at=None).values_list("epoch", flat=True)
    await until_in_db(lambda: list(removed.all()) == ["0" * 32])


@pytest.mark.parametrize(
    "data",
    [{"id": uuid.uuid4()}, {"n": float("nan")}, {"text": "\ud800"}, {"text": "a\0b"}],
    ids=["an object", "not a number", "half a character", "NUL"],
)
async def test_what_is_not_plain_json_fails_its_caller_and_nobody_else(
    topic_log: AnyLog, data: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        await topic_log.append(TOPIC, [NewEntry(type="x", data=data, at=now())])
    [entry] = await topic_log.append(TOPIC, [said("fine")])
    assert entry.seq == 1


@pytest.mark.parametrize("text", ["\\u0000", "苹果 🍎 \u202e", "a\\", '"', ""])
async def test_what_is_said_is_read_as_it_was_said(topic_log: AnyLog, text: str) -> None:
    entry = said(text, fact_id=uuid.uuid4())
    [placed] = await topic_log.append(TOPIC, [entry])
    [read] = (await topic_log.read(TOPIC, None, limit=1)).entries
    await topic_log.stored(TOPIC, await topic_log.tail(TOPIC))
    row = await run_in_db(LogEntry.objects.get)
    assert placed == read == log_store.entry_of(row) == entry.at_place(1)


async def test_a_stopped_log_stores_what_waits_and_then_refuses(logs: Logs) -> None:
    own = logs.start()
    waiting = [asyncio.ensure_future(own.append("show:own", [said(str(n))])) for n in range(20)]
    await asyncio.sleep(0)  # let each of them reach the queue
    await own.stop()
    assert sorted(entry.seq for [entry] in await asyncio.gather(*waiting)) == list(range(1, 21))
    assert await run_in_db(LogEntry.objects.count) == 20
    with pytest.raises(LogClosed):
        await own.append("show:own", [said("late")])


async def test_threads_append_too_more_of_them_than_the_database_has(topic_log: AnyLog) -> None:
    answers = await asyncio.gather(
        *(run_in_db(topic_log.append_blocking, TOPIC, [said(str(n))]) for n in range(20))
    )
    assert sorted(entry.seq for [entry] in answers) == list(range(1, 21))


async def test_an_epoch_sorts_behind_the_one_before(transactional_db: None) -> None:
    def begin() -> list[str]:
        epochs = [log_store.tail(TOPIC).epoch]
        for beyond in (epochs[0], "f" * 31 + "0"):  # the second as if the clock had been set back
            with transaction.atomic():
                epochs.append(log_store.begin_epoch(TOPIC, epochs[-1], beyond) or "")
        return epochs

    epochs = await run_in_db(begin)
    assert epochs == sorted(epochs)
    assert {len(epoch) for epoch in epochs} == {32}
