"""The number of viewers, as the rooms are told."""

from __future__ import annotations

from collections.abc import Collection

from core.realtime.presence import Presence
from core.realtime.redis_shared import RedisShared
from tests.realtime import until
from tests.redis_server import redis_server

ROOM = "show:apples"


class Rooms:
    """Who is in which room of one process, and what the rooms were told."""

    def __init__(self, **rooms: Collection[str]) -> None:
        self.people: dict[str, Collection[str]] = dict(rooms)
        self.told: dict[str, int] = {}

    def topics(self) -> list[str]:
        return list(self.people)

    def viewer_keys(self, topic: str) -> Collection[str]:
        return self.people[topic]

    def set_now(self, topic: str, **values: int) -> None:
        self.told[topic] = values["viewers"]


async def test_two_processes_tell_the_same_number_and_one_that_is_killed_takes_its_people() -> None:
    with redis_server() as redis:
        here, there = Rooms(), Rooms()
        here.people[ROOM] = {"user:li", "browser:1"}
        there.people[ROOM] = {"user:li", "browser:2"}
        one = Presence(here, RedisShared(redis.url))
        other_shared = RedisShared(redis.url)
        two = Presence(there, other_shared)
        one.start()
        two.start()
        await until(lambda: here.told == there.told == {ROOM: 3})
        there.people[ROOM] = {"browser:2", "browser:3"}
        await until(lambda: here.told == there.told == {ROOM: 4})
        await two.stop()  # without a word to Redis: as a process that was killed
        await until(lambda: here.told == {ROOM: 2})
        await one.stop()
        await other_shared.stop()


async def test_while_redis_is_away_a_room_is_told_who_is_here() -> None:
    with redis_server() as redis:
        rooms = Rooms()
        rooms.people[ROOM] = {"user:li"}
        shared = RedisShared(redis.url)
        elsewhere = RedisShared(redis.url)
        await elsewhere.present({ROOM: {"user:wang"}})
        presence = Presence(rooms, shared)
        await presence.count()
        assert rooms.told == {ROOM: 2}
        redis.kill()
        rooms.people[ROOM] = {"user:li", "user:gao", "user:chen"}
        await presence.count()
        assert rooms.told == {ROOM: 3}
        await elsewhere.stop()
        await shared.stop()
