"""What the log on Redis stores, trims, forgets, and finds again."""

from __future__ import annotations

import uuid

import pytest

from core.realtime import redis_topics
from core.realtime.db import run_in_db
from core.realtime.log import Position
from core.realtime.models import LogEntry
from core.realtime.redis_log import RedisLog
from tests.logs import TOPIC, Listener, append_in_the_end, process, said, stored_texts
from tests.network import wire
from tests.realtime import until
from tests.redis_server import RedisServer


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


async def test_what_was_acknowledged_as_a_repeat_is_stored_after_redis_is_lost(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    async with wire(redis.address) as line, process(f"redis://{line.address}/0") as one:
        await one.tail(TOPIC)
        line.cut_at, line.cuts = b"$2\r\nok\r\n", 1  # it is taken, and nobody hears so
        [entry] = await one.append(TOPIC, [said("a", fact_id=uuid.uuid4())])
        assert (entry.seq, line.cuts) == (1, 0)
        redis.kill()
        redis.start_empty()
        await append_in_the_end(one, "b")
    assert await stored_texts() == ["a", "b"]


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
