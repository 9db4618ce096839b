"""One connection that hears of all watched topics, and goes on where it was after a cut."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError

from core.realtime import log_store, tasks
from core.realtime.complaints import Complaints
from core.realtime.log import LogUnavailable, Position
from core.realtime.log_db import LogDatabase
from core.realtime.log_store import Placed, removed_in
from core.realtime.redis_link import KeptLink, Link, Links, Refused
from core.realtime.redis_topics import PIECE, Mark, Topics, TopicState, placed_of

log = logging.getLogger(__name__)

BLOCK_MS = 1_000
SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
NEVER = "lc:nothing-is-watched"


class Reader:
    """Follows the watched topics. `link` is the one for commands, with its own connection."""

    def __init__(self, topics: Topics, links: Links, link: KeptLink, database: LogDatabase) -> None:
        self._topics = topics
        self._links = links
        self._link = link
        self._database = database
        self._own: Link | None = None
        self._round = 0
        self._complaints = Complaints(log)
        self._reading: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._reading = asyncio.create_task(self._read_until_stopped(), name="log-reader")

    async def stop(self) -> None:
        await tasks.end(self._reading)
        if self._own is not None:
            await self._own.close()

    async def hear_of_new_topics(self) -> None:
        """Let the reader look again at what is watched, without waiting for its answer."""
        round_, own = self._round, self._own
        while own is not None and own.is_up and round_ == self._round:
            link = await self._link.up()
            [was_blocked] = await link.call(("CLIENT", "UNBLOCK", own.client_id))
            if was_blocked:
                return
            await asyncio.sleep(0.001)  # its question is still on the way

    async def _read_until_stopped(self) -> None:
        pause_s = SHORTEST_PAUSE_S
        while True:
            try:
                own = self._own = await self._links.open()
                pause_s = SHORTEST_PAUSE_S
                await self._read_from(own)
            except (LogUnavailable, DatabaseError) as error:
                log.warning("the log's reader comes back in %.2f s: %s", pause_s, error)
            except Exception:  # outermost loop: without it nobody would hear anything any more
                log.exception("the log's reader failed")
            if self._own is not None:
                await self._own.close()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    async def _read_from(self, own: Link) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time()
        while True:
            if loop.time() >= check_at:
                await self._check_all(own)
                check_at = loop.time() + BLOCK_MS / 1000
            self._round += 1
            watched = {
                state.keys.log.encode(): state
                for state in self._topics
                if state.head is not None and state.epoch
            }
            [answer] = await own.ask(_question(watched))
            if isinstance(answer, Refused):
                await self._find_spoilt(own, watched, answer)
                check_at = loop.time()
                continue
            for key, rows in answer or ():
                if (state := watched.get(key)) is not None:
                    await self._heard(state, key, placed_of(rows))

    async def _check_all(self, own: Link) -> None:
        """See that every topic is still what it was: it may be replaced while nobody appends."""
        states = [state for state in self._topics if state.epoch and not state.is_idle]
        if not states:
            return
        link = await self._link.up()
        marks = await link.ask(*(Mark.question(state.name) for state in states))
        for state, mark in zip(states, marks, strict=True):
            await self._topics.check(state, Mark.of(mark), link)
        if own.reign != link.reign and await own.read_reign() != link.reign:
            raise LogUnavailable("the reader is connected to another server than the writer")

    async def _find_spoilt(
        self, own: Link, watched: dict[bytes, TopicState], refused: Refused
    ) -> None:
        """One broken topic makes the question after all of them fail: let it begin anew.

        Raises `refused` if no topic is to blame.
        """
        asked = {key: state.epoch for key, state in watched.items()}
        answers = await own.ask(*(("XLEN", key) for key in watched))
        broken = [
            key for key, one in zip(watched, answers, strict=True) if isinstance(one, Refused)
        ]
        if not broken:
            raise refused
        for key in broken:
            self._complaints.note(f"{watched[key].name} cannot be read and begins anew", refused)
            self._topics.spoil(watched[key], asked[key])

    async def _heard(self, state: TopicState, key: bytes, placed: Sequence[Placed]) -> None:
        if state.head is None or state.keys.log.encode() != key:
            return  # left, or begun anew, while the question was under way
        told = state.head.position
        fresh = [one for one in placed if one[0] > told.seq]
        if fresh and fresh[0][0] != told.seq + 1:
            await self._fill(state, told, fresh[0][0] - 1)
            filled = Position(told.epoch, fresh[0][0] - 1)
            if state.head is None or state.head.position != filled:
                return
        self._tell(state, fresh)

    def _tell(self, state: TopicState, placed: Sequence[Placed]) -> None:
        if not placed or state.head is None:
            return
        entries = [entry.at_place(seq) for seq, entry in placed]
        state.head.add(entries, removed_in(state.epoch, [entry for _, entry in placed]))
        state.saw(placed)
        self._topics.tell(state, entries)

    async def _fill(self, state: TopicState, told: Position, upto: int) -> None:
        """Tell from the database what Redis has trimmed before it was read here."""
        end = Position(told.epoch, upto)
        missed = await self._database.run(log_store.between, state.name, told, end)
        if state.head is None or state.head.position != told:
            return
        if len(missed) != upto - told.seq:
            log.error("%s: %d to %d are lost to this process", state.name, told.seq + 1, upto)
            self._topics.skip(state, end)
            return
        state.head.add(missed, ())
        self._topics.tell(state, missed)


def _question(watched: dict[bytes, TopicState]) -> tuple[Any, ...]:
    keys: list[bytes | str] = list(watched) or [NEVER]
    ids = [f"{state.head.position.seq}-0" for state in watched.values() if state.head] or ["0"]
    return ("XREAD", "COUNT", PIECE, "BLOCK", BLOCK_MS, "STREAMS", *keys, *ids)
