"""Stores what is on Redis in the database: one process per topic, by a lease that expires.

Storing is at least once, and the database takes each place once, so two keepers at a time cost work
and nothing else. Only the holder of the lease moves the mark behind which Redis may trim.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError

from core.realtime import log_store, tasks
from core.realtime.complaints import Complaints
from core.realtime.log import LogUnavailable, Position
from core.realtime.log_db import LogDatabase
from core.realtime.log_store import Placed
from core.realtime.redis_link import KeptLink, Link, Refused
from core.realtime.redis_scripts import CLEAN, DIRTY_KEY, LEASE, RELEASE, STORED, Keys
from core.realtime.redis_topics import PIECE, Mark, Topics, TopicState, entries_of

log = logging.getLogger(__name__)

KEEP_EVERY_S = 0.25
SWEEP_EVERY_S = 2.0
LEASE_MS = 3_000
DIRTY_FOR_S = 60


class Keeper:
    def __init__(self, topics: Topics, link: KeptLink, database: LogDatabase) -> None:
        self._topics = topics
        self._link = link
        self._database = database
        self._me = uuid.uuid4().hex
        self._complaints = Complaints(log)
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep_until_stopped(), name="log-keeper")

    async def stop(self) -> None:
        """Store what this process has seen, and let others keep its topics at once."""
        await tasks.end(self._keeping)
        await self._safely(self._keep)
        await self._safely(self._release_all)
        await self._save_seen()

    async def stored(self, state: TopicState, upto: Position) -> None:
        """Return once all up to here is in the database; many who ask share one storing."""
        while state.epoch == upto.epoch and state.stored < upto.seq:
            if state.storing is None or state.storing.done():
                state.storing = asyncio.create_task(self._store(state))
            await asyncio.shield(state.storing)

    async def _keep_until_stopped(self) -> None:
        sweep_at = 0.0
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self._safely(self._keep)
            if time.monotonic() >= sweep_at:
                sweep_at = time.monotonic() + SWEEP_EVERY_S
                await self._safely(self._sweep)

    async def _safely(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (LogUnavailable, DatabaseError) as error:
            self._complaints.note("the log could not be stored, again soon", error)
        except Exception:  # outermost loop: what cannot be stored must not stop the rest
            log.exception("the log could not be stored")

    @contextmanager
    def _apart(self, state: TopicState, link: Link | None = None) -> Iterator[None]:
        """What goes wrong with one topic is its own affair, but for a `link` that is lost by it."""
        epoch = state.epoch
        try:
            yield
        except (LogUnavailable, DatabaseError) as error:
            if isinstance(error, Refused) and error.is_of_key:
                self._topics.spoil(state, epoch)
            elif link is not None and not link.is_up:
                raise
            self._complaints.note(f"{state.name} could not be stored, again soon", error)

    async def _keep(self) -> None:
        await self._store_left_overs()
        waiting = [state for state in self._topics if state.epoch and state.seen > state.marked]
        if not waiting:
            return
        try:
            await self._keep_all(waiting)
        except LogUnavailable:
            await self._store_from_memory()
            raise

    async def _keep_all(self, waiting: Sequence[TopicState]) -> None:
        link = await self._link.up()
        leases = await link.ask(
            *(("EVALSHA", LEASE.sha, 1, one.keys.keeper, self._me, LEASE_MS) for one in waiting)
        )
        for state, is_mine in zip(waiting, leases, strict=True):
            with self._apart(state, link):
                if isinstance(is_mine, Refused):
                    raise is_mine
                if is_mine:
                    await self._keep_one(state, link)

    async def _keep_one(self, state: TopicState, link: Link) -> None:
        epoch = state.epoch
        await self.stored(state, Position(epoch, state.seen))
        marks = await self._mark(link, state.name, epoch, state.stored)
        if marks is not None and state.epoch == epoch:
            state.was_marked(*marks)

    async def _store_left_overs(self) -> None:
        for state in self._topics:
            with self._apart(state):
                await self._store_left_overs_of(state)

    async def _store_left_overs_of(self, state: TopicState) -> None:
        for epoch, placed in list(state.left_over.items()):
            placed.sort(key=lambda one: one[0])
            kept = len(placed)
            await self._database.run(log_store.keep, state.name, epoch, placed[:kept])
            del placed[:kept]  # more may have come meanwhile
            if not placed:
                state.left_over.pop(epoch, None)

    async def _store_from_memory(self) -> None:
        """Redis is away and may come back without what was shown to people: store it now.

        Every process does, without a lease; the database takes each place once.
        """
        for state in self._topics:
            if placed := sorted(state.unstored.items()):
                epoch = state.epoch
                with self._apart(state):
                    await self._database.run(log_store.keep, state.name, epoch, placed)
                    if state.epoch == epoch:
                        state.was_saved(placed)

    async def _store(self, state: TopicState) -> None:
        """Store the next piece after what is stored, from memory or else from Redis."""
        epoch, after = state.epoch, state.stored
        link = await self._link.up()
        reign = state.reign
        placed = _unbroken(state, after)
        if not placed:
            there = dict(await entries_of(link, state.name, epoch, after))
            # Redis may have lost some of them, which memory still has.
            seen = {seq: one for seq, one in state.unstored.items() if seq <= max(there, default=0)}
            placed = sorted((seen | there).items())
        if not placed or state.epoch != epoch:
            is_lost = state.epoch == epoch and reign == state.reign == link.reign
            raise Refused(f"{state.name}: what is to be stored is not there", is_of_key=is_lost)
        await self._database.run(log_store.keep, state.name, epoch, placed)
        if state.epoch == epoch:
            state.was_stored(placed[-1][0])

    async def _mark(self, link: Link, topic: str, epoch: str, upto: int) -> tuple[int, int] | None:
        """Say on Redis how far the topic is stored, if the lease still is this process's."""
        keys = Keys.of(topic, epoch)
        [marks] = await link.call(
            (
                *("EVALSHA", STORED.sha, 5, keys.head, keys.log, keys.facts, keys.gone),
                *(keys.keeper, self._me, epoch, upto),
            )
        )
        return (marks[0], marks[1]) if marks else None

    async def _sweep(self) -> None:
        """Find topics whose appender died before they were stored."""
        link = await self._link.up()
        [marked] = await link.call(("ZRANGE", DIRTY_KEY, 0, -1, "WITHSCORES"))
        names = [name.decode() for name in marked[::2]]
        if names:
            answers = await link.ask(*(Mark.question(name) for name in names))
            for name, when, answer in zip(names, marked[1::2], answers, strict=True):
                try:
                    await self._sweep_one(link, name, when, Mark.of(answer))
                except (LogUnavailable, DatabaseError) as error:
                    if not link.is_up:
                        raise
                    self._complaints.note(f"{name} could not be stored, again soon", error)
        self._topics.forget_idle()

    async def _sweep_one(self, link: Link, name: str, when: bytes, mark: Mark | None) -> None:
        if mark is not None and mark.stored < mark.seq:
            state = self._topics.get(name)
            if state.epoch == mark.epoch:
                state.was_marked(mark.stored, mark.seq)
            else:
                await self._store_or_begin_anew(link, state, mark)
        elif time.time() - float(when) > DIRTY_FOR_S:
            await link.call(("EVALSHA", CLEAN.sha, 1, DIRTY_KEY, name, when))

    async def _store_or_begin_anew(self, link: Link, state: TopicState, mark: Mark) -> None:
        """Store a topic of others; one whose keys are broken goes on in another epoch."""
        try:
            await self._store_of_others(link, state.name, mark)
        except Refused as refused:
            if not refused.is_of_key:
                raise
            self._complaints.note(f"{state.name} is broken on Redis and begins anew", refused)
            self._topics.spoil(state, mark.epoch)
            await self._topics.settle(state, link)

    async def _store_of_others(self, link: Link, name: str, mark: Mark) -> None:
        """Store a topic that this process has nothing to do with."""
        keeper = Keys.of(name, mark.epoch).keeper
        [is_mine] = await link.call(("EVALSHA", LEASE.sha, 1, keeper, self._me, LEASE_MS))
        after = mark.stored
        while is_mine and after < mark.seq:
            placed = await entries_of(link, name, mark.epoch, after)
            if not placed:
                raise Refused(f"{name}: what is to be stored is not there", is_of_key=True)
            await self._database.run(log_store.keep, name, mark.epoch, placed)
            after = placed[-1][0]
            await self._mark(link, name, mark.epoch, after)

    async def _release_all(self) -> None:
        kept = [state.keys.keeper for state in self._topics if state.epoch]
        if kept:
            link = await self._link.up()
            await link.ask(*(("EVALSHA", RELEASE.sha, 1, key, self._me) for key in kept))

    async def _save_seen(self) -> None:
        """At the end: store what memory still holds, if Redis was gone before it was stored."""
        for state in self._topics:
            state.leave_epoch()
        await self._store_left_overs()
        for state in self._topics:
            for epoch, placed in state.left_over.items():
                log.error("%s %s: %d entries could not be stored", state.name, epoch, len(placed))


def _unbroken(state: TopicState, after: int) -> Sequence[Placed]:
    """What memory holds right after `after`, without a hole."""
    placed: list[Placed] = []
    seq = after + 1
    while len(placed) < PIECE and (entry := state.unstored.get(seq)) is not None:
        placed.append((seq, entry))
        seq += 1
    return placed
