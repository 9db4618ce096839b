"""Whatever order of appends, repeats, removals, reads, restarts and failures: the log keeps its
promise, judged by a model that is kept as plainly as can be."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import close_old_connections
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.clock import now
from core.realtime import log_store
from core.realtime.db import run_in_db
from core.realtime.local_log import LocalLog
from core.realtime.log import Entry, LogUnavailable, NewEntry, Position
from core.realtime.models import LogEntry, Topic
from core.realtime.redis_log import RedisLog
from tests.logs import AnyLog, Logs
from tests.network import Wire, wire
from tests.realtime import until
from tests.redis_server import RedisServer, redis_server

TOPICS = ("show:apples", "show:pears")
FACTS = [uuid.UUID(int=number) for number in range(4)]
REPEATED_AT_MOST = 30

topics = st.sampled_from(TOPICS)
appends = st.tuples(
    st.just("append"),
    topics,
    st.lists(st.sampled_from([None, *FACTS]), min_size=1, max_size=5),
)
removals = st.tuples(st.just("remove"), topics, st.integers(1, 8))
reads = st.tuples(st.just("read"), topics, st.integers(0, 12))
crowds = st.tuples(st.just("crowd"), topics, st.integers(2, 6))
restarts = st.tuples(st.just("restart"), topics, st.none())
watches = st.tuples(st.sampled_from(["watch", "unwatch"]), topics, st.none())
stores = st.tuples(st.just("store"), topics, st.none())
harmless = st.one_of(appends, removals, reads, crowds, restarts, watches, stores)
failures = st.tuples(
    st.sampled_from(["save", "kill", "empty", "flush", "cut", "trim"]), topics, st.none()
)


class Model:
    """All that was ever acknowledged or told, and what must be true of it."""

    def __init__(self) -> None:
        self.kinds: dict[tuple[str, str, int], str] = {}
        """What each position holds: the mark of its entry."""
        self.facts: dict[tuple[str, uuid.UUID], set[tuple[str, int]]] = {}
        self.ends: dict[str, Position] = {}
        self.gone: set[tuple[str, str, int]] = set()
        self.faults: list[AssertionError] = []
        self.may_break = False
        """Whether something has happened after which a new epoch may begin."""

    def holds(self, topic: str, epoch: str, entry: Entry) -> None:
        """A position was told by anybody: it never holds anything else."""
        place = (topic, epoch, entry.seq)
        mark = str(entry.data.get("mark", ""))
        assert self.kinds.setdefault(place, mark) == mark, f"{place} was used twice"
        if entry.fact_id is not None:
            self.facts.setdefault((topic, entry.fact_id), set()).add((epoch, entry.seq))

    def reached(self, topic: str, position: Position) -> None:
        """The end of a topic moves on within its epoch, or to a later epoch."""
        before = self.ends.get(topic)
        if before is not None and before.epoch != position.epoch:
            assert self.may_break, "a new epoch without a reason"
            assert position.epoch > before.epoch, "an epoch came back"
        elif before is not None:
            assert position.seq >= before.seq, "the log became shorter within an epoch"
        self.ends[topic] = position


@dataclass
class Ear:
    """One follower: it hears each epoch without a hole or a repeat, from where it began."""

    model: Model
    at: dict[str, Position] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)

    def hear(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        """Called by the log, where an error would only be logged: it is judged in the end."""
        try:
            self._hear(topic, epoch, entries)
        except AssertionError as error:
            self.model.faults.append(error)

    def _hear(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        here = self.at.get(topic)
        if here is None:
            return
        if here.epoch != epoch:
            assert epoch > here.epoch
            here = self.at[topic] = Position(epoch, 0)
        for entry in entries:
            if entry.seq <= here.seq and here.seq == self.began.get(topic, 0):
                continue  # the in-process log tells of what came while the place was read
            assert entry.seq == here.seq + 1, f"{topic}: {here.seq} and then {entry.seq}"
            here = self.at[topic] = Position(epoch, entry.seq)
            if (topic, epoch, entry.seq) not in self.model.gone:
                self.model.holds(topic, epoch, entry)


class Play:
    """A log, its model, and the steps."""

    def __init__(self, make: Any, redis: RedisServer | None, line: Wire | None) -> None:
        self._make = make
        self.redis = redis
        self.line = line
        self.model = Model()
        self.log: AnyLog = make()
        self.ear = Ear(self.model)
        self.count = 0
        self.begin()

    def begin(self) -> None:
        self.log.start()
        self.ear = Ear(self.model)
        self.log.follow(self.ear.hear)

    def said(self, fact: uuid.UUID | None = None, removes: int | None = None) -> NewEntry:
        self.count += 1
        # A fact says the same each time; everything else is told apart from everything else.
        mark = str(fact or self.count)
        return NewEntry(type="said", data={"mark": mark}, at=now(), fact_id=fact, removes=removes)

    async def append(self, topic: str, facts: Sequence[uuid.UUID | None]) -> None:
        await self._put(topic, [self.said(fact) for fact in facts])

    async def crowd(self, topic: str, size: int) -> None:
        await asyncio.gather(*(self._put(topic, [self.said()]) for _ in range(size)))

    async def remove(self, topic: str, seq: int) -> None:
        end = await self.log.tail(topic)
        if seq <= end.seq:
            # By name of its epoch: a history that is lost meanwhile must not cost another entry.
            gone = NewEntry(
                type="said",
                data={"mark": f"gone {seq} {end.epoch}"},
                at=now(),
                removes=seq,
                removes_epoch=end.epoch,
            )
            self.model.gone.add((topic, end.epoch, seq))
            await self._put(topic, [gone])

    async def _put(self, topic: str, entries: list[NewEntry]) -> None:
        placed = await self.log.append(topic, entries)
        end = await self.log.tail(topic)
        pairs = list(zip(entries, placed, strict=True))
        seqs = [entry.seq for new, entry in pairs if new.fact_id is None]
        assert seqs == sorted(set(seqs)), "positions do not rise"
        for new, entry in pairs:
            assert entry.data == new.data or entry.type == "tombstone"
            if new.fact_id is None and entry.seq <= end.seq and not self.model.may_break:
                self.model.holds(topic, end.epoch, entry)

    async def read(self, topic: str, after: int) -> None:
        end = await self.log.tail(topic)
        self.model.reached(topic, end)
        stretch = await self.log.read(topic, Position(end.epoch, after), limit=100)
        if not stretch.complete:
            assert after > end.seq or self.redis is not None
            assert not stretch.entries
            return
        assert [entry.seq for entry in stretch.entries] == [
            after + 1 + n for n in range(len(stretch.entries))
        ]
        assert after + len(stretch.entries) >= end.seq
        for entry in stretch.entries:
            if (topic, end.epoch, entry.seq) in self.model.gone:
                assert entry.type == "tombstone"
            else:
                self.model.holds(topic, end.epoch, entry)

    async def watch(self, topic: str, _: None) -> None:
        if topic not in self.ear.at:
            here = await self.log.watch(topic)
            self.ear.at[topic] = here
            self.ear.began[topic] = here.seq

    async def unwatch(self, topic: str, _: None) -> None:
        self.log.unwatch(topic)
        self.ear.at.pop(topic, None)

    async def store(self, topic: str, _: None) -> None:
        end = await self.log.tail(topic)
        await self.log.stored(topic, end)
        now_at = await self.log.tail(topic)
        if now_at.epoch == end.epoch:
            found = await run_in_db(log_store.between, topic, Position(end.epoch, 0), end)
            assert [entry.seq for entry in found] == list(range(1, end.seq + 1))

    async def restart(self, topic: str, _: None) -> None:
        await self.log.stop()
        self.log = self._make()
        self.begin()

    async def save(self, topic: str, _: None) -> None:
        assert self.redis is not None
        self.redis.save()

    async def kill(self, topic: str, _: None) -> None:
        assert self.redis is not None
        self.model.may_break = True
        self.redis.kill()
        self.redis.start()

    async def empty(self, topic: str, _: None) -> None:
        assert self.redis is not None
        self.model.may_break = True
        self.redis.kill()
        self.redis.start_empty()

    async def flush(self, topic: str, _: None) -> None:
        assert self.redis is not None
        self.model.may_break = True
        self.redis.flush()

    async def cut(self, topic: str, _: None) -> None:
        assert self.line is not None
        self.line.cut()

    async def trim(self, topic: str, _: None) -> None:
        """As Redis does with what is stored and old, only much sooner."""
        assert self.redis is not None
        end = await self.log.tail(topic)
        await self.log.stored(topic, end)
        with self.redis.client() as client:
            client.xtrim(f"lc:{{{topic}}}:log:{end.epoch}", minid=end.seq, approximate=False)

    async def act(self, step: str, topic: str, detail: Any) -> None:
        """Do a step; what a failure before has disturbed is done again, as its users do."""
        for _ in range(REPEATED_AT_MOST):
            try:
                await getattr(self, step)(topic, detail)
            except LogUnavailable:
                continue
            return
        raise AssertionError("the log did not come back")

    async def judge(self) -> None:
        """In the end: everybody who listens has heard everything, and it is stored as it was."""
        for topic in TOPICS:
            end = await self.log.tail(topic)
            self.model.reached(topic, end)
            if topic in self.ear.at:
                await until(lambda topic=topic, end=end: self.ear.at[topic] == end)  # type: ignore[misc]
            await self.log.stored(topic, end)
        await self.log.stop()
        assert not self.model.faults
        await run_in_db(self._judge_rows)

    def _judge_rows(self) -> None:
        rows = LogEntry.objects.order_by("topic", "epoch", "seq")
        stored = {(row.topic, row.epoch, row.seq): row for row in rows}
        facts = [(row.topic, row.fact_id) for row in rows if row.fact_id is not None]
        assert len(facts) == len(set(facts)), "a fact is stored twice"
        for place, mark in self.model.kinds.items():
            assert place in stored, f"{place} was seen, and is not stored"
            row = stored[place]
            if row.removed_at is None:
                assert row.data["mark"] == mark
            else:
                assert place in self.model.gone or self._is_repeat(place)
        for (topic, _), places in self.model.facts.items():
            assert len({epoch for epoch, _ in places}) == len(places), f"{topic}: a fact twice"

    def _is_repeat(self, place: tuple[str, str, int]) -> bool:
        """Whether it is the second telling of a fact, whose first was in a lost epoch."""
        topic, epoch, seq = place
        return any(
            of == topic and (epoch, seq) in places and len(places) > 1
            for (of, _), places in self.model.facts.items()
        )


async def play(play: Play, script: Sequence[tuple[str, str, Any]]) -> None:
    try:
        for step, topic, detail in script:
            await play.act(step, topic, detail)
        for topic in TOPICS:
            await play.act("read", topic, 0)
        await play.judge()
    finally:
        await play.log.stop()


def forget_everything() -> None:
    LogEntry.objects.all().delete()
    Topic.objects.all().delete()
    close_old_connections()


MANY = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MANY
@given(script=st.lists(harmless, max_size=12))
def test_the_log_of_one_process_keeps_its_promise(
    transactional_db: None, script: list[Any]
) -> None:
    async def run() -> None:
        await play(Play(LocalLog, None, None), script)

    forget_everything()
    asyncio.run(run())


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def on_redis(redis: RedisServer) -> AsyncIterator[Play]:
    async with wire(redis.address) as line:
        yield Play(lambda: RedisLog(f"redis://{line.address}/0"), redis, line)


APPLES, PEARS = TOPICS
# What chance finds too seldom: the only process that had seen the end is gone as well, and the
# server that comes back has less than was told.
ALL_STALE = [
    ("append", APPLES, [None, FACTS[0]]),
    ("save", APPLES, None),
    ("watch", APPLES, None),
    ("append", APPLES, [None, FACTS[1], None]),
    ("read", APPLES, 0),
    ("restart", APPLES, None),
    ("kill", APPLES, None),
    ("append", APPLES, [None, FACTS[1]]),
]
TRIMMED_AND_CUT = [
    ("watch", PEARS, None),
    ("append", PEARS, [None] * 5),
    ("remove", PEARS, 2),
    ("cut", PEARS, None),
    ("trim", PEARS, None),
    ("read", PEARS, 0),
    ("flush", PEARS, None),
    ("append", PEARS, [FACTS[2], None]),
    ("remove", PEARS, 1),
    ("unwatch", PEARS, None),
    ("watch", PEARS, None),
    ("crowd", PEARS, 5),
]


@MANY
@given(script=st.lists(st.one_of(harmless, failures), max_size=14))
@example(script=ALL_STALE)
@example(script=TRIMMED_AND_CUT)
def test_the_log_on_redis_keeps_its_promise(
    transactional_db: None, own_redis: RedisServer, script: list[Any]
) -> None:
    async def run() -> None:
        async with on_redis(own_redis) as played:
            await play(played, script)

    forget_everything()
    own_redis.flush()
    own_redis.save()
    asyncio.run(run())


async def test_epochs_outlive_a_restart(logs: Logs) -> None:
    first = logs.start()
    before = await first.tail(TOPICS[0])
    await first.stop()
    assert await logs.start().tail(TOPICS[0]) == before
    assert await run_in_db(Topic.objects.count) == 1
