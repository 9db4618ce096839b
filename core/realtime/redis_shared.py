"""`Shared` over Redis: what several web processes of an instance know together."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.realtime.shared import Count, Limits, Refused, SharedAway

log = logging.getLogger(__name__)

T = TypeVar("T")

LEASE_S = 6.0
ANSWERS_WITHIN_S = 0.5
AWAY_FOR_S = 1.0


@dataclass(slots=True)
class Told:
    """What Redis has been told of who is here in one topic. Version 0: nothing yet."""

    keys: set[str] = field(default_factory=set)
    version: int = 0


class RedisShared:
    """`Shared` over Redis.

    Presence: each process keeps a set of its own per topic, with an expiry that it renews while it
    lives, and the number is that of their union. Only changes are sent. A version beside each set
    shows a Redis that was emptied or set back: then everything is sent again.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=ANSWERS_WITHIN_S,
            socket_connect_timeout=ANSWERS_WITHIN_S,
        )
        self._process = secrets.token_hex(8)
        self._limits = Limits()
        self._refused = Refused()
        self._told: dict[str, Told] = {}
        self._away_until = float("-inf")
        self._is_away = False
        self._presence = self._redis.register_script(PRESENCE)
        self._take = self._redis.register_script(TAKE)
        self._count = self._redis.register_script(COUNT)

    async def stop(self) -> None:
        for topic in list(self._told):
            try:
                await self._ask(lambda topic=topic: self._leave(topic))  # type: ignore[misc]
            except SharedAway:
                break  # it will expire
        await self._redis.aclose()

    async def take(self, name: str, key: str, *, burst: int, every_s: float) -> float:
        # The measure is part of the name: who was to wait by another one is not held to it.
        every_us = round(every_s * 1e6)
        bucket = f"lc:{{{key}}}:rate:{name}:{burst}:{every_us}"
        wait_s = self._refused.wait_s(bucket)
        if wait_s > 0 or every_s <= 0:
            return wait_s
        try:
            answer = await self._ask(lambda: self._take(keys=[bucket], args=[burst, every_us]))
        except SharedAway:
            return self._limits.take(name, key, burst=burst, every_s=every_s)
        return self._refused.note(bucket, int(answer) / 1e6)

    async def present(self, here: Mapping[str, Collection[str]]) -> dict[str, int]:
        found = {topic: set(keys) for topic, keys in here.items()}
        numbers = {topic: len(keys) for topic, keys in found.items()}
        try:
            for topic in [topic for topic in self._told if topic not in found]:
                await self._ask(lambda topic=topic: self._leave(topic))  # type: ignore[misc]
            for topic, keys in found.items():
                numbers[topic] = await self._ask(
                    lambda topic=topic, keys=keys: self._tell(topic, keys)  # type: ignore[misc]
                )
        except SharedAway:
            pass  # the rest are told what this process sees
        return numbers

    async def count(self, counts: Mapping[str, Count]) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for name, count in counts.items():
            key = f"lc:{{{name}}}:count"
            # An answer that is lost may have counted: a number too many, never one too few.
            answer = await self._ask(
                lambda key=key, count=count: self._count(  # type: ignore[misc]
                    keys=[key], args=[count.seen, count.more]
                )
            )
            numbers[name] = int(answer)
        return numbers

    async def _tell(self, topic: str, keys: set[str]) -> int:
        """Send who came and who went; the number of all. Redis may have lost what it was told."""
        told = self._told.setdefault(topic, Told())
        changes = [*(keys - told.keys)], [*(told.keys - keys)]
        number = await self._send(topic, told.version, *changes)
        if number < 0:
            number = await self._send(topic, 0, [*keys], [])
            told.version = 0
        self._told[topic] = Told(keys, told.version + 1)
        return number

    async def _send(
        self, topic: str, version: int, came: Sequence[str], went: Sequence[str]
    ) -> int:
        index = f"lc:{{{topic}}}:here"
        answer = await self._presence(
            keys=[index, f"{index}:{self._process}"],
            args=[self._process, int(LEASE_S * 1000), version, len(came), *came, *went],
        )
        return int(answer)

    async def _leave(self, topic: str) -> None:
        index = f"lc:{{{topic}}}:here"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(index, self._process)
            pipe.delete(f"{index}:{self._process}")
            await pipe.execute()
        self._told.pop(topic, None)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer; raises `SharedAway`, at once for a while after it had to."""
        if time.monotonic() < self._away_until:
            raise SharedAway
        try:
            # Redis may hang and keep its connection, whose time limit is for each read alone.
            async with asyncio.timeout(2 * ANSWERS_WITHIN_S):
                answer = await question()
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + AWAY_FOR_S
            if not self._is_away:
                log.warning("Redis is away, limits and numbers are this process's own: %s", error)
            self._is_away = True
            raise SharedAway(str(error)) from error
        if self._is_away:
            log.warning("Redis is back: limits and numbers are shared again")
        self._is_away = False
        return answer


# Every script names its keys by the hash tag of the first, so that they share a slot.

# index: process -> "version:expires at (ms)". Answers the size of the union of all sets whose
# process lives, or -1 when it does not know the version that the change is for.
PRESENCE = """
local index, mine, process = KEYS[1], KEYS[2], ARGV[1]
local lease, version, came = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if version == 0 then
  redis.call('DEL', mine)
else
  local known = redis.call('HGET', index, process)
  local at, expires = string.match(known or '', '^(%d+):(%d+)$')
  if tonumber(at) ~= version or tonumber(expires) < now then return -1 end
end
local function each(command, first, last)
  for from = first, last, 1000 do
    redis.call(command, mine, unpack(ARGV, from, math.min(from + 999, last)))
  end
end
each('SADD', 5, 4 + came)
each('SREM', 5 + came, #ARGV)
redis.call('PEXPIRE', mine, lease)
redis.call('HSET', index, process, string.format('%d:%.0f', version + 1, now + lease))
redis.call('PEXPIRE', index, lease)
local sets = {}
local all = redis.call('HGETALL', index)
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], ':(%d+)$')) < now then
    redis.call('HDEL', index, all[i])
  else
    sets[#sets + 1] = index .. ':' .. all[i]
  end
end
if #sets == 1 then return redis.call('SCARD', sets[1]) end
local union = index .. ':union'
local number = redis.call('SUNIONSTORE', union, unpack(sets))
redis.call('DEL', union)
return number
"""

# The generic cell rate algorithm (ITU-T I.371) by the clock of Redis: the key holds the moment in
# µs at which the bucket is full again. Answers the µs to wait.
TAKE = """
local burst, every = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + every
local wait = full - now - burst * every
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
"""

COUNT = """
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f', number), 'EX', 86400)
return number
"""
