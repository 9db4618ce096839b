"""Whatever order of appends, repeats, removals, reads and restarts: the log keeps its promise."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import now
from core.realtime.db import run_in_db
from core.realtime.local_log import LocalLog
from core.realtime.log import NewEntry, Position
from core.realtime.models import LogEntry, Topic

TOPICS = ("show:apples", "show:pears")
FACTS = [uuid.UUID(int=number) for number in range(4)]

appends = st.tuples(
    st.just("append"),
    st.sampled_from(TOPICS),
    st.lists(st.sampled_from([None, *FACTS]), min_size=1, max_size=5),
)
removals = st.tuples(st.just("remove"), st.sampled_from(TOPICS), st.integers(1, 8))
reads = st.tuples(st.just("read"), st.sampled_from(TOPICS), st.integers(0, 12))
crowds = st.tuples(st.just("crowd"), st.sampled_from(TOPICS), st.integers(2, 6))
restarts = st.tuples(st.just("restart"), st.none(), st.none())
steps = st.lists(st.one_of(appends, removals, reads, crowds, restarts), max_size=12)


@dataclass
class Model:
    """What the log ought to hold, kept as plainly as can be."""

    types: dict[str, list[str]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})
    facts: dict[tuple[str, uuid.UUID], int] = field(default_factory=dict)
    heard: dict[str, list[int]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})

    def hear(self, topic: str, epoch: str, entries: Any) -> None:
        self.heard[topic] += [entry.seq for entry in entries]

    def append(self, topic: str, fact: uuid.UUID | None) -> int:
        if fact is not None and (topic, fact) in self.facts:
            return self.facts[topic, fact]
        self.types[topic].append("said")
        seq = len(self.types[topic])
        if fact is not None:
            self.facts[topic, fact] = seq
        return seq


def said(fact: uuid.UUID | None = None) -> NewEntry:
    return NewEntry(type="said", data={}, at=now(), fact_id=fact)


async def play(script: list[tuple[str, Any, Any]]) -> None:
    model, log = Model(), started(Model())
    log.follow(model.hear)
    try:
        for step, topic, detail in script:
            if step == "restart":
                await log.stop()
                log = started(model)
                log.follow(model.hear)
            else:
                await STEPS[step](model, log, topic, detail)
    finally:
        await log.stop()
    await asyncio.sleep(0)  # what was stored is shown on the loop's next turn
    for topic in TOPICS:
        assert model.heard[topic] == list(range(1, len(model.types[topic]) + 1))


def started(model: Model) -> LocalLog:
    log = LocalLog()
    log.start()
    return log


async def append(model: Model, log: LocalLog, topic: str, facts: Any) -> None:
    places = [entry.seq for entry in await log.append(topic, [said(fact) for fact in facts])]
    assert places == [model.append(topic, fact) for fact in facts]


async def crowd(model: Model, log: LocalLog, topic: str, size: int) -> None:
    answers = await asyncio.gather(*(log.append(topic, [said()]) for _ in range(size)))
    assert sorted(entry.seq for [entry] in answers) == [
        model.append(topic, None) for _ in range(size)
    ]


async def remove(model: Model, log: LocalLog, topic: str, seq: int) -> None:
    gone = NewEntry(type="gone", data={}, at=now(), removes=seq)
    if seq <= len(model.types[topic]):
        model.types[topic][seq - 1] = "tombstone"
        model.types[topic].append("gone")
        await log.append(topic, [gone])


async def read(model: Model, log: LocalLog, topic: str, after: int) -> None:
    tail = await log.tail(topic)
    assert tail.seq == len(model.types[topic])
    stretch = await log.read(topic, Position(tail.epoch, after), limit=100)
    known = after <= tail.seq
    assert stretch.complete is known
    assert [entry.type for entry in stretch.entries] == (
        model.types[topic][after:] if known else []
    )


STEPS = {"append": append, "crowd": crowd, "remove": remove, "read": read}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=steps)
def test_the_log_keeps_its_promise(transactional_db: None, script: list[Any]) -> None:
    LogEntry.objects.all().delete()
    Topic.objects.all().delete()
    close_old_connections()
    asyncio.run(play([*script, ("read", TOPICS[0], 0), ("read", TOPICS[1], 0)]))


async def test_epochs_outlive_a_restart(transactional_db: None) -> None:
    first = started(Model())
    before = await first.tail(TOPICS[0])
    await first.stop()
    second = started(Model())
    assert await second.tail(TOPICS[0]) == before
    await second.stop()
    assert await run_in_db(Topic.objects.count) == 1
