from __future__ import annotations

import pytest

from core.errors import Conflict, InvalidInput
from courses.models import Course, CourseState
from courses.services import authoring, learning
from media_pipeline.models import AssetKind, AssetState
from tests.courses.conftest import MakeClip, titles
from tests.world import World


def test_a_course_begins_as_a_draft(world: World) -> None:
    course = authoring.create_course(author=world.chen, title="  Apples   on camera ")
    assert (course.title, course.state) == ("Apples on camera", CourseState.DRAFT)


@pytest.mark.parametrize("title", ["", "   ", "x" * 121])
def test_a_course_needs_a_title_of_fair_length(world: World, title: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        authoring.create_course(author=world.chen, title=title)
    assert refused.value.field == "title"
    assert not Course.objects.exists()


def test_a_clip_that_is_still_being_made_can_be_added(draft: Course, make_clip: MakeClip) -> None:
    waiting = make_clip(state=AssetState.WAITING, duration_s=0)
    lesson = authoring.add_lesson(draft, waiting, "Later")
    assert not lesson.is_ready
    waiting.state = AssetState.READY
    waiting.save()
    assert draft.lessons.get(pk=lesson.pk).is_ready


@pytest.mark.parametrize(
    "fields", [{"kind": AssetKind.RECORDING}, {"state": AssetState.FAILED}], ids=str
)
def test_only_a_clip_that_came_to_something_is_a_lesson(
    draft: Course, make_clip: MakeClip, fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        authoring.add_lesson(draft, make_clip(**fields), "No")
    assert titles(draft) == ["One", "Two", "Three"]


def test_a_clip_is_in_a_course_once(draft: Course) -> None:
    with pytest.raises(Conflict):
        authoring.add_lesson(draft, draft.lessons.all()[0].asset, "Again")
    assert titles(draft) == ["One", "Two", "Three"]


def test_lessons_move_up_and_down(draft: Course) -> None:
    one, _, three = draft.lessons.all()
    authoring.move_lesson(three, to="up")
    authoring.move_lesson(one, to="down")
    assert titles(draft) == ["Three", "One", "Two"]


def test_the_first_lesson_stays_first_when_moved_up(draft: Course) -> None:
    authoring.move_lesson(draft.lessons.all()[0], to="up")
    assert titles(draft) == ["One", "Two", "Three"]


def test_a_removed_lesson_leaves_no_hole(draft: Course, make_clip: MakeClip) -> None:
    authoring.remove_lesson(draft.lessons.get(title="Two"))
    authoring.add_lesson(draft, make_clip(), "Four")
    assert titles(draft) == ["One", "Three", "Four"]
    assert [entry.position for entry in draft.editions.get().entries.all()] == [0, 1, 2]


def test_an_empty_course_is_not_published(world: World, make_clip: MakeClip) -> None:
    course = authoring.create_course(author=world.chen, title="Empty")
    authoring.add_lesson(course, make_clip(state=AssetState.WAITING), "Not yet")
    with pytest.raises(Conflict):
        authoring.publish(course)
    course.refresh_from_db()
    assert course.is_draft


def test_publishing_twice_keeps_the_first_date(course: Course) -> None:
    first = course.published_at
    authoring.publish(course)
    assert course.published_at == first


def test_nobody_joins_a_draft(world: World, draft: Course) -> None:
    with pytest.raises(Conflict):
        learning.enrol(world.wang, draft)
    assert not draft.enrolments.exists()
