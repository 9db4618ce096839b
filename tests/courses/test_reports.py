"""Reports in batches: in any order, twice, cut up, late, of what nobody saw."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, InvalidInput, TooMany
from courses import intervals
from courses.models import Course, Enrolment, Lesson, Progress, WatchedBatch
from courses.services import learning
from courses.services.watched import Played, Report
from tests.world import World

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TENTHS = st.integers(0, 200).map(lambda tenths: tenths / 10)
STRETCH = st.tuples(TENTHS, TENTHS, st.booleans(), st.booleans()).map(
    lambda one: Played(min(one[:2]), max(one[:2]) + 0.1, muted=one[2], hidden=one[3])
)


def told(enrolment: Enrolment, lesson: Lesson, *played: Played, **said: object) -> learning.Watched:
    return learning.take_report(enrolment, lesson, Report(played, **said))  # type: ignore[arg-type]


def test_a_batch_that_comes_twice_is_taken_in_once(enrolment: Enrolment, picking: Lesson) -> None:
    batch = uuid.uuid4()
    told(enrolment, picking, Played(0, 5), batch=batch, position_s=5.0)
    told(enrolment, picking, Played(5, 9), batch=uuid.uuid4(), position_s=9.0)
    again = told(enrolment, picking, Played(0, 5), batch=batch, position_s=5.0)
    # Where to go on is not thrown back by what comes late for the second time.
    assert (again.covered_s, again.progress.position_s) == (9, 9)
    assert WatchedBatch.objects.count() == 2


def test_an_id_is_for_one_report(enrolment: Enrolment, picking: Lesson, packing: Lesson) -> None:
    batch = uuid.uuid4()
    told(enrolment, picking, Played(0, 5), batch=batch)
    for lesson, played in [(picking, Played(0, 6)), (packing, Played(0, 5))]:
        with pytest.raises(Conflict):
            told(enrolment, lesson, played, batch=batch)
    assert intervals.covered_s(Progress.objects.get().intervals) == 5


@pytest.mark.parametrize(
    ("played", "counted_s", "word"),
    [
        (Played(0, 5, muted=True), 5, ""),
        (Played(0, 5, hidden=True), 5, ""),
        (Played(0, 5, rate=2), 5, ""),
        (Played(0, 5, muted=True, hidden=True), 0, "background"),
        (Played(0, 5, rate=2, muted=True, hidden=True), 0, "background"),
        (Played(0, 5, rate=4), 0, "double speed"),
    ],
    ids=str,
)
def test_what_nobody_could_follow_does_not_count(
    enrolment: Enrolment, picking: Lesson, played: Played, counted_s: float, word: str
) -> None:
    watched = told(enrolment, picking, played)
    assert watched.covered_s == counted_s
    assert word in watched.not_counted
    assert bool(word) == bool(watched.not_counted)


def test_a_course_may_count_it_all_the_same(enrolment: Enrolment, picking: Lesson) -> None:
    Course.objects.update(counts_background=True)
    enrolment.course.refresh_from_db()
    watched = told(enrolment, picking, Played(0, 5, muted=True, hidden=True))
    assert (watched.covered_s, watched.not_counted) == (5, "")


def test_hours_offline_count_when_they_come(world: World, course: Course, picking: Lesson) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enrolment = learning.enrol(world.wang, course)
        clock.shift(5 * 3600)
        watched = told(enrolment, picking, Played(0, 20), batch=uuid.uuid4(), lasted_s=20.0)
    assert watched.is_done


def test_a_batch_has_no_more_in_it_than_the_time_it_took(
    enrolment: Enrolment, picking: Lesson
) -> None:
    batch = uuid.uuid4()
    with pytest.raises(InvalidInput) as refused:
        told(enrolment, picking, Played(0, 20), batch=batch, lasted_s=1.0)
    assert refused.value.field == "lasted_s"
    assert not Progress.objects.exists()
    assert told(enrolment, picking, Played(0, 20), batch=uuid.uuid4(), lasted_s=10.0).is_done


def test_a_refused_batch_may_come_again(world: World, course: Course, picking: Lesson) -> None:
    batch = uuid.uuid4()
    with time_machine.travel(NOON, tick=False) as clock:
        enrolment = learning.enrol(world.wang, course)
        with pytest.raises(TooMany):
            told(enrolment, picking, Played(0, 20), batch=batch)
        clock.shift(60)
        assert told(enrolment, picking, Played(0, 20), batch=batch).is_done


@pytest.mark.parametrize(
    ("played", "lasted_s", "field"),
    [
        (Played(0, 2, rate=0), 9, "stretches.1"),
        (Played(0, 2, rate=math.nan), 9, "stretches.1"),
        (Played(0, 1e300), 9, "stretches.1"),
        (Played(0, 2), -1, "lasted_s"),
        (Played(0, 2), math.inf, "lasted_s"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named_and_changes_nothing(
    enrolment: Enrolment, picking: Lesson, played: Played, lasted_s: float, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        told(enrolment, picking, Played(0, 1), played, lasted_s=lasted_s, batch=uuid.uuid4())
    assert refused.value.field == field
    assert not Progress.objects.exists()
    assert not WatchedBatch.objects.exists()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    played=st.lists(STRETCH, max_size=12),
    cuts=st.lists(st.integers(0, 11), max_size=4),
    order=st.randoms(use_true_random=False),
    twice=st.lists(st.integers(0, 4), max_size=4),
)
def test_any_order_any_repetition_any_split_gives_the_same(
    reports_world: tuple[Enrolment, Lesson],
    played: list[Played],
    cuts: list[int],
    order: object,
    twice: list[int],
) -> None:
    enrolment, lesson = reports_world
    expected = intervals.merge(
        (one.start_s, min(one.end_s, 20)) for one in played if not (one.muted and one.hidden)
    )
    edges = sorted({0, len(played), *(cut for cut in cuts if cut < len(played))})
    batches = [Report(played[first:last], batch=uuid.uuid4()) for first, last in pairwise(edges)]
    batches += [batches[number] for number in twice if number < len(batches)]
    order.shuffle(batches)  # type: ignore[attr-defined]
    Progress.objects.all().delete()
    for report in batches:
        learning.take_report(enrolment, lesson, report)
    kept = Progress.objects.filter(lesson=lesson).first()
    assert [tuple(one) for one in (kept.intervals if kept else [])] == expected


@pytest.fixture
def reports_world(enrolment: Enrolment, picking: Lesson) -> tuple[Enrolment, Lesson]:
    return enrolment, picking
