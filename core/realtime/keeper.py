"""Stores what is on Redis in the database: one process per topic, by a lease that expires.

Storing is at least once, and the database takes each place once, so two keepers at a time cost work
and nothing else. Only the holder of the lease moves the mark behind which Redis may trim.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence

from django.db import DatabaseError

from core.realtime import log_store
from core.realtime.log import LogUnavailable, Position
from core.realtime.log_db import LogDatabase
from core.realtime.log_store import Placed
from core.realtime.redis_link import KeptLink, Link
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
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep_until_stopped(), name="log-keeper")

    async def stop(self) -> None:
        """Store what this process has seen, and let others keep its topics at once."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        try:
            await self._keep()
            await self._release_all()
        except (LogUnavailable, DatabaseError) as error:
            log.warning("not everything could be stored at the end: %s", error)
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
            try:
                if time.monotonic() >= sweep_at:
                    await self._sweep()
                    sweep_at = time.monotonic() + SWEEP_EVERY_S
                await self._keep()
            except (LogUnavailable, DatabaseError) as error:
                log.warning("the log could not be stored, again soon: %s", error)
            except Exception:  # outermost loop: what cannot be stored must not stop the rest
                log.exception("the log could not be stored")

    async def _keep(self) -> None:
        await self._store_left_overs()
        waiting = [state for state in self._topics if state.epoch and state.seen > state.marked]
        if not waiting:
            return
        link = await self._link.up()
        leases = await link.call(
            *(("EVALSHA", LEASE.sha, 1, one.keys.keeper, self._me, LEASE_MS) for one in waiting)
        )
        for state, is_mine in zip(waiting, leases, strict=True):
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
            for epoch, placed in list(state.left_over.items()):
                placed.sort(key=lambda one: one[0])
                kept = len(placed)
                await self._database.run(log_store.keep, state.name, epoch, placed[:kept])
                del placed[:kept]  # more may have come meanwhile
                if not placed:
                    state.left_over.pop(epoch, None)

    async def _store(self, state: TopicState) -> None:
        """Store the next piece after what is stored, from memory or else from Redis."""
        epoch, after = state.epoch, state.stored
        link = await self._link.up()
        placed = _unbroken(state, after) or await entries_of(link, state.name, epoch, after)
        if not placed or state.epoch != epoch:
            raise LogUnavailable(f"{state.name}: what is to be stored cannot be read now")
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
            answers = await link.call(*(Mark.question(name) for name in names))
            for name, when, answer in zip(names, marked[1::2], answers, strict=True):
                await self._sweep_one(link, name, when, Mark.of(answer))
        self._topics.forget_idle()

    async def _sweep_one(self, link: Link, name: str, when: bytes, mark: Mark | None) -> None:
        if mark is not None and mark.stored < mark.seq:
            state = self._topics.get(name)
            if state.epoch == mark.epoch:
                state.was_marked(mark.stored, mark.seq)
            else:
                await self._store_of_others(link, name, mark)
        elif time.time() - float(when) > DIRTY_FOR_S:
            await link.call(("EVALSHA", CLEAN.sha, 1, DIRTY_KEY, name, when))

    async def _store_of_others(self, link: Link, name: str, mark: Mark) -> None:
        """Store a topic that this process has nothing to do with."""
        keeper = Keys.of(name, mark.epoch).keeper
        [is_mine] = await link.call(("EVALSHA", LEASE.sha, 1, keeper, self._me, LEASE_MS))
        after = mark.stored
        while is_mine and after < mark.seq:
            placed = await entries_of(link, name, mark.epoch, after)
            if not placed:
                return
            await self._database.run(log_store.keep, name, mark.epoch, placed)
            after = placed[-1][0]
            await self._mark(link, name, mark.epoch, after)

    async def _release_all(self) -> None:
        kept = [state.keys.keeper for state in self._topics if state.epoch]
        if kept:
            link = await self._link.up()
            await link.call(*(("EVALSHA", RELEASE.sha, 1, key, self._me) for key in kept))

    async def _save_seen(self) -> None:
        """Redis is gone: store what memory holds."""
        for state in self._topics:
            state.leave_epoch()
        try:
            await self._store_left_overs()
        except DatabaseError:
            log.exception("what was seen of the log and not stored is lost to the stored log")


def _unbroken(state: TopicState, after: int) -> Sequence[Placed]:
    """What memory holds right after `after`, without a hole."""
    placed: list[Placed] = []
    seq = after + 1
    while len(placed) < PIECE and (entry := state.unstored.get(seq)) is not None:
        placed.append((seq, entry))
        seq += 1
    return placed
