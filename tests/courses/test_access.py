from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from core.errors import Conflict, NotAllowed, NotFound, SignInRequired
from courses import access
from courses.models import Course, Enrolment
from courses.services import authoring
from media_pipeline.models import AssetKind, AssetState
from sellers.models import Member, MemberRole
from tests.courses.conftest import MakeClip
from tests.world import World


@pytest.mark.parametrize(
    ("person", "may"),
    [("chen", True), ("zhao", True), ("zhang", True), ("wang", False), ("li", False)],
)
def test_mentors_operators_and_hosts_make_courses(world: World, person: str, may: bool) -> None:
    assert access.may_author(getattr(world, person)) is may


def test_packers_make_no_courses(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.li, role=MemberRole.PACKER)
    with pytest.raises(NotAllowed):
        access.author(world.li)


def test_strangers_are_asked_to_sign_in(world: World, draft: Course) -> None:
    with pytest.raises(SignInRequired):
        access.author(AnonymousUser())
    with pytest.raises(SignInRequired):
        access.course_for_editor(AnonymousUser(), draft.public_id)


@pytest.mark.parametrize("person", ["chen", "zhao", "zhang"])
def test_a_draft_is_seen_by_its_maker_and_the_teachers(
    world: World, draft: Course, person: str
) -> None:
    assert access.course_for_editor(getattr(world, person), draft.public_id) == draft


@pytest.mark.parametrize("person", ["wang", "li", "gao"])
def test_to_everybody_else_a_draft_does_not_exist(world: World, draft: Course, person: str) -> None:
    user = getattr(world, person)
    with pytest.raises(NotFound):
        access.course_for_reader(user, draft.public_id)
    with pytest.raises(NotFound):
        access.lesson_for_reader(user, draft.lessons.all()[0].public_id)


def test_a_maker_who_hosts_no_longer_loses_the_draft(world: World, draft: Course) -> None:
    world.zhang.memberships.all().delete()
    with pytest.raises(NotFound):
        access.course_for_editor(world.zhang, draft.public_id)


def test_a_published_course_is_open_to_see_and_closed_to_change(
    world: World, course: Course
) -> None:
    assert access.course_for_reader(AnonymousUser(), course.public_id) == course
    with pytest.raises(NotAllowed):
        access.course_for_editor(world.wang, course.public_id)


def test_a_failed_lesson_is_no_lesson(course: Course, make_clip: MakeClip) -> None:
    lesson = authoring.add_lesson(course, make_clip(state=AssetState.WAITING), "Broken")
    authoring.publish(course)
    lesson.asset.state = AssetState.FAILED
    lesson.asset.save()
    with pytest.raises(NotFound):
        access.lesson_for_reader(AnonymousUser(), lesson.public_id)


def test_lessons_are_watched_by_who_joined_and_who_looks_after_them(
    world: World, course: Course, enrolment: Enrolment
) -> None:
    may = [one for one in (world.wang, world.chen, world.li) if access.may_watch(one, course)]
    assert may == [world.wang, world.chen]


def test_who_has_not_joined_is_told_to(world: World, course: Course) -> None:
    with pytest.raises(Conflict):
        access.learner_of(world.li, course.lessons.all()[0])


def test_invited_guests_footage_stays_with_its_seller(world: World, make_clip: MakeClip) -> None:
    private = make_clip(is_public=False, created_by=None)
    may = {
        name
        for name in ("zhang", "gao", "chen", "zhao")
        if access.usable_clips(getattr(world, name)).filter(pk=private.pk).exists()
    }
    assert may == {"zhang", "zhao"}


def test_whole_recordings_and_failures_are_not_offered(world: World, make_clip: MakeClip) -> None:
    make_clip(kind=AssetKind.RECORDING)
    make_clip(state=AssetState.FAILED)
    waiting = make_clip(state=AssetState.WAITING)
    assert list(access.usable_clips(world.chen)) == [waiting]
