from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection

from core.accounts.models import Role
from core.errors import Conflict, InvalidInput, TooMany
from courses import intervals
from courses.intervals import Stretch
from courses.models import Certificate, Course, Enrolment, Lesson, Progress
from courses.services import authoring, learning
from media_pipeline.models import AssetState
from tests.courses.conftest import MakeClip
from tests.world import World

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_joining_twice_is_joining_once(world: World, course: Course) -> None:
    assert learning.enrol(world.li, course) == learning.enrol(world.li, course)
    assert world.li.role_grants.filter(role=Role.TRAINEE).count() == 1


def test_what_is_missing_is_said(enrolment: Enrolment, picking: Lesson) -> None:
    watched = learning.report_watched(enrolment, picking, [(0, 4), (10, 20)], 20)
    assert (watched.covered_s, watched.missing, watched.is_done) == (14, [(4, 10)], False)


def test_a_lesson_is_done_at_its_required_share(enrolment: Enrolment, picking: Lesson) -> None:
    assert not learning.report_watched(enrolment, picking, [(0, 17.9)]).is_done
    assert learning.report_watched(enrolment, picking, [(17.9, 18)]).is_done


def test_watching_the_same_seconds_again_counts_once(enrolment: Enrolment, picking: Lesson) -> None:
    for _ in range(5):
        watched = learning.report_watched(enrolment, picking, [(0, 5), (0, 5)])
    assert watched.covered_s == 5


def test_a_player_that_runs_a_hair_over_the_end_is_cut(
    enrolment: Enrolment, picking: Lesson
) -> None:
    watched = learning.report_watched(enrolment, picking, [(15, 20.4), (20.5, 20.9)], 20.9)
    assert watched.progress.intervals == [(15, 20)]
    assert watched.progress.position_s == 20


