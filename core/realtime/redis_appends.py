"""Appending on Redis: whatever waits while one call is under way goes together in the next."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError

from core.realtime import log_store
from core.realtime.complaints import Complaints
from core.realtime.log import Entry, LogClosed, LogUnavailable, NewEntry
from core.realtime.log_db import LogDatabase
from core.realtime.log_json import decoded, encoded
from core.realtime.log_store import Placed
from core.realtime.redis_link import Command, KeptLink, Link, Refused
from core.realtime.redis_scripts import APPEND, DIRTY_KEY
from core.realtime.redis_topics import Topics, TopicState

log = logging.getLogger(__name__)

APPENDED_WITHIN_S = 2.5
AGAIN_AFTER_S = 0.05
TOGETHER = 500


class Answer:
    """Where a request's entries lie: what is told, and what may still have to be stored."""

    def __init__(self, epoch: str, entries: list[Entry], placed: list[Placed]) -> None:
        self.epoch = epoch
        self.entries = entries
        self.placed = placed


class Request:
    """One caller's entries on their way. Raises what `encoded` raises."""

    def __init__(self, topic: str, entries: Sequence[NewEntry]) -> None:
        self.topic = topic
        self.entries = entries
        self.texts = [encoded(entry) for entry in entries]
        self.known: dict[uuid.UUID, Entry] = {}
        """The facts among them that are stored already."""
        self.looked_in = ""
        """The epoch in which the database was asked: what was told before is stored since."""
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    @property
    def may_repeat(self) -> bool:
        return all(entry.fact_id is not None for entry in self.entries)

    def fresh(self) -> list[tuple[NewEntry, bytes]]:
        """What goes to Redis: everything but facts that the database knows."""
        pairs = zip(self.entries, self.texts, strict=True)
        return [(entry, text) for entry, text in pairs if entry.fact_id not in self.known]


