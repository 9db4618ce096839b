"""Making courses: lessons out of clips, in an order, published once one of them can be watched."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from core.text import clean_line, clean_lines
from courses.models import Course, CourseState, Lesson
from media_pipeline.models import Asset, AssetKind, AssetState
from media_pipeline.services import consents

MAX_LESSONS = 100
TITLE_LENGTH = 120
SUMMARY_LENGTH = 1000


def create_course(
    *, author: User, title: str, summary: str = "", public_id: UUID | None = None
) -> Course:
    """A new draft. `InvalidInput` for a title that is missing or too long."""
    return Course.objects.create(
        public_id=public_id or new_id(),
        title=checked_title(title),
        summary=checked_summary(summary),
        created_by=author,
    )


def describe(course: Course, *, title: str, summary: str) -> None:
    """Give the course another title and summary; certificates keep the title they have."""
    course.title, course.summary = checked_title(title), checked_summary(summary)
    course.save(update_fields=["title", "summary"])


def add_lesson(course: Course, asset: Asset, title: str) -> Lesson:
    """Append a lesson. A clip that is still being made becomes watchable when it is ready.

    `InvalidInput` where the asset is no clip or came to nothing; `ConsentMissing` where its seller
    has not agreed to it; `Conflict` where the course already has it, or is full.
    """
    if asset.kind != AssetKind.CLIP or asset.state == AssetState.FAILED:
        raise InvalidInput(_("Only a clip can be a lesson."), field="asset_id")
    title = checked_title(title)
    with transaction.atomic():
        # Locked: who takes it back at this moment must find the lesson, or it none.
        consents.require(Asset.objects.select_for_update().get(pk=asset.pk))
        _locked(course)
        return _append(course, asset, title)


def _append(course: Course, asset: Asset, title: str) -> Lesson:
    last = course.lessons.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    if course.lessons.count() >= MAX_LESSONS:
        raise Conflict(_("A course has at most %(count)d lessons.") % {"count": MAX_LESSONS})
    try:
        with transaction.atomic():
            return Lesson.objects.create(course=course, asset=asset, title=title, position=position)
    except IntegrityError as error:
        raise Conflict(_("This clip is already in the course.")) from error


def move_lesson(lesson: Lesson, *, to: Literal["up", "down"]) -> None:
    """Swap the lesson of a draft with its neighbour; at the end of the list nothing happens."""
    with transaction.atomic():
        _locked_draft(lesson.course)
        order = list(lesson.course.lessons.values_list("pk", flat=True))
        here = order.index(lesson.pk)
        there = here + (1 if to == "down" else -1)
        if 0 <= there < len(order):
            order[here], order[there] = order[there], order[here]
            _number(lesson.course, order)


def remove_lesson(lesson: Lesson) -> None:
    """Take the lesson out of a draft; its clip stays. `Conflict` once the course is published."""
    with transaction.atomic():
        _locked_draft(lesson.course)
        lesson.delete()
        _number(lesson.course, list(lesson.course.lessons.values_list("pk", flat=True)))


def publish(course: Course) -> None:
    """Show the course to everybody.

    `Conflict` while nothing in it can be watched yet, `ConsentMissing` while a seller has not
    agreed to a lesson of it.
    """
    with transaction.atomic():
        _locked(course)
        for lesson in course.lessons.select_related("asset"):
            if lesson.is_waiting_for_consent:
                consents.require(lesson.asset)
        ready = course.lessons.filter(asset__state=AssetState.READY)
        if not ready.filter(asset__consented_at__isnull=False).exists():
            raise Conflict(_("Add at least one lesson that is ready to watch."))
        Course.objects.filter(pk=course.pk, state=CourseState.DRAFT).update(
            state=CourseState.PUBLISHED, published_at=now()
        )
    course.refresh_from_db()


def _locked(course: Course) -> Course:
    return Course.objects.select_for_update().get(pk=course.pk)


def _locked_draft(course: Course) -> None:
    if not _locked(course).is_draft:
        raise Conflict(_("A published course keeps its lessons: people are learning them."))


def _number(course: Course, order: list[int]) -> None:
    # Positions are unique and checked row by row: all of them first move out of the way.
    course.lessons.update(position=F("position") + 2 * MAX_LESSONS)
    for position, pk in enumerate(order):
        Lesson.objects.filter(pk=pk).update(position=position)


def checked_title(title: str) -> str:
    return clean_line(title, "title", longest=TITLE_LENGTH)


def checked_summary(summary: str) -> str:
    return clean_lines(summary, "summary", longest=SUMMARY_LENGTH)
