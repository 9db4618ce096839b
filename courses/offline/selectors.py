"""What a phone needs to show a lesson without a network, and what it may go on keeping."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser
from core.errors import Conflict
from courses import access, selectors
from courses.api import captions_out
from courses.feed import forms_of
from courses.models import Lesson
from courses.quizzes.models import Quiz
from courses.selectors import LessonView
from media_pipeline.storage import storage


@dataclass(frozen=True, slots=True)
class Keepable:
    """A lesson as it is kept. `pages` are addresses of pages, `media_bytes` how big its film is.

    The film is the form that a player asks for first: it is the smaller one, too.

    `version` changes with the film: parts of two versions do not belong together.
    """

    view: LessonView
    joined: bool
    pages: list[str]
    media_url: str
    media_bytes: int
    version: str
    poster_url: str
    captions: list[dict[str, str]]

    @property
    def lesson(self) -> Lesson:
        return self.view.lesson

    @property
    def files(self) -> list[str]:
        posters = [self.poster_url] if self.poster_url else []
        return [*posters, *(one["url"] for one in self.captions)]


def keepable(user: AnyUser, lesson_id: uuid.UUID) -> Keepable:
    """`NotFound`, `SignInRequired`; `Conflict` for who has not joined, or while it is not ready."""
    lesson = access.lesson_to_watch(user, lesson_id)
    course = selectors.view_with(lesson, user)
    view = course.view_of(lesson)
    forms = forms_of(lesson)
    key = forms.first_key
    size = storage().size(key) if key and view.video_url else None
    if size is None:
        raise Conflict(_("This lesson cannot be watched now, so there is nothing to keep."))
    return Keepable(
        view=view,
        joined=course.enrolment is not None,
        pages=_pages(lesson),
        media_url=forms.first_url,
        media_bytes=size,
        version=_version(lesson, key, size),
        poster_url=forms.thumb_url or view.poster_url,
        captions=captions_out(lesson),
    )


def _pages(lesson: Lesson) -> list[str]:
    pages = [lesson.get_absolute_url(), lesson.course.get_absolute_url(), reverse("learn_offline")]
    pages.append(reverse("learn_offline_feed"))
    if Quiz.objects.filter(lesson=lesson).exists():
        pages.append(reverse("lesson_quiz", args=[lesson.course.public_id, lesson.public_id]))
    return pages


def _version(lesson: Lesson, key: str, size: int) -> str:
    known = f"{key} {size} {lesson.asset.duration_s}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def still_kept(user: AnyUser, lesson_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Those of them that this person may go on keeping: not taken back, and still theirs to see."""
    lessons = Lesson.objects.filter(public_id__in=lesson_ids).select_related("course", "asset")
    return [
        one.public_id
        for one in lessons
        if one.is_ready and access.is_published(one) and access.may_watch(user, one.course)
    ]
