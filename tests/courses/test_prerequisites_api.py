"""Joining by API: what has to be finished first is asked for, and named for programs, too."""

from __future__ import annotations

import pytest
from django.test import Client

from core.clock import now
from courses.models import Course, Enrolment
from courses.services import authoring, learning, prerequisites
from tests.courses.conftest import MakeClip
from tests.courses.test_api import as_person, post
from tests.world import World


@pytest.fixture
def second(world: World, course: Course, make_clip: MakeClip) -> Course:
    """A course that comes after the first one."""
    made = authoring.create_course(author=world.chen, title="Pears on camera")
    authoring.add_lesson(made, make_clip("Pears"), "Pears")
    authoring.publish(made)
    prerequisites.choose(made, [course])
    return made


@pytest.fixture
def wang(world: World) -> Client:
    return as_person(world.wang)


def test_it_is_refused_with_what_is_missing(wang: Client, course: Course, second: Course) -> None:
    answer = post(wang, f"/courses/{second.public_id}/enrol")
    assert answer.status_code == 409
    error = answer.json()
    assert course.title in error["detail"]
    assert error["missing"] == [
        {"id": str(course.public_id), "title": course.title, "url": course.get_absolute_url()}
    ]
    assert not Enrolment.objects.exists()


def test_who_has_finished_it_gets_in(wang: Client, second: Course, enrolment: Enrolment) -> None:
    Enrolment.objects.filter(pk=enrolment.pk).update(completed_at=now())
    assert post(wang, f"/courses/{second.public_id}/enrol").status_code == 200


def test_who_was_let_in_by_a_facilitator_joins_again_and_gets_the_same(
    world: World, wang: Client, second: Course
) -> None:
    mine = learning.enrol(world.wang, second)
    answer = post(wang, f"/courses/{second.public_id}/enrol")
    assert (answer.status_code, answer.json()["id"]) == (200, str(mine.public_id))
