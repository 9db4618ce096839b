"""The log on Redis when Redis or the way to it fails: no gap goes unnoticed, no place is reused."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from core.realtime import redis_topics
from core.realtime.db import run_in_db
from core.realtime.log import Entry, LogUnavailable, Position
from core.realtime.models import LogEntry, Topic
from core.realtime.redis_log import RedisLog
from tests.logs import said, texts
from tests.network import wire
from tests.realtime import until, until_in_db
from tests.redis_server import RedisServer, redis_server

TOPIC = "show:apples"
QUIET = "show:quiet"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def process(url: str) -> AsyncIterator[RedisLog]:
    """What one web process has."""
    log = RedisLog(url)
    log.start()
    try:
        yield log
    finally:
        await log.stop()


@pytest_asyncio.fixture
async def one(redis: RedisServer, transactional_db: None) -> AsyncIterator[RedisLog]:
    async with process(redis.url) as log:
        yield log


@pytest_asyncio.fixture
async def other(redis: RedisServer, transactional_db: None) -> AsyncIterator[RedisLog]:
    async with process(redis.url) as log:
        yield log


class Listener:
    """Follows a log and insists that every epoch is told from its beginning, without a hole."""

    def __init__(self, log: RedisLog) -> None:
        self.heard: dict[str, dict[str, list[Entry]]] = {}
        log.follow(self.hear)

    def hear(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        so_far = self.heard.setdefault(topic, {}).setdefault(epoch, [])
        assert list(self.heard[topic])[-1] == epoch, "an epoch came back"
        for entry in entries:
            assert not so_far or entry.seq == so_far[-1].seq + 1
            so_far.append(entry)

    def texts(self, topic: str = TOPIC) -> list[str | None]:
        return [text for entries in self.heard.get(topic, {}).values() for text in texts(entries)]

    def epoch(self, topic: str = TOPIC) -> str | None:
        return list(self.heard.get(topic, {}))[-1] if topic in self.heard else None


async def stored_texts() -> list[str]:
    def read() -> list[str]:
        rows = LogEntry.objects.filter(topic=TOPIC, removed_at=None).order_by("epoch", "seq")
        return [row.data["text"] for row in rows]

    return await run_in_db(read)


async def append_in_the_end(log: RedisLog, text: str) -> Entry:
    """A fact is repeated until it is in the log, as the outbox does."""
    fact = said(text, fact_id=uuid.uuid4())
    for _ in range(20):
        try:
            [entry] = await log.append(TOPIC, [fact])
        except LogUnavailable:
            continue
        return entry
    raise AssertionError("the log did not come back")


# Two processes


async def test_two_processes_hear_the_same_in_the_same_order(
    one: RedisLog, other: RedisLog
) -> None:
    ears = [Listener(one), Listener(other)]
    await asyncio.gather(one.watch(TOPIC), other.watch(TOPIC))
    await asyncio.gather(
        *(log.append(TOPIC, [said(f"{n}")]) for n in range(100) for log in (one, other))
    )
    await until(lambda: all(len(ear.texts()) == 200 for ear in ears))
    assert ears[0].heard == ears[1].heard
    await until_in_db(lambda: LogEntry.objects.count() == 200)
    assert await stored_texts() == ears[0].texts()


async def test_two_processes_begin_a_topic_together(one: RedisLog, other: RedisLog) -> None:
    first, second = await asyncio.gather(one.watch(TOPIC), other.watch(TOPIC))
    assert first == second
    assert await run_in_db(Topic.objects.count) == 1


async def test_a_removal_reaches_the_memory_of_other_processes(
    one: RedisLog, other: RedisLog
) -> None:
    ear = Listener(other)
    await other.watch(TOPIC)
    await one.append(TOPIC, [said("rude")])
    await one.append(TOPIC, [said("gone", removes=1)])
    await until(lambda: len(ear.texts()) == 2)
    stretch = await other.read(TOPIC, None, limit=10)
    assert [entry.type for entry in stretch.entries] == ["tombstone", "chat.message"]


async def test_a_topic_is_stored_by_others_when_its_process_dies(
    one: RedisLog, redis: RedisServer, transactional_db: None
) -> None:
    dead = RedisLog(redis.url)
    dead.start()
    await dead._keeper.stop()  # it dies before it has stored anything
    await dead.append(TOPIC, [said("last words")])
    await dead._reader.stop()
    await until_in_db(lambda: LogEntry.objects.count() == 1)
    await dead.stop()


async def test_a_keeper_that_dies_is_followed_by_another(
    one: RedisLog, other: RedisLog, redis: RedisServer
) -> None:
    await one.append(TOPIC, [said("a")])
    with redis.client() as client:  # whoever has the lease is dead, and holds it a while yet
        client.set(f"lc:{{{TOPIC}}}:keeper", "the dead", px=500)
    await other.append(TOPIC, [said("b")])
    await until_in_db(lambda: LogEntry.objects.count() == 2)


# Redis fails


async def back_after(one: RedisLog, fail: Callable[[], None]) -> tuple[Listener, str]:
    """Say a and b, let Redis fail, say c: the listener, and the epoch before."""
    ear = Listener(one)
    await one.watch(QUIET)
    before = await one.watch(TOPIC)
    await one.append(TOPIC, [said("a"), said("b")])
    await until(lambda: ear.texts() == ["a", "b"])
    fail()
    await append_in_the_end(one, "c")
    await until(lambda: ear.texts() == ["a", "b", "c"])
    return ear, before.epoch


async def test_a_redis_that_came_back_empty_begins_a_new_epoch(
    one: RedisLog, redis: RedisServer
) -> None:
    def fail() -> None:
        redis.kill()
        redis.start_empty()

    ear, before = await back_after(one, fail)
    assert [entry.seq for entry in ear.heard[TOPIC][ear.epoch() or ""]] == [1]
    assert not (await one.read(TOPIC, Position(before, 1), 10)).complete
    await until_in_db(lambda: LogEntry.objects.count() == 3)
    assert await stored_texts() == ["a", "b", "c"]


async def test_a_redis_that_lost_its_last_second_begins_a_new_epoch(
    one: RedisLog, redis: RedisServer
) -> None:
    def fail() -> None:
        redis.kill()
        redis.start()

    await one.append(TOPIC, [said("0")])
    redis.save()
    ear, before = await back_after(one, fail)
    assert ear.epoch() != before
    await until_in_db(lambda: LogEntry.objects.count() == 4)
    assert await stored_texts() == ["0", "a", "b", "c"]


async def test_a_replica_that_was_behind_begins_a_new_epoch(
    redis: RedisServer, transactional_db: None
) -> None:
    with redis_server() as replica:
        async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:

            def fail() -> None:
                redis.kill()
                line.lead_to(replica.address)
                replica.promote()
                line.cut()

            await one.append(TOPIC, [said("0")])
            replica.replica_of(redis)
            replica.pause_replication()
            ear, before = await back_after(one, fail)
            assert ear.epoch() != before
            await until_in_db(lambda: LogEntry.objects.count() == 4)
            assert await stored_texts() == ["0", "a", "b", "c"]


async def test_a_redis_that_was_emptied_while_it_ran_begins_a_new_epoch(
    one: RedisLog, redis: RedisServer
) -> None:
    _, before = await back_after(one, redis.flush)
    assert (await one.tail(TOPIC)).epoch != before


async def test_followers_learn_of_a_lost_history_while_nobody_appends(
    one: RedisLog, other: RedisLog, redis: RedisServer
) -> None:
    ears = [Listener(one), Listener(other)]
    before = await one.watch(TOPIC)
    assert await other.watch(TOPIC) == before
    redis.flush()
    await until(lambda: all(ear.epoch() not in (None, before.epoch) for ear in ears))
    assert ears[0].epoch() == ears[1].epoch()
    assert [len(ear.heard[TOPIC]) for ear in ears] == [1, 1]


async def test_all_processes_agree_on_the_next_epoch(redis: RedisServer, one: RedisLog) -> None:
    logs = [RedisLog(redis.url) for _ in range(4)]
    for log in logs:
        log.start()
    ears = [Listener(log) for log in logs]
    await asyncio.gather(*(log.watch(TOPIC) for log in logs))
    redis.kill()
    redis.start_empty()
    await asyncio.gather(*(append_in_the_end(log, str(n)) for n, log in enumerate(logs)))
    await until(lambda: all(len(ear.texts()) == 4 for ear in ears))
    assert all(ear.heard == ears[0].heard for ear in ears)
    assert len(ears[0].heard[TOPIC]) == 1
    for log in logs:
        await log.stop()


async def test_a_redis_that_lost_nothing_still_begins_anew_because_nobody_can_know(
    transactional_db: None,
) -> None:
    with redis_server("aof") as redis:
        async with process(redis.url) as one:

            def fail() -> None:
                redis.kill()
                redis.start()

            ear, before = await back_after(one, fail)
            assert ear.epoch() != before


# The way to Redis fails


async def test_a_cut_line_loses_and_repeats_nothing(
    redis: RedisServer, transactional_db: None
) -> None:
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        ear = Listener(one)
        before = await one.watch(TOPIC)
        async with process(redis.url) as near:
            for n in range(60):
                await near.append(TOPIC, [said(str(n))])
                if n % 20 == 10:
                    line.cut()
            await until(lambda: len(ear.texts()) == 60)
        assert ear.texts() == [str(n) for n in range(60)]
        assert ear.epoch() == before.epoch


async def test_a_half_open_line_is_noticed(redis: RedisServer, transactional_db: None) -> None:
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        ear = Listener(one)
        await one.watch(TOPIC)
        line.is_deaf = line.is_mute = True
        with pytest.raises(LogUnavailable):
            await one.append(TOPIC, [said("lost")])
        line.is_deaf = line.is_mute = False
        await append_in_the_end(one, "back")
        await until(lambda: ear.texts() == ["back"])


async def test_an_answer_that_is_lost_does_not_repeat_a_fact(
    redis: RedisServer, transactional_db: None
) -> None:
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        before = await one.watch(TOPIC)
        line.is_deaf = True
        fact = said("sold", fact_id=uuid.uuid4())
        with pytest.raises(LogUnavailable):
            await one.append(TOPIC, [fact])
        line.is_deaf = False
        line.cut()
        [entry] = await one.append(TOPIC, [fact])
        assert await one.tail(TOPIC) == Position(before.epoch, 1)
        assert entry.seq == 1


async def test_a_fact_that_was_heard_before_redis_lost_it_is_not_told_again(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    async with process(redis.url) as one:
        await back_after(one, redis.flush)  # from now on the database is asked about facts
        ear = Listener(one)
        fact = said("sold", fact_id=uuid.uuid4())
        await one.append(TOPIC, [fact])
        await until(lambda: ear.texts() == ["sold"])
        redis.flush()
        [entry] = await one.append(TOPIC, [fact])
        assert entry.seq == 2
        assert ear.texts() == ["sold"]


@pytest.mark.parametrize("ask", ["append", "read", "watch", "tail"])
async def test_without_redis_everything_fails_in_time_and_clearly(
    one: RedisLog, redis: RedisServer, ask: str
) -> None:
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "append": lambda: one.append(TOPIC, [said("a")]),
        "read": lambda: one.read(TOPIC, None, 10),
        "watch": lambda: one.watch(TOPIC),
        "tail": lambda: one.tail(TOPIC),
    }
    redis.kill()
    began = asyncio.get_running_loop().time()
    with pytest.raises(LogUnavailable):
        await asked[ask]()
    assert asyncio.get_running_loop().time() - began < 4


async def test_a_frozen_redis_fails_in_time_too(one: RedisLog, redis: RedisServer) -> None:
    await one.append(TOPIC, [said("a")])
    redis.freeze()
    began = asyncio.get_running_loop().time()
    with pytest.raises(LogUnavailable):
        await one.append(TOPIC, [said("b")])
    assert asyncio.get_running_loop().time() - began < 4
    redis.thaw()
    await append_in_the_end(one, "c")


async def test_the_log_may_start_before_redis(transactional_db: None) -> None:
    with redis_server(running=False) as redis:
        async with process(redis.url) as one:
            with pytest.raises(LogUnavailable):
                await one.append(TOPIC, [said("a")])
            redis.start()
            [entry] = await one.append(TOPIC, [said("b")])
            assert entry.seq == 1


async def test_it_stops_in_time_without_redis(redis: RedisServer, transactional_db: None) -> None:
    log = RedisLog(redis.url)
    log.start()
    await log.watch(TOPIC)
    await log.append(TOPIC, [said("a")])
    redis.kill()
    began = asyncio.get_running_loop().time()
    await log.stop()
    assert asyncio.get_running_loop().time() - began < 5
    assert await stored_texts() == ["a"]


# What is stored, and what is trimmed


async def test_what_was_heard_and_not_stored_is_stored_after_redis_is_lost(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    async with process(redis.url) as one, process(redis.url) as other:
        ear = Listener(other)
        await other.watch(TOPIC)
        await one.append(TOPIC, [said("a"), said("b")])
        await until(lambda: len(ear.texts()) == 2)
        redis.kill()
        redis.start_empty()
        await append_in_the_end(other, "c")
    assert await stored_texts() == ["a", "b", "c"]


async def test_what_only_a_stale_redis_still_has_is_stored(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    dead = RedisLog(redis.url)
    dead.start()
    await dead.append(TOPIC, [said("a"), said("b")])
    redis.save()
    redis.kill()
    redis.start()
    async with process(redis.url) as newcomer:
        await newcomer.append(TOPIC, [said("c")])
        assert (await stored_texts())[:2] == ["a", "b"]
    await dead.stop()
    assert await stored_texts() == ["a", "b", "c"]


async def test_a_fact_told_in_two_epochs_is_stored_once_and_leaves_no_hole(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    fact = said("sold", fact_id=uuid.uuid4())
    async with process(redis.url) as one, process(redis.url) as other:
        await one.append(TOPIC, [said("a"), fact, said("b")])
        redis.kill()
        redis.start_empty()
        # The other one has not heard of it, and nobody has stored it yet.
        await run_in_db(other.append_blocking, TOPIC, [fact])
    rows = await run_in_db(
        lambda: list(LogEntry.objects.order_by("epoch", "seq").values_list("seq", "type"))
    )
    assert sorted(kind for _, kind in rows) == ["chat.message"] * 3 + ["tombstone"]
    assert [seq for seq, _ in rows] == [1, 2, 3, 1]


async def test_redis_trims_what_is_stored_and_the_database_fills_in(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(redis.url) as one:
        for start in range(0, 7000, 500):
            await one.append(TOPIC, [said(str(start + n)) for n in range(500)])
        tail = await one.tail(TOPIC)
        await one.stored(TOPIC, tail)
        with redis.client() as client:
            await until(lambda: int(str(client.xlen(f"lc:{{{TOPIC}}}:log:{tail.epoch}"))) < 5600)
        stretch = await one.read(TOPIC, Position(tail.epoch, 10), limit=10_000)
        assert [entry.seq for entry in stretch.entries] == list(range(11, 7001))
        await run_in_db(LogEntry.objects.filter(seq=500).delete)
        assert not (await one.read(TOPIC, Position(tail.epoch, 10), limit=10_000)).complete


async def test_nothing_is_trimmed_or_expires_before_it_is_stored(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    async with process(redis.url) as one:
        await one.append(TOPIC, [said(str(n)) for n in range(6000)])
        tail = await one.tail(TOPIC)
        key, head = f"lc:{{{TOPIC}}}:log:{tail.epoch}", f"lc:{{{TOPIC}}}:head"
        with redis.client() as client:
            assert client.xlen(key) == 6000
            assert [client.ttl(key), client.ttl(head)] == [-1, -1]
            await one.stored(TOPIC, tail)
            await one._keeper._keep()
            assert client.xlen(key) < 5600
            assert client.ttl(key) > 1000
            assert client.ttl(head) > 1000
            await one.append(TOPIC, [said("more")])
            assert [client.ttl(key), client.ttl(head)] == [-1, -1]


async def test_a_topic_that_has_expired_begins_a_new_epoch(
    one: RedisLog, redis: RedisServer
) -> None:
    await one.append(TOPIC, [said("a")])
    before = await one.tail(TOPIC)
    await one.stored(TOPIC, before)
    with redis.client() as client:
        for key in client.scan_iter(f"lc:{{{TOPIC}}}:*"):
            client.delete(key)
    [entry] = await one.append(TOPIC, [said("b")])
    after = await one.tail(TOPIC)
    assert (entry.seq, after.seq) == (1, 1)
    assert after.epoch > before.epoch


async def test_a_reader_that_was_away_while_redis_trimmed_hears_from_the_database(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        ear = Listener(one)
        await one.watch(TOPIC)
        line.is_down = True
        line.cut()
        async with process(redis.url) as near:
            for _ in range(14):
                await near.append(TOPIC, [said("x")] * 500)
            tail = await near.tail(TOPIC)
            await near.stored(TOPIC, tail)
            with redis.client() as client:
                key = f"lc:{{{TOPIC}}}:log:{tail.epoch}"
                await until(lambda: int(str(client.xlen(key))) < 5600)
        line.is_down = False
        await until(lambda: len(ear.texts()) == 7000)


async def test_what_can_be_read_nowhere_any_more_is_told_as_lost(
    redis: RedisServer, transactional_db: None
) -> None:
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        lost: list[str] = []
        before = await one.watch(TOPIC)
        one.follow(lambda topic, epoch, entries: lost.append(epoch))
        line.is_down = True
        line.cut()
        async with process(redis.url) as near:
            await near.append(TOPIC, [said("x")] * 10)
            await near.stored(TOPIC, await near.tail(TOPIC))
            await run_in_db(LogEntry.objects.all().delete)
            with redis.client() as client:
                client.xtrim(f"lc:{{{TOPIC}}}:log:{before.epoch}", maxlen=2, approximate=False)
        line.is_down = False
        await until(lambda: lost)
        assert lost[0] != before.epoch


async def test_facts_that_redis_forgot_are_looked_up(
    redis: RedisServer, transactional_db: None
) -> None:
    fact = said("sold", fact_id=uuid.uuid4())
    async with process(redis.url) as one:
        await run_in_db(one.append_blocking, TOPIC, [said("a"), fact])
        redis.kill()
        redis.start_empty()
        await append_in_the_end(one, "b")
        [known] = await one.append(TOPIC, [fact])
        assert known.seq == 2
        assert (await one.tail(TOPIC)).seq == 1


def test_an_epoch_of_a_late_begin_does_not_come_back() -> None:
    state = redis_topics.TopicState(TOPIC)
    later = redis_topics.Mark(epoch="2", reign="r", seq=0, stored=0)
    assert state.fits(later, "r")
    state.adopt(later)
    assert not state.fits(redis_topics.Mark(epoch="1", reign="r", seq=9, stored=0), "r")
