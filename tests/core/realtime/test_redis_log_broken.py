"""The log on a Redis that answers, but not as it should: broken keys, no memory, gone for long."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress

import pytest
from django.db import DatabaseError

from core.realtime import log_store
from core.realtime.log import LogUnavailable
from core.realtime.models import LogEntry
from core.realtime.redis_log import RedisLog
from core.realtime.redis_scripts import DIRTY_KEY, REIGN_KEY, Keys
from tests.logs import TOPIC, Listener, append_in_the_end, process, said, stored_texts
from tests.realtime import until, until_in_db
from tests.redis_server import RedisServer

OTHER = "show:broken"
OLD = "0" * 32


@pytest.fixture
def no_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keepers store when the test says so."""
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)


async def keep(log: RedisLog) -> None:
    await log._keeper._safely(log._keeper._keep)


def connections(redis: RedisServer) -> int:
    with redis.client() as client:
        return int(client.info("stats")["total_connections_received"])


def spoil_topic_of_a_dead_process(redis: RedisServer) -> None:
    keys = Keys.of(OTHER, OLD)
    with redis.client() as client:
        reign = client.hget(REIGN_KEY, "reign")
        head = {"epoch": OLD, "reign": reign, "seq": 5, "stored": 0, "all_facts": 1}
        client.hset(keys.head, mapping=head)
        client.set(keys.log, "no stream")
        client.zadd(DIRTY_KEY, {OTHER: 1})


