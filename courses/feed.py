"""What comes in the feed: what somebody has yet to do, then a taste of every other course."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from core.accounts.access import AnyUser, is_signed_in, signed_in
from courses import access, selectors
from courses.models import Lesson
from courses.selectors import CourseView, LessonView
from media_pipeline.services.clip_light import LIGHT, SOUND, THUMB, key_of
from media_pipeline.storage import storage

MOST = 20


@dataclass(frozen=True, slots=True)
class Forms:
    """Where the forms of a lesson's film are; empty for one that is not made yet."""

    light_url: str
    sound_url: str
    thumb_url: str
    full_url: str
    first_key: str = ""
    """Where the file of `first_url` is stored."""

    @property
    def first_url(self) -> str:
        """What begins soonest on a weak network."""
        return self.light_url or self.full_url


@dataclass(frozen=True, slots=True)
class Item:
    """A lesson in the feed. One of a course that was not joined is a taste: nothing is counted."""

    course: CourseView
    lesson: LessonView
    forms: Forms

    @property
    def is_joined(self) -> bool:
        return self.course.enrolment is not None


def forms_of(lesson: Lesson) -> Forms:
    """Signed addresses; whoever calls decides who may have them."""
    if not lesson.is_ready:
        return Forms("", "", "", "")
    asset = lesson.asset
    keys = [*(key_of(asset, name) for name in (LIGHT, SOUND, THUMB)), asset.download_key]
    light, sound, thumb, full = (storage().url(key) if key else "" for key in keys)
    return Forms(light, sound, thumb, full, first_key=keys[0] or asset.download_key)


def feed(user: AnyUser) -> list[Item]:
    """The undone lessons of the user's courses by turns, then the first one of each other course.

    Who is not signed in is shown clips of public shows alone: their sellers agreed to being seen
    by those who take a course, and let everybody see the show itself.
    """
    courses = selectors.catalogue(user)
    mine = [list(_undone(view)) for view in courses if view.enrolment]
    turns = [item for turn in zip_longest(*mine) for item in turn if item]
    others = [view for view in courses if not view.enrolment]
    return [*turns, *_tastes(others, user)][:MOST]


def _undone(view: CourseView) -> Iterator[Item]:
    for one in view.lessons:
        if one.lesson.is_ready and not one.is_done:
            yield Item(view, one, forms_of(one.lesson))


def _tastes(courses: Iterable[CourseView], user: AnyUser) -> Iterator[Item]:
    for view in courses:
        one = _taste(view)
        if one and (is_signed_in(user) or one.lesson.asset.is_public):
            yield Item(view, one, forms_of(one.lesson))


def _taste(view: CourseView) -> LessonView | None:
    return next((one for one in view.lessons if one.lesson.is_ready), None)


def lesson_to_read(user: AnyUser, lesson_id: uuid.UUID) -> Lesson:
    """A lesson that the user watches, or gets a taste of; raises as `access.lesson_to_watch`."""
    lesson = access.lesson_for_reader(signed_in(user), lesson_id)
    taste = None if lesson.course.is_draft else _taste(selectors.course_view(lesson.course, user))
    if taste and taste.lesson.pk == lesson.pk:
        return lesson
    return access.lesson_to_watch(user, lesson_id)
