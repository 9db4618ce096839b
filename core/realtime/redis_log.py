"""The log of many web processes, on Redis Streams, stored in the database by one of them.

An entry is acknowledged and shown once it is on Redis; a keeper stores it within a moment. A fact
is acknowledged once it is stored (`append_blocking`). See docs/adr/0008.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError

from core.realtime import log_store
from core.realtime.keeper import Keeper
from core.realtime.log import (
    Entry,
    Follower,
    LogClosed,
    LogUnavailable,
    NewEntry,
    Position,
    Stretch,
)
from core.realtime.log_db import LogDatabase
from core.realtime.newest import REMEMBERED_ENTRIES, Head
from core.realtime.redis_appends import Answer, Appender
from core.realtime.redis_link import KeptLink, Link, Links, Refused
from core.realtime.redis_reader import Reader
from core.realtime.redis_scripts import READ
from core.realtime.redis_topics import Mark, Topics, TopicState, placed_of, shown

T = TypeVar("T")

ANSWERED_WITHIN_S = 2.5
AGAIN_AFTER_S = 0.05


class RedisLog:
    """`TopicLog` on the Redis server at `url`. Any number of processes may use it."""

    def __init__(self, url: str) -> None:
        links = Links(url)
        self._database = LogDatabase()
        self._link = KeptLink(links)
        self._topics = Topics(self._database)
        self._appender = Appender(self._topics, self._link, self._database)
        self._reader = Reader(self._topics, links, self._link, self._database)
        self._keeper = Keeper(self._topics, self._link, self._database)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to read and store, on the running event loop. Redis may come later."""
        self._loop = asyncio.get_running_loop()
        self._appender.start()
        self._reader.start()
        self._keeper.start()

    async def stop(self) -> None:
        """Send and store what waits, then refuse."""
        if self._loop is None:
            return
        await self._appender.stop()
        await self._reader.stop()
        await self._keeper.stop()
        await self._link.close()
        await self._database.stop()
        self._loop = None

    def follow(self, follower: Follower) -> None:
        self._topics.followers.append(follower)

    async def append(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        """Raises `LogUnavailable` within `APPENDED_WITHIN_S` if Redis does not take them."""
        return (await self._appender.append(topic, entries)).entries

    def append_blocking(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        """`append` from a thread, which returns once the entries are in the database as well."""
        if self._loop is None:
            raise LogClosed("the log is not running")
        # Handed over as a coroutine: a request belongs to the event loop from its first line.
        appending = self._appender.append(topic, entries)
        answer: Answer = asyncio.run_coroutine_threadsafe(appending, self._loop).result()
        log_store.keep(topic, answer.epoch, sorted(answer.placed, key=lambda one: one[0]))
        return answer.entries

    async def tail(self, topic: str) -> Position:
        async def ask(state: TopicState, link: Link) -> Position:
            [answer] = await link.call(Mark.question(topic))
            await self._topics.check(state, mark := Mark.of(answer), link)
            fits = mark is not None and mark.epoch == state.epoch
            return Position(state.epoch, mark.seq if fits and mark else state.seen)

        return await self._with_topic(topic, ask)

    async def stored(self, topic: str, upto: Position) -> None:
        async def store(state: TopicState, link: Link) -> None:
            await self._keeper.stored(state, upto)

        await self._with_topic(topic, store)

    async def watch(self, topic: str) -> Position:
        state = self._topics.get(topic)
        if state.head is None:
            await self._with_topic(topic, self._open)
            await self._reader.hear_of_new_topics()
        return state.head.position if state.head else await self.tail(topic)

    def unwatch(self, topic: str) -> None:
        self._topics.get(topic).head = None

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        state = self._topics.get(topic)
        if (entries := _remembered(state, after, limit)) is not None:
            return Stretch(entries, complete=True)

        async def ask(state: TopicState, link: Link) -> Stretch:
            return await self._read(state, link, after, limit)

        return await self._with_topic(topic, ask)

    async def _read(
        self, state: TopicState, link: Link, after: Position | None, limit: int
    ) -> Stretch:
        start = after or Position(state.epoch, 0)
        if start.epoch != state.epoch:
            return Stretch([], complete=False)
        keys = state.keys
        [answer] = await link.call(
            (
                *("EVALSHA", READ.sha, 3, keys.head, keys.log, keys.gone),
                *(link.reign, start.epoch, start.seq, limit),
            )
        )
        if answer[0] == b"epoch":
            state.reign = ""
            raise LogUnavailable("the topic has begun another epoch")
        if answer[0] == b"far":
            return Stretch([], complete=False)
        entries = shown(placed_of(answer[2]), answer[3])
        upto = entries[0].seq - 1 if entries else answer[1]
        if upto > start.seq:
            end = Position(start.epoch, upto)
            trimmed = await self._database.run(log_store.between, state.name, start, end)
            entries = trimmed + entries
        is_complete = len(entries) == answer[1] - start.seq
        return Stretch(entries if is_complete else [], complete=is_complete)

    async def _open(self, state: TopicState, link: Link) -> None:
        """Begin to watch with the newest entries in memory."""
        keys = state.keys
        mark, newest, gone = await link.call(
            Mark.question(state.name),
            ("XREVRANGE", keys.log, "+", "-", "COUNT", REMEMBERED_ENTRIES),
            ("ZRANGE", keys.gone, 0, -1),
        )
        await self._topics.check(state, found := Mark.of(mark), link)
        if found is None or found.epoch != state.epoch or state.keys != keys:
            raise LogUnavailable("the topic has begun another epoch")
        entries = shown(placed_of(newest[::-1]), gone)
        seq = max(found.seq, entries[-1].seq if entries else 0)
        if state.head is None:
            state.head = Head(Position(state.epoch, seq), entries)

    async def _with_topic(self, topic: str, ask: Callable[[TopicState, Link], Awaitable[T]]) -> T:
        """Ask about a topic that goes on; again, for a while, when the connection is lost."""
        if self._loop is None:
            raise LogClosed("the log is not running")
        state = self._topics.get(topic)
        give_up_at = self._loop.time() + ANSWERED_WITHIN_S
        while True:
            epoch = state.epoch
            try:
                link = await self._link.up()
                await self._topics.settle(state, link)
                epoch = state.epoch
                return await ask(state, link)
            except (LogUnavailable, DatabaseError) as error:
                if isinstance(error, Refused) and error.is_of_key:
                    self._topics.spoil(state, epoch)
                if self._loop.time() >= give_up_at:
                    raise LogUnavailable(str(error)) from error
            await asyncio.sleep(AGAIN_AFTER_S)


def _remembered(state: TopicState, after: Position | None, limit: int) -> list[Entry] | None:
    """The answer from memory, if the topic is watched and memory reaches far enough both ways."""
    head = state.head
    if head is None or head.position.seq < state.seen:
        return None
    start = after or Position(head.position.epoch, 0)
    if start.epoch != head.position.epoch or not 0 <= head.position.seq - start.seq <= limit:
        return None
    return head.after(start.seq)
