"""The log on Redis when Redis or the way to it fails: no gap goes unnoticed, no place is reused."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest

from core.realtime.db import run_in_db
from core.realtime.log import LogUnavailable, Position
from core.realtime.models import LogEntry, Topic
from core.realtime.redis_log import RedisLog
from tests.logs import TOPIC, Listener, append_in_the_end, process, said, stored_texts
from tests.network import wire
from tests.realtime import until, until_in_db
from tests.redis_server import RedisServer, redis_server

QUIET = "show:quiet"


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