class Appender:
    """Takes requests from the event loop and sends them in flights."""

    def __init__(self, topics: Topics, link: KeptLink, database: LogDatabase) -> None:
        self._topics = topics
        self._link = link
        self._database = database
        self._waiting: deque[Request] = deque()
        self._work = asyncio.Event()
        self._stopping = False
        self._complaints = Complaints(log)
        self._flying: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._flying = asyncio.create_task(self._fly_until_stopped(), name="log-appends")

    async def stop(self) -> None:
        """Send what waits; what cannot be sent fails within its own time."""
        self._stopping = True
        self._work.set()
        if self._flying is not None:
            await self._flying

    async def append(self, topic: str, entries: Sequence[NewEntry]) -> Answer:
        """Raises `LogClosed`, `LogUnavailable`, or what `encoded` raises."""
        request = Request(topic, entries)
        if self._stopping or self._flying is None:
            raise LogClosed("the log is not running")
        self._waiting.append(request)
        self._work.set()
        try:
            async with asyncio.timeout(APPENDED_WITHIN_S):
                return await request.answer
        except TimeoutError as error:
            raise LogUnavailable("the log did not answer in time") from error

    async def _fly_until_stopped(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                flight = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
                if not await self._fly_safely([one for one in flight if not one.answer.done()]):
                    await asyncio.sleep(AGAIN_AFTER_S)
            if self._stopping:
                return

    async def _fly_safely(self, flight: list[Request]) -> bool:
        try:
            return await self._fly(flight)
        except Exception as error:  # outermost loop: without it nothing could be appended any more
            log.exception("a flight of appends failed")
            for request in flight:
                if not request.answer.done():
                    request.answer.set_exception(LogUnavailable(str(error)))
            return False

    async def _fly(self, flight: list[Request]) -> bool:
        """Whether it went well; requests that may be sent again wait again, in their order."""
        if not flight:
            return True
        try:
            link = await self._link.up()
            by_topic = await self._prepared(flight, link)
        except (LogUnavailable, DatabaseError):
            self._waiting.extendleft(reversed(flight))  # nothing has been sent
            return False
        # The epochs as they are asked for: another may have begun by the time of the answer.
        epochs = [state.epoch for state in by_topic]
        try:
            answers = await link.ask(*self._calls(by_topic, link))
        except LogUnavailable as error:
            self._lost(flight, error)
            return False
        again: list[Request] = []
        is_refused = False
        for epoch, (state, requests), answer in zip(
            epochs, by_topic.items(), answers[1:], strict=True
        ):
            if isinstance(answer, Refused):
                is_refused = True
                again += self._refused(state, epoch, requests, answer)
            else:
                again += self._landed(state, epoch, requests, answer)
        self._waiting.extendleft(reversed(again))
        return not is_refused

    async def _prepared(
        self, flight: Sequence[Request], link: Link
    ) -> dict[TopicState, list[Request]]:
        by_topic: dict[TopicState, list[Request]] = {}
        for request in flight:
            by_topic.setdefault(self._topics.get(request.topic), []).append(request)
        for state, requests in by_topic.items():
            await self._topics.settle(state, link)
            if state.looks_first:
                await self._look(state, requests)
        return by_topic

    async def _look(self, state: TopicState, requests: Sequence[Request]) -> None:
        """Ask the database which of their facts it has."""
        epoch = state.epoch
        asking = [request for request in requests if request.looked_in != epoch]
        facts = [entry for one in asking for entry in one.entries if entry.fact_id is not None]
        known = await self._database.run(log_store.known_facts, state.name, facts) if facts else {}
        for request in asking:
            request.known, request.looked_in = known, epoch

    def _calls(self, by_topic: dict[TopicState, list[Request]], link: Link) -> list[Command]:
        # Marked before: a process that dies right after its append leaves a topic that is found.
        moment = int(time.time())
        marks = [part for state in by_topic for part in (moment, state.name)]
        return [
            ("ZADD", DIRTY_KEY, *marks),
            *(self._call(state, requests, link) for state, requests in by_topic.items()),
        ]

    def _call(self, state: TopicState, requests: Sequence[Request], link: Link) -> Command:
        keys = state.keys
        has_looked = all(request.looked_in == state.epoch for request in requests)
        parts: list[str | bytes | int] = []
        for request in requests:
            for entry, text in request.fresh():
                here = entry.removes_epoch in (None, state.epoch)
                removes = entry.removes if here and entry.removes is not None else ""
                parts += (text, entry.fact_id.hex if entry.fact_id else "", removes)
        return (
            *("EVALSHA", APPEND.sha, 4, keys.head, keys.log, keys.facts, keys.gone),
            *(link.reign, state.epoch, state.seen, int(has_looked)),
            *parts,
        )

    def _landed(
        self, state: TopicState, epoch: str, requests: list[Request], answer: Sequence[Any]
    ) -> list[Request]:
        """Answer the requests; those that have to be sent again are returned."""
        if answer[0] == b"epoch":
            state.reign = ""
        if answer[0] == b"look":
            state.looks_first = True
        if answer[0] != b"ok":
            return requests
        seqs, repeats = deque(answer[2]), deque(answer[3])
        for request in requests:
            found, heard = self._placed(epoch, request, seqs, repeats)
            state.saw_in(epoch, heard)
            if not request.answer.done():
                request.answer.set_result(found)
        return []

    def _placed(
        self, epoch: str, request: Request, seqs: deque[int], repeats: deque[bytes | None]
    ) -> tuple[Answer, list[Placed]]:
        """The answer, and what this process vouches for from now on, should Redis lose it.

        That is also a repeat: its first answer may have been lost, and nobody has heard of it.
        """
        answer = Answer(epoch, [], [])
        heard: list[Placed] = []
        for entry in request.entries:
            if entry.fact_id is not None and entry.fact_id in request.known:
                answer.entries.append(request.known[entry.fact_id])
                continue
            seq, repeat = seqs.popleft(), repeats.popleft()
            first = entry if not repeat else decoded(repeat)
            if repeat != b"":  # else it is trimmed, and so it is stored
                heard.append((seq, first))
            answer.entries.append(first.at_place(seq))
            answer.placed.append((seq, first))
        return answer, heard

    def _refused(
        self, state: TopicState, epoch: str, requests: Sequence[Request], refused: Refused
    ) -> list[Request]:
        self._complaints.note(f"{state.name} takes no entries", refused)
        if refused.is_of_key:
            self._topics.spoil(state, epoch)
        return self._repeatable(requests, refused)

    def _lost(self, flight: Sequence[Request], error: LogUnavailable) -> None:
        self._waiting.extendleft(reversed(self._repeatable(flight, error)))

    def _repeatable(self, requests: Sequence[Request], error: LogUnavailable) -> list[Request]:
        """They may have arrived or not. A fact may be sent again: it is taken once."""
        for request in requests:
            if not request.may_repeat and not request.answer.done():
                request.answer.set_exception(error)
        return [one for one in requests if one.may_repeat]
