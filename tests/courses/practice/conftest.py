"""Wang's practice: a lesson with a task, goods, and an attempt in each of its states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import now
from courses.models import Course, Enrolment, Lesson
from courses.practice import services, tasks
from courses.practice.models import Attempt, PracticeTask
from courses.services import learning
from streams.models import Show
from streams.services import shows
from tests.world import World

GOOD = tasks.Typed("Practice apples", "5 kg box", "49")
DROP = tasks.Typed("Practice dates", "500 g bag", "33", drop_price="25", stock="30")


@pytest.fixture
def task(world: World, picking: Lesson) -> PracticeTask:
    task = tasks.write_task(picking, world.chen, brief="Sell apples for two minutes.", minutes="2")
    for typed in (GOOD, DROP):
        tasks.add_good(task, typed)
    return task


@pytest.fixture
def enrolled(world: World, course: Course) -> Enrolment:
    return learning.enrol(world.wang, course)


@pytest.fixture
def attempt(task: PracticeTask, enrolled: Enrolment) -> Attempt:
    return services.open_attempt(task, enrolled)


def begin(attempt: Attempt, *, seconds_ago: float = 0) -> Attempt:
    at = now() - timedelta(seconds=seconds_ago)
    shows.camera_on(attempt.show_id, at)
    services.began(attempt.show_id, at)
    attempt.refresh_from_db()
    return attempt


def finish(attempt: Attempt) -> Attempt:
    shows.end(attempt.show_id)
    services.ended(attempt.show_id, now())
    attempt.refresh_from_db()
    return attempt


def performed(attempt: Attempt) -> Attempt:
    return finish(begin(attempt, seconds_ago=120))


def show_of(attempt: Attempt) -> Show:
    return Show.objects.get(public_id=attempt.show_id)