@pytest.mark.parametrize(
    ("stretches", "position_s", "field"),
    [([(0, 1e300)], 0, "intervals.0"), ([(0, 21.1)], 0, "intervals.0"), ([], 1e9, "position_s")],
)
def test_what_lies_beyond_the_end_is_refused(
    enrolment: Enrolment,
    picking: Lesson,
    stretches: list[Stretch],
    position_s: float,
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        learning.report_watched(enrolment, picking, stretches, position_s)
    assert refused.value.field == field
    assert not Progress.objects.exists()


def test_nobody_watches_a_lesson_in_no_time(world: World, course: Course, picking: Lesson) -> None:
    with time_machine.travel(NOON, tick=False):
        enrolment = learning.enrol(world.wang, course)
        with pytest.raises(TooMany) as refused:
            learning.report_watched(enrolment, picking, [(0, 20)], 20)
    assert refused.value.retry_after == 5
    assert not Progress.objects.exists()


def test_lessons_are_watched_one_after_the_other(
    world: World, course: Course, picking: Lesson, packing: Lesson
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enrolment = learning.enrol(world.wang, course)
        clock.shift(5)
        assert learning.report_watched(enrolment, picking, [(0, 20)]).is_done
        with pytest.raises(TooMany):
            learning.report_watched(enrolment, packing, [(0, 20)])
        clock.shift(10)
        assert learning.report_watched(enrolment, packing, [(0, 20)]).certificate is not None


def test_telling_the_same_again_needs_no_time(
    world: World, course: Course, picking: Lesson
) -> None:
    with time_machine.travel(NOON, tick=False):
        enrolment = learning.enrol(world.wang, course)
        for _ in range(3):
            watched = learning.report_watched(enrolment, picking, [(0, 10)])
    assert watched.covered_s == 10


def test_a_report_without_a_position_leaves_it(enrolment: Enrolment, picking: Lesson) -> None:
    learning.report_watched(enrolment, picking, [(0, 5)], 5)
    assert learning.report_watched(enrolment, picking, [(7, 8)]).progress.position_s == 5


def test_a_lesson_once_done_stays_done(enrolment: Enrolment, picking: Lesson) -> None:
    first = learning.report_watched(enrolment, picking, [(0, 20)]).progress.completed_at
    assert learning.report_watched(enrolment, picking, []).progress.completed_at == first


@pytest.mark.parametrize(
    "stretch",
    [(-1, 2), (3, 3), (5, 4), (math.nan, 2), (0, math.inf), (0, math.nan), (1,), (1, 2, 3), ()],
    ids=str,
)
def test_a_stretch_that_cannot_be_is_refused_whole(
    enrolment: Enrolment, picking: Lesson, stretch: Sequence[float]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        learning.report_watched(enrolment, picking, [(0, 1), stretch])
    assert refused.value.field == "intervals.1"
    assert not Progress.objects.exists()


def test_too_many_stretches_are_refused(enrolment: Enrolment, picking: Lesson) -> None:
    with pytest.raises(InvalidInput):
        learning.report_watched(enrolment, picking, [(0, 1)] * 201)
    assert not Progress.objects.exists()


@pytest.mark.parametrize("position_s", [math.nan, math.inf, -math.inf])
def test_a_position_is_a_number(enrolment: Enrolment, picking: Lesson, position_s: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        learning.report_watched(enrolment, picking, [], position_s)
    assert refused.value.field == "position_s"


def test_a_lesson_of_another_course_is_refused(enrolment: Enrolment, draft: Course) -> None:
    with pytest.raises(Conflict):
        learning.report_watched(enrolment, draft.lessons.all()[0], [(0, 20)])
    assert not Progress.objects.exists()


def test_a_lesson_that_is_not_ready_cannot_be_watched(
    enrolment: Enrolment, picking: Lesson
) -> None:
    picking.asset.state = AssetState.WAITING
    with pytest.raises(Conflict):
        learning.report_watched(enrolment, picking, [(0, 20)])


def test_the_course_is_completed_by_its_last_lesson(
    enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    assert learning.report_watched(enrolment, picking, [(0, 20)]).certificate is None
    certificate = learning.report_watched(enrolment, packing, [(0, 20)]).certificate
    enrolment.refresh_from_db()
    assert enrolment.completed_at is not None
    assert certificate == enrolment.certificate


def test_a_lesson_that_is_being_prepared_has_to_be_waited_for(
    enrolment: Enrolment, course: Course, picking: Lesson, packing: Lesson, make_clip: MakeClip
) -> None:
    waiting = make_clip(state=AssetState.WAITING)
    authoring.add_lesson(course, waiting, "Later")
    authoring.publish(course)
    enrolment.refresh_from_db()
    learning.report_watched(enrolment, picking, [(0, 20)])
    assert learning.report_watched(enrolment, packing, [(0, 20)]).certificate is None
    waiting.state = AssetState.FAILED  # nobody can watch it: it no longer stands in the way
    waiting.save()
    assert learning.report_watched(enrolment, packing, []).certificate is not None


def test_the_certificate_is_issued_once(
    enrolment: Enrolment, picking: Lesson, packing: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 20)])
    numbers = {learning.report_watched(enrolment, packing, [(0, 20)]).certificate for _ in range(3)}
    assert len(numbers) == Certificate.objects.count() == 1


STRETCHES = [(3.0 * number, 3.0 * number + 2) for number in range(6)]


def report_at_once(enrolment: Enrolment, lesson: Lesson, stretches: Iterable[Stretch]) -> None:
    def report(stretch: Stretch) -> None:
        try:
            learning.report_watched(enrolment, lesson, [stretch])
        finally:
            connection.close()

    threads = [threading.Thread(target=report, args=[stretch]) for stretch in stretches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)


def meet_between_read_and_write(monkeypatch: pytest.MonkeyPatch, people: int) -> None:
    """Everybody who has read the old set waits for the others, where the lock lets them come."""
    meeting = threading.Barrier(people)
    merge = intervals.merge

    def merge_after_meeting(stretches: Iterable[Sequence[float]]) -> list[Stretch]:
        with suppress(threading.BrokenBarrierError):  # the lock kept the others out
            meeting.wait(timeout=1)
        return merge(stretches)

    monkeypatch.setattr(learning.intervals, "merge", merge_after_meeting)


class NoLock:
    """`transaction` as it would be if a report were not one transaction."""

    @staticmethod
    def atomic() -> AbstractContextManager[Any]:
        return nullcontext()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False], ids=["locked", "negative control"])
def test_reports_at_the_same_time_are_all_kept(
    enrolment: Enrolment, picking: Lesson, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    Progress.objects.create(enrolment=enrolment, lesson=picking)
    meet_between_read_and_write(monkeypatch, people=2)
    if not locked:
        monkeypatch.setattr(learning, "transaction", NoLock)
        manager = type(Enrolment.objects)
        monkeypatch.setattr(manager, "select_for_update", lambda self: self.all())
    report_at_once(enrolment, picking, STRETCHES[:2])
    kept = intervals.covered_s(Progress.objects.get().intervals)
    assert (kept == 4) is locked
