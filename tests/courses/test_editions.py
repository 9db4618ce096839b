"""Editions: a course is changed in a draft, and who has begun it keeps what they began."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from core.errors import Conflict, NotFound
from courses import access, selectors
from courses.models import Certificate, Course, Enrolment, Lesson, Progress
from courses.services import authoring, editions, learning
from tests.courses.conftest import MakeClip, titles
from tests.world import World


def read_by(course: Course, user: object) -> list[str]:
    return [one.title for one in selectors.course_view(course, user).lessons]  # type: ignore[arg-type]


@pytest.fixture
def begun(enrolment: Enrolment, picking: Lesson) -> Enrolment:
    learning.report_watched(enrolment, picking, [(0, 20)], 12)
    return enrolment


@pytest.fixture
def changed(course: Course, packing: Lesson, make_clip: MakeClip) -> Course:
    """The published course with a draft: "Packing" is out, "Weighing" is in and first."""
    authoring.remove_lesson(packing)
    weighing = authoring.add_lesson(course, make_clip("Weighing"), "Weighing")
    authoring.move_lesson(weighing, to="up")
    return course


def test_nobody_but_its_authors_sees_a_draft_of_the_next_edition(
    world: World, begun: Enrolment, changed: Course
) -> None:
    assert titles(changed) == ["Weighing", "Picking"]
    for reader in (world.wang, world.li, world.chen, AnonymousUser()):
        assert read_by(changed, reader) == ["Picking", "Packing"]
    weighing = Lesson.objects.get(title="Weighing")
    with pytest.raises(NotFound):
        access.lesson_for_reader(world.wang, weighing.public_id)
    assert access.lesson_for_reader(world.chen, weighing.public_id) == weighing


def test_who_has_begun_keeps_the_edition_begun(
    world: World, begun: Enrolment, changed: Course
) -> None:
    authoring.publish(changed)
    assert read_by(changed, world.wang) == ["Picking", "Packing"]
    assert read_by(changed, world.li) == ["Weighing", "Picking"]


def test_who_has_watched_nothing_gets_the_new_edition(
    world: World, enrolment: Enrolment, changed: Course
) -> None:
    authoring.publish(changed)
    assert read_by(changed, world.wang) == ["Weighing", "Picking"]


def test_moving_on_keeps_what_was_done(
    world: World, begun: Enrolment, changed: Course, picking: Lesson
) -> None:
    before = Progress.objects.values().get()
    authoring.publish(changed)
    editions.move_on(begun)
    view = selectors.course_view(changed, world.wang)
    assert [(one.title, one.is_done) for one in view.lessons] == [
        ("Weighing", False),
        ("Picking", True),
    ]
    assert Progress.objects.values().get() == before


def test_the_edition_begun_is_enough_for_the_certificate(
    begun: Enrolment, changed: Course, packing: Lesson
) -> None:
    authoring.publish(changed)
    assert learning.report_watched(begun, packing, [(0, 20)]).certificate is not None


def test_after_moving_on_the_new_lessons_count(
    begun: Enrolment, changed: Course, packing: Lesson
) -> None:
    authoring.publish(changed)
    editions.move_on(begun)
    assert learning.report_watched(begun, packing, [(0, 20)]).certificate is None
    weighing = Lesson.objects.get(title="Weighing")
    assert learning.report_watched(begun, weighing, [(0, 20)]).certificate is not None


def test_who_moves_on_to_what_is_done_already_has_the_certificate(
    begun: Enrolment, course: Course, packing: Lesson, client: Client
) -> None:
    authoring.remove_lesson(packing)
    authoring.publish(course)
    client.force_login(begun.user)
    client.post(f"/learn/{course.public_id}/move-on/")
    begun.refresh_from_db()
    assert begun.completed_at is not None
    assert Certificate.objects.filter(enrolment=begun).exists()


def test_who_has_done_nothing_has_finished_nothing_by_moving_on(
    enrolment: Enrolment, course: Course, picking: Lesson, packing: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 2)])
    authoring.remove_lesson(packing)
    authoring.publish(course)
    learning.move_on(enrolment)
    assert not Certificate.objects.filter(enrolment=enrolment).exists()


def test_a_lesson_that_comes_back_is_the_same_lesson(
    begun: Enrolment, course: Course, picking: Lesson
) -> None:
    authoring.remove_lesson(picking)
    assert authoring.add_lesson(course, picking.asset, "Picking again") == picking
    authoring.publish(course)
    editions.move_on(begun)
    assert Progress.objects.get(enrolment=begun).lesson == picking


def test_a_lesson_that_only_a_draft_had_goes_with_it(course: Course, make_clip: MakeClip) -> None:
    lesson = authoring.add_lesson(course, make_clip(), "Weighing")
    authoring.remove_lesson(lesson)
    assert not Lesson.objects.filter(pk=lesson.pk).exists()


def test_discarding_goes_back_to_what_is_published(changed: Course, make_clip: MakeClip) -> None:
    editions.discard_draft(changed)
    assert titles(changed) == ["Picking", "Packing"]
    assert not Lesson.objects.filter(title="Weighing").exists()


def test_a_course_that_was_never_published_cannot_be_discarded(draft: Course) -> None:
    with pytest.raises(Conflict):
        editions.discard_draft(draft)
    assert titles(draft) == ["One", "Two", "Three"]


def test_publishing_without_changes_makes_no_edition(course: Course) -> None:
    authoring.publish(course)
    assert course.editions.count() == 1
