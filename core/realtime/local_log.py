"""The log of a single web process: one writer thread, the database, and the newest in memory.

Whatever waits while the writer commits is committed together next (group commit), so that a slow
disk costs latency once, not once per message.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from django.db import DatabaseError, IntegrityError, transaction

from core.realtime import log_store
from core.realtime.db import run_in_db, with_fresh_connections
from core.realtime.log import Entry, Follower, LogClosed, NewEntry, Position, Stretch
from core.realtime.log_json import encoded
from core.realtime.newest import REMEMBERED_ENTRIES, Head
from core.realtime.threads import ended

REMEMBERED_TOPICS = 500
BATCH = 500


@dataclass(slots=True)
class Append:
    """One caller's entries and the place where it waits for their positions."""

    topic: str
    entries: Sequence[NewEntry]
    answer: Future[list[Entry]] = field(default_factory=Future)


def head_of(topic: str) -> Head:
    """The topic's end with its newest entries, as the database has them."""
    end = log_store.tail(topic)
    return Head(end, log_store.newest(topic, end, REMEMBERED_ENTRIES))


class LocalLog:
    """`TopicLog` in this process. Only one process may write a database's log this way."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Append | None] = queue.SimpleQueue()
        self._heads: OrderedDict[str, Head] = OrderedDict()
        self._loading: dict[str, asyncio.Future[Head]] = {}
        self._lock = threading.Lock()
        self._followers: list[Follower] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write; followers are called on the running event loop."""
        self._loop = asyncio.get_running_loop()
        # A daemon: a database that is busy for minutes must not keep the process from ending.
        self._writer = threading.Thread(
            target=self._write_until_stopped, name="log-writer", daemon=True
        )
        self._writer.start()

    async def stop(self) -> None:
        """Store what waits, then refuse."""
        if self._writer is None:
            return
        with self._lock:
            writer, self._writer = self._writer, None
            self._waiting.put(None)
        await ended(writer)

    def follow(self, follower: Follower) -> None:
        self._followers.append(follower)

    async def append(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        return await asyncio.wrap_future(self._submit(topic, entries))

    def append_blocking(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        return self._submit(topic, entries).result()

    async def tail(self, topic: str) -> Position:
        return (await self._head(topic)).position

    async def stored(self, topic: str, upto: Position) -> None:
        pass  # nothing has a place before it is stored

    async def watch(self, topic: str) -> Position:
        return await self.tail(topic)  # followers hear of every topic anyway

    def unwatch(self, topic: str) -> None:
        pass

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        head = await self._head(topic)
        with self._lock:
            tail = head.position
            start = after or Position(tail.epoch, 0)
            if start.epoch != tail.epoch or not 0 <= tail.seq - start.seq <= limit:
                return Stretch([], complete=False)
            entries = head.after(start.seq)
        if entries is None:
            entries = await run_in_db(log_store.between, topic, start, tail)
        return Stretch(entries, complete=len(entries) == tail.seq - start.seq)

    def _submit(self, topic: str, entries: Sequence[NewEntry]) -> Future[list[Entry]]:
        # What cannot be written as JSON must fail its own caller, not everyone in the same commit.
        for entry in entries:
            encoded(entry)
        request = Append(topic, entries)
        with self._lock:  # nothing may be put behind the sentinel that stops the writer
            if self._writer is None:
                raise LogClosed("the log is not running")
            self._waiting.put(request)
        return request.answer

    async def _head(self, topic: str) -> Head:
        with self._lock:
            known = self._heads.get(topic)
        return known or self._remember(topic, await asyncio.shield(self._load(topic)))

    def _load(self, topic: str) -> asyncio.Future[Head]:
        """Read the topic's end once for all who ask: after a restart that is the whole room."""
        loading = self._loading.get(topic)
        if loading is None:
            loading = asyncio.ensure_future(run_in_db(head_of, topic))
            self._loading[topic] = loading
            loading.add_done_callback(lambda _: self._loading.pop(topic, None))
        return loading

    def _head_blocking(self, topic: str) -> Head:
        with self._lock:
            known = self._heads.get(topic)
        return known or self._remember(topic, head_of(topic))

    def _remember(self, topic: str, loaded: Head) -> Head:
        with self._lock:
            head = self._heads.setdefault(topic, loaded)
            self._heads.move_to_end(topic)
            if len(self._heads) > REMEMBERED_TOPICS:
                self._heads.popitem(last=False)
            return head

    def _write_until_stopped(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, stopping = self._drain(first)
            with_fresh_connections(lambda batch=batch: self._commit(batch))  # type: ignore[misc]
            if stopping:
                return

    def _drain(self, first: Append) -> tuple[list[Append], bool]:
        batch = [first]
        while len(batch) < BATCH:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return batch, True
            batch.append(request)
        return batch, False

    def _commit(self, batch: list[Append], *, looks: bool = False) -> None:
        """Store the batch in one transaction; show it only then. `looks`: as in `store`."""
        by_topic: dict[str, list[Append]] = {}
        for request in batch:
            by_topic.setdefault(request.topic, []).append(request)
        try:
            with transaction.atomic():
                written = [self._store(name, asked, looks) for name, asked in by_topic.items()]
        except DatabaseError as error:
            self._forget(by_topic)
            if isinstance(error, IntegrityError) and not looks:
                self._commit(batch, looks=True)
            else:
                self._failed(batch, error)
            return
        for topic_written, asked in zip(written, by_topic.values(), strict=True):
            self._show(topic_written)
            for request, places in zip(asked, topic_written.answers, strict=True):
                request.answer.set_result(places)

    def _failed(self, batch: list[Append], error: DatabaseError) -> None:
        """Store each alone, so that only the one at fault fails."""
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        for request in batch:
            self._commit([request], looks=True)

    def _store(self, topic: str, asked: list[Append], looks: bool) -> log_store.Written:
        tail = self._head_blocking(topic).position
        requests = [request.entries for request in asked]
        return log_store.store(topic, tail, requests, looks=looks)

    def _show(self, written: log_store.Written) -> None:
        with self._lock:
            head = self._heads.get(written.topic)
            if head is not None:
                head.add(written.fresh, written.removed)
        if not written.fresh or self._loop is None or self._loop.is_closed():
            return
        for follower in self._followers:
            self._loop.call_soon_threadsafe(follower, written.topic, written.epoch, written.fresh)

    def _forget(self, topics: Iterable[str]) -> None:
        """After a failed commit only the database knows where a topic ends."""
        with self._lock:
            for topic in topics:
                self._heads.pop(topic, None)
