"""What processes know together: the same promises, alone and over Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from core.realtime import redis_shared
from core.realtime.redis_shared import RedisShared
from core.realtime.shared import Count, LocalShared, Shared, SharedAway
from tests.redis_server import RedisServer, redis_server

ROOM, OTHER = "show:apples", "show:pears"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest_asyncio.fixture(params=["local", "redis"])
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Shared]:
    if request.param == "local":
        yield LocalShared()
        return
    server = request.getfixturevalue("redis")
    found = RedisShared(server.url)
    yield found
    await found.stop()


@pytest_asyncio.fixture
async def both(redis: RedisServer) -> AsyncIterator[tuple[RedisShared, RedisShared]]:
    """Two processes that share one Redis."""
    one, two = RedisShared(redis.url), RedisShared(redis.url)
    yield one, two
    await one.stop()
    await two.stop()


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(redis_shared, "LEASE_S", 0.3)
    return 0.3


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_shared, "AWAY_FOR_S", 0.05)


async def number(shared: Shared, *keys: str) -> int:
    return (await shared.present({ROOM: keys}))[ROOM]


async def until_all_say(expected: int, *seen: tuple[Shared, list[str]]) -> None:
    """Until each process, which sees so many itself, finds so many in all."""
    give_up_at = time.monotonic() + 30
    while found := {await number(shared, *keys) for shared, keys in seen} - {expected}:
        assert time.monotonic() < give_up_at, f"{found} are here, not {expected}"
        await asyncio.sleep(0.02)


# One suite for both


async def test_everybody_is_counted_once(shared: Shared) -> None:
    assert await number(shared) == 0
    assert await number(shared, "li", "wang") == 2
    assert await number(shared, "li", "chen", "gao") == 3
    assert await number(shared, "gao") == 1
    assert await shared.present({ROOM: {"li"}, OTHER: {"li", "gao"}}) == {ROOM: 1, OTHER: 2}
    assert await shared.present({}) == {}


async def test_thousands_are_counted(shared: Shared) -> None:
    crowd = {f"browser:{n}" for n in range(5000)}
    assert await number(shared, *crowd) == 5000
    assert await number(shared, *crowd, "li") == 5001
    assert await number(shared, "li") == 1


async def test_a_burst_is_let_through_and_then_one_after_the_other(shared: Shared) -> None:
    waits = [await shared.take("chat", "li", burst=3, every_s=30) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] == pytest.approx(30, abs=1)
    assert waits[4] == pytest.approx(30, abs=1)


async def test_limits_are_apart_by_person_and_by_name(shared: Shared) -> None:
    assert await shared.take("chat", "li", burst=1, every_s=30) == 0
    assert await shared.take("chat", "wang", burst=1, every_s=30) == 0
    assert await shared.take("like", "li", burst=1, every_s=30) == 0
    assert await shared.take("chat", "li", burst=1, every_s=30) > 0


async def test_who_has_waited_may_again(shared: Shared) -> None:
    started = time.monotonic()
    assert await shared.take("chat", "li", burst=1, every_s=0.4) == 0
    while (wait_s := await shared.take("chat", "li", burst=1, every_s=0.4)) > 0:
        assert wait_s == pytest.approx(0.4 - (time.monotonic() - started), abs=0.2)
        await asyncio.sleep(wait_s)
    assert 0.39 <= time.monotonic() - started < 2


async def test_a_wait_ends_with_the_limit_that_it_was_for(shared: Shared) -> None:
    assert await shared.take("chat.slow", "li", burst=1, every_s=600) == 0
    assert await shared.take("chat.slow", "li", burst=1, every_s=600) > 500
    assert await shared.take("chat.slow", "li", burst=1, every_s=10) == 0
    assert 0 < await shared.take("chat.slow", "li", burst=1, every_s=10) <= 10
    assert await shared.take("chat.slow", "li", burst=3, every_s=10) == 0


async def test_no_limit_is_none(shared: Shared) -> None:
    assert [await shared.take("chat", "li", burst=5, every_s=0) for _ in range(50)] == [0] * 50


async def test_counts_grow_from_what_was_seen(shared: Shared) -> None:
    assert await shared.count({"a": Count(0, 3), "b": Count(100, 0)}) == {"a": 3, "b": 100}
    assert await shared.count({"a": Count(3, 2), "b": Count(90, 1)}) == {"a": 5, "b": 101}


# Several processes


async def test_people_are_counted_over_processes_and_each_once(
    both: tuple[RedisShared, RedisShared],
) -> None:
    one, two = both
    assert await number(one, "li", "wang") == 2
    assert await number(two, "li", "chen") == 3
    assert await number(one, "li", "wang") == 3
    assert await number(one) == 2
    assert await number(two, "chen") == 1


async def test_a_room_that_is_left_is_left_for_the_others_too(
    both: tuple[RedisShared, RedisShared],
) -> None:
    one, two = both
    await number(one, "li")
    assert await number(two, "wang") == 2
    await one.present({})
    assert await number(two, "wang") == 1


async def test_who_stops_takes_his_people_along(redis: RedisServer) -> None:
    one, two = RedisShared(redis.url), RedisShared(redis.url)
    await number(one, "li")
    await one.stop()
    assert await number(two, "wang") == 1
    await two.stop()


async def test_the_people_of_a_process_that_was_killed_are_gone_after_its_lease(
    both: tuple[RedisShared, RedisShared], short_lease: float
) -> None:
    one, two = both
    await number(one, "li")
    assert await number(two, "wang") == 2
    await until_all_say(1, (two, ["wang"]))
    # It was only slow: it says everything anew.
    assert await number(one, "li") == 2


async def test_nothing_of_presence_stays_in_redis(
    both: tuple[RedisShared, RedisShared], redis: RedisServer, short_lease: float
) -> None:
    await number(both[0], "li")
    with redis.client() as client:
        assert client.dbsize() > 0
        give_up_at = time.monotonic() + 30
        while client.dbsize():
            assert time.monotonic() < give_up_at, client.keys()
            await asyncio.sleep(0.02)


async def test_a_redis_that_was_emptied_is_told_again(
    both: tuple[RedisShared, RedisShared], redis: RedisServer
) -> None:
    one, two = both
    await number(one, "li", "wang")
    await number(two, "chen")
    redis.flush()
    assert await number(one, "li", "wang") == 2
    assert await number(two, "chen") == 3


async def test_a_redis_that_was_set_back_is_told_again(
    both: tuple[RedisShared, RedisShared], redis: RedisServer, short_patience: None
) -> None:
    one, two = both
    await number(one, "li", "wang")
    redis.save()
    assert await number(one, "chen") == 1
    redis.kill()
    redis.start()
    await until_all_say(2, (one, ["chen"]), (two, ["gao"]))


async def test_only_differences_are_sent(
    both: tuple[RedisShared, RedisShared], redis: RedisServer
) -> None:
    one, _ = both
    crowd = {f"browser:{n}" for n in range(2000)}
    await number(one, *crowd)

    def received() -> int:
        with redis.client() as client:
            return int(client.info("stats")["total_net_input_bytes"])

    before = received()
    for n in range(10):
        await number(one, *crowd, f"late:{n}")
    assert received() - before < 5000


async def test_a_limit_holds_over_processes(both: tuple[RedisShared, RedisShared]) -> None:
    allowed = 0
    for shared in both * 5:
        allowed += await shared.take("chat", "li", burst=3, every_s=30) == 0
    assert allowed == 3


async def test_a_like_is_counted_once_and_the_number_never_falls(
    both: tuple[RedisShared, RedisShared], redis: RedisServer
) -> None:
    one, two = both
    await one.count({"likes": Count(10, 5)})
    assert await two.count({"likes": Count(10, 1)}) == {"likes": 16}
    redis.flush()
    assert await two.count({"likes": Count(16, 2)}) == {"likes": 18}
    assert await one.count({"likes": Count(15, 1)}) == {"likes": 19}


# Redis is away


async def test_each_goes_on_by_itself_while_redis_is_away(
    both: tuple[RedisShared, RedisShared], redis: RedisServer, short_patience: None
) -> None:
    one, two = both
    await number(one, "li")
    assert await number(two, "wang") == 2
    redis.kill()
    assert await number(two, "wang", "gao") == 2
    waits = [await two.take("chat", "li", burst=2, every_s=30) for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert waits[2] > 0
    with pytest.raises(SharedAway):
        await two.count({"likes": Count(0, 1)})
    redis.start()
    await until_all_say(3, (one, ["li"]), (two, ["wang", "gao"]))


async def test_a_redis_that_hangs_holds_nobody_up_twice(
    both: tuple[RedisShared, RedisShared], redis: RedisServer
) -> None:
    one, _ = both
    await number(one, "li")
    redis.freeze()
    started = time.monotonic()
    waits = [await one.take("chat", f"viewer {n}", burst=1, every_s=30) for n in range(200)]
    took_s = time.monotonic() - started
    redis.thaw()
    assert waits == [0] * 200
    assert took_s < 2 * redis_shared.AWAY_FOR_S