async def test_a_broken_topic_stops_the_storing_of_no_other_and_begins_anew(
    one: RedisLog, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    await one.append(TOPIC, [said("a")])
    spoil_topic_of_a_dead_process(redis)
    before = connections(redis)
    await one._keeper._sweep()
    with redis.client() as client:
        assert client.hget(Keys.of(OTHER, OLD).head, "epoch") > OLD.encode()
    await one.append(TOPIC, [said("b")])
    await until_in_db(lambda: LogEntry.objects.filter(topic=TOPIC).count() == 2)
    [entry] = await one.append(OTHER, [said("c")])
    await until_in_db(lambda: LogEntry.objects.filter(topic=OTHER).count() == 1)
    assert entry.seq == 1
    assert (await one.tail(OTHER)).epoch > OLD
    assert connections(redis) - before == 2  # the test's own
    assert OTHER in caplog.text


async def test_a_topic_that_fails_while_it_is_kept_stops_no_other(
    redis: RedisServer, transactional_db: None, no_keeping: None
) -> None:
    async with process(redis.url) as dead, process(redis.url) as one:
        await dead.append(OTHER, [said("lost"), said("lost too")])
        epoch = (await one.tail(OTHER)).epoch
        one._topics.get(OTHER).was_marked(0, 2)
        await one.append(TOPIC, [said("a")])
        with redis.client() as client:
            client.delete(Keys.of(OTHER, epoch).log)
        await keep(one)
        assert await stored_texts() == ["a"]
        assert (await one.tail(OTHER)).epoch > epoch


async def test_a_topic_that_the_database_does_not_take_stops_no_other(
    redis: RedisServer, transactional_db: None, no_keeping: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = log_store.keep

    def refuses_one(topic: str, epoch: str, placed: Sequence[log_store.Placed]) -> None:
        if topic == OTHER:
            raise DatabaseError("not this one")
        takes(topic, epoch, placed)

    async with process(redis.url) as one:
        await one.append(OTHER, [said("later")])
        await one.append(TOPIC, [said("a")])
        before = await one.tail(OTHER)
        with monkeypatch.context() as patch:
            patch.setattr(log_store, "keep", refuses_one)
            await keep(one)
        assert await stored_texts() == ["a"]
        assert await one.tail(OTHER) == before
    await until_in_db(lambda: LogEntry.objects.filter(topic=OTHER).count() == 1)


@pytest.mark.parametrize("part", ["head", "log", "facts", "gone", "keeper", "beginning"])
async def test_a_watched_topic_with_a_broken_key_goes_on(
    one: RedisLog, redis: RedisServer, part: str
) -> None:
    ears = Listener(one)
    before = await one.watch(TOPIC)
    await one.watch(OTHER)
    await one.append(TOPIC, [said("a")])
    await until(lambda: ears.texts() == ["a"])
    key = getattr(Keys.of(TOPIC, before.epoch), part)
    with redis.client() as client:
        client.delete(key)
        client.geoadd(key, [13.4, 52.5, "no such thing"]) if part == "head" else client.lpush(
            key, "x"
        )
    fact = said("b", fact_id=uuid.uuid4(), removes=1)
    for _ in range(20):
        with suppress(LogUnavailable):
            await one.append(TOPIC, [fact])
            break
    await one.append(OTHER, [said("elsewhere")])
    await until(lambda: ears.texts(OTHER) == ["elsewhere"])
    await until(lambda: "b" in ears.texts())
    await until_in_db(lambda: LogEntry.objects.filter(fact_id=fact.fact_id).count() == 1)
    await append_in_the_end(one, "c")
    await until(lambda: ears.texts()[-1] == "c")


async def test_a_broken_topic_in_which_nobody_says_anything_deafens_no_other(
    one: RedisLog, redis: RedisServer
) -> None:
    ears = Listener(one)
    before = await one.watch(TOPIC)
    await one.watch(OTHER)
    with redis.client() as client:
        client.set(Keys.of(TOPIC, before.epoch).log, "no stream")
    await one.append(OTHER, [said("elsewhere")])
    await until(lambda: ears.texts(OTHER) == ["elsewhere"])
    await until(lambda: ears.epoch() not in {None, before.epoch})


async def test_what_memory_holds_is_stored_though_redis_has_lost_the_stream(
    redis: RedisServer, transactional_db: None, no_keeping: None
) -> None:
    async with process(redis.url) as dead, process(redis.url) as one:
        await dead.append(TOPIC, [said("unheard")])
        await one.append(TOPIC, [said("b"), said("c")])
        with redis.client() as client:
            client.delete(Keys.of(TOPIC, (await one.tail(TOPIC)).epoch).log)
        await dead.append(TOPIC, [said("d")])
        one._topics.get(TOPIC).was_marked(0, 4)
        await keep(one)
        assert await stored_texts() == ["b", "c", "d"]


async def test_what_was_heard_is_stored_while_redis_is_away(
    redis: RedisServer, transactional_db: None, no_keeping: None
) -> None:
    async with process(redis.url) as one, process(redis.url) as other:
        ear = Listener(other)
        await other.watch(TOPIC)
        await one.append(TOPIC, [said("a"), said("b")])
        await until(lambda: len(ear.texts()) == 2)
        redis.kill()
        await keep(other)
        assert await stored_texts() == ["a", "b"]
        redis.start_empty()
        await append_in_the_end(other, "c")
        await keep(other)
        assert await stored_texts() == ["a", "b", "c"]


async def test_a_failing_sweep_does_not_keep_what_was_heard_from_the_database(
    redis: RedisServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 0.2)
    async with process(redis.url) as one:
        await one.append(TOPIC, [said("a")])
        redis.kill()
        await until_in_db(lambda: LogEntry.objects.count() == 1)


async def test_a_redis_that_is_full_can_be_stored_and_trimmed_out_of_it(
    redis: RedisServer, transactional_db: None, no_keeping: None
) -> None:
    async with process(redis.url) as one:
        ear = Listener(one)
        before = await one.watch(TOPIC)
        await one.append(TOPIC, [said(str(n)) for n in range(6000)])
        await until(lambda: len(ear.texts()) == 6000)
        key = Keys.of(TOPIC, before.epoch)
        with redis.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1mb")
            connected = connections(redis)
            with pytest.raises(LogUnavailable):
                await one.append(TOPIC, [said("no")])
            await one.stored(TOPIC, await one.tail(TOPIC))
            await keep(one)
            assert client.xlen(key.log) < 5600
            assert client.hget(key.head, "stored") == b"6000"
            assert connections(redis) - connected == 1  # the test's own
            client.config_set("maxmemory", "0")
        [entry] = await one.append(TOPIC, [said("again")])
        assert (entry.seq, await one.tail(TOPIC)) == (6001, type(before)(before.epoch, 6001))


async def test_a_fact_waits_until_redis_has_room(
    one: RedisLog, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    before = await one.watch(TOPIC)
    with redis.client() as client:
        client.config_set("maxmemory", "1mb")
        appending = asyncio.create_task(one.append(TOPIC, [said("sold", fact_id=uuid.uuid4())]))
        await until(lambda: "takes no entries" in caplog.text)
        client.config_set("maxmemory", "0")
    [entry] = await appending
    assert (entry.seq, (await one.tail(TOPIC)).epoch) == (1, before.epoch)
    assert caplog.text.count("takes no entries") == 1
