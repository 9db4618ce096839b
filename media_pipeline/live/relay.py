"""Parts from the process that has the camera to those that have viewers, over Redis' pub/sub.

A process subscribes to a rendition while somebody watches it there, and says so every few seconds;
the camera's process publishes parts only while it hears that. Nothing is stored: what Redis loses
is a moment of the picture, and the next key frame goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.realtime import tasks
from media_pipeline.live import frames
from media_pipeline.live.feed import RENDITIONS, Feed, Feeds
from media_pipeline.live.frames import Opening

log = logging.getLogger(__name__)

ASKS = "lc:live:asks"
ASK_EVERY_S = 2.0
ASKED_FOR_S = 7.0
"""So long after the last that asked, parts are still published."""
SILENT_S = 6.0
"""A camera that is heard of no more for so long is gone: its process may have been killed."""
WAITING_AT_MOST = 8 * 1024 * 1024
"""Bytes that may wait for Redis, of all shows of this process. More are thrown away."""
CONNECTED_WITHIN_S = 1.5
AGAIN_AFTER_S = 1.0
GROUP_PART_S = 0.1


class Asked(msgspec.Struct, frozen=True, tag=True):
    """Somebody watches this elsewhere; `is_new` wants it from the last key frame on."""

    show_id: UUID
    rendition: str
    is_new: bool


class Began(msgspec.Struct, frozen=True, tag=True):
    take_id: UUID
    mime: str
    wall_start_ms: float
    init: bytes
    drift_ms: float = 0.0


class Passed(msgspec.Struct, frozen=True, tag=True):
    """A part; `number` counts those of its take, so that each is shown once."""

    take_id: UUID
    number: int
    payload: bytes
    duration_s: float
    is_key: bool


class Ended(msgspec.Struct, frozen=True, tag=True):
    take_id: UUID


class Late(msgspec.Struct, frozen=True, tag=True):
    """The camera sends what it kept of a take, which is not shown."""

    take_id: UUID


class Offered(msgspec.Struct, frozen=True, tag=True):
    """What can be watched of the show, whichever rendition of it is."""

    renditions: list[str]
    poster: dict[str, Any] | None


Told = Asked | Began | Passed | Late | Ended | Offered
_decoder = msgspec.msgpack.Decoder(Told)
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Sending:
    """A camera of this process, as the others know it."""

    passed: int = 0
    asked_until: float = float("-inf")


@dataclass(slots=True)
class Watched:
    """A rendition that comes from elsewhere, or may come."""

    feed: Feed
    last: int = 0
    heard_at: float = field(default_factory=time.monotonic)


class RedisRelay:
    """`feed.Relay` for processes that share a Redis."""

    def __init__(self, feeds: Feeds, url: str) -> None:
        self._feeds = feeds
        self._redis: Redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECTED_WITHIN_S,
            socket_keepalive=True,
        )
        self._sending: dict[Feed, Sending] = {}
        self._watched: dict[str, Watched] = {}
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._waiting_bytes = 0
        self._work = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        jobs = (self._hear_forever(), self._tell_forever(), self._ask_forever())
        self._tasks = [asyncio.create_task(job) for job in jobs]
        self._feeds.relay = self

    async def stop(self) -> None:
        self._feeds.relay = None
        await tasks.end(*self._tasks)
        await self._redis.aclose()

    # The camera is here

    def began(self, feed: Feed) -> None:
        before = self._sending.get(feed)
        self._sending[feed] = Sending(asked_until=before.asked_until if before else float("-inf"))
        self._say_began(feed)

    def passed(self, feed: Feed, payload: bytes, duration_s: float, *, is_key: bool) -> None:
        sending, opening = self._sending.get(feed), feed.audience.opening
        if sending is None or opening is None:
            return
        sending.passed += 1
        if time.monotonic() < sending.asked_until:
            part = Passed(opening.take_id, sending.passed, payload, duration_s, is_key)
            self._say(feed, part)

    def ended(self, feed: Feed, opening: Opening) -> None:
        if self._sending.pop(feed, None) is not None:
            self._say(feed, Ended(opening.take_id))

    def drifted(self, feed: Feed) -> None:
        self._say_began(feed)

    def late(self, feed: Feed) -> None:
        sending, opening = self._sending.get(feed), feed.audience.opening
        if sending and opening and time.monotonic() < sending.asked_until:
            self._say(feed, Late(opening.take_id))

    def offered(self, show_id: UUID) -> None:
        feeds = self._feeds
        offer = Offered(feeds.renditions(show_id), feeds.poster(show_id))
        for feed, sending in self._sending.items():
            if feed.show_id == show_id and time.monotonic() < sending.asked_until:
                self._say(feed, offer)

    def _say_began(self, feed: Feed) -> None:
        if (opening := feed.audience.opening) is not None:
            self._say(feed, Began(**asdict(opening)))

    def _asked(self, asked: Asked) -> None:
        if asked.rendition not in RENDITIONS:
            return
        feed = self._feeds.feed(asked.show_id, asked.rendition)
        sending = self._sending.get(feed)
        if sending is None:
            return
        sending.asked_until = time.monotonic() + ASKED_FOR_S
        if asked.is_new:
            self._say_all(feed, sending)
            self.offered(feed.show_id)

    def _say_all(self, feed: Feed, sending: Sending) -> None:
        """The take, and its parts from the last key frame on; who has them passes them over."""
        self._say_began(feed)
        opening, group = feed.audience.opening, feed.audience.group
        for n, part in enumerate(group if opening else []):
            assert opening is not None and isinstance(part.message, bytes)  # noqa: S101, PT018
            number = sending.passed - len(group) + 1 + n
            said = Passed(opening.take_id, number, part.message, GROUP_PART_S, n == 0)
            self._say(feed, said)

    # The camera is elsewhere, or nowhere

    def wanted(self, feed: Feed) -> None:
        channel = channel_of(feed)
        if not feed.is_here and channel not in self._watched:
            self._watched[channel] = Watched(feed)
            self._ask(feed, is_new=False)  # our own ears hear it too, and see what has changed

    def unwanted(self, feed: Feed) -> None:
        watched = self._watched.pop(channel_of(feed), None)
        if watched is not None and not feed.is_here:
            feed.close()

    async def _subscribe(self, ears: PubSub) -> None:
        """To what is watched now and to nothing else; what is new is asked for."""
        known = {channel.decode() for channel in ears.channels} - {ASKS}
        if gone := known - self._watched.keys():
            await ears.unsubscribe(*gone)
        if new := self._watched.keys() - known:
            await ears.subscribe(*new)
        for channel in new:
            if (watched := self._watched.get(channel)) is not None:
                self._ask(watched.feed, is_new=True)

    def _ask(self, feed: Feed, *, is_new: bool) -> None:
        self._queue(ASKS, _encode(Asked(feed.show_id, feed.rendition, is_new)))

    def _hear(self, channel: str, told: Told) -> None:
        if isinstance(told, Asked):
            self._asked(told)
            return
        watched = self._watched.get(channel)
        if watched is None or watched.feed.is_here:
            return
        watched.heard_at = time.monotonic()
        opening = watched.feed.audience.opening
        if isinstance(told, Offered):
            show_id = watched.feed.show_id
            self._feeds.offer_elsewhere(show_id, told.renditions, told.poster)
        elif isinstance(told, Began):
            if opening is None or opening.take_id != told.take_id:
                watched.last = 0
                watched.feed.open(Opening(**msgspec.structs.asdict(told)))
            else:
                watched.feed.tell_drift(told.drift_ms)
        elif opening is None or opening.take_id != told.take_id:
            return  # of a take that was before, or whose beginning was missed
        elif isinstance(told, Ended):
            watched.feed.close()
        elif isinstance(told, Late):
            watched.feed.be_late()
        else:
            self._show(watched, told)

    def _show(self, watched: Watched, part: Passed) -> None:
        follows = part.number == watched.last + 1
        if part.number > watched.last and (follows or part.is_key):
            watched.last = part.number
            watched.feed.show(part.payload, part.duration_s, is_key=part.is_key)

    # The line to Redis

    def _say(self, feed: Feed, told: Told) -> None:
        self._queue(channel_of(feed), _encode(told))

    def _queue(self, channel: str, message: bytes) -> None:
        if self._waiting_bytes + len(message) > WAITING_AT_MOST:
            self._waiting.clear()
            self._waiting_bytes = 0
        self._waiting.append((channel, message))
        self._waiting_bytes += len(message)
        self._work.set()

    async def _tell_forever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                while self._waiting:
                    channel, message = self._waiting.popleft()
                    self._waiting_bytes -= len(message)
                    await self._redis.publish(channel, message)
            except (RedisError, OSError) as error:
                log.warning("live parts do not reach the other processes: %s", error)
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _hear_forever(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as ears:
                    await self._listen(ears)
            except (RedisError, OSError) as error:
                log.warning("live parts of other processes are not heard: %s", error)
            for watched in self._watched.values():
                watched.feed.audience.say(frames.ELSEWHERE)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _listen(self, ears: PubSub) -> None:
        """The only one who uses this connection: redis-py does not bear two."""
        await ears.subscribe(ASKS)
        await self._subscribe(ears)
        async for message in ears.listen():
            try:
                self._hear(message["channel"].decode(), _decoder.decode(message["data"]))
            except msgspec.DecodeError:
                log.warning("another process speaks of live parts in other words")
            await self._subscribe(ears)

    async def _ask_forever(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            for watched in list(self._watched.values()):
                silent_s = time.monotonic() - watched.heard_at
                if silent_s > SILENT_S:
                    watched.feed.close()
                # What was asked may have been lost with a connection.
                self._ask(watched.feed, is_new=silent_s > ASK_EVERY_S)


def channel_of(feed: Feed) -> str:
    return f"lc:live:{feed.show_id}:{feed.rendition}"
