"""Making courses: lessons out of clips, in an order, in the draft of the next edition."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.text import clean_line, clean_lines
from courses.models import Course, Edition, Lesson
from courses.notes import clean_notes
from courses.services import editions, sources
from media_pipeline.captions.tracks import LANGUAGE
from media_pipeline.clip_wishes import LONGEST_S
from media_pipeline.models import Asset, AssetKind, AssetState
from media_pipeline.services import consents

MAX_LESSONS = 100
TITLE_LENGTH = 120
SUMMARY_LENGTH = 1000
LONGEST_LESSON_S = LONGEST_S
# Encoders end with a whole frame.
END_SLACK_S = 0.5


def create_course(
    *,
    author: User,
    title: str,
    summary: str = "",
    language: str = "",
    public_id: UUID | None = None,
) -> Course:
    """A new draft. `InvalidInput` for a title that is missing or too long."""
    return Course.objects.create(
        public_id=public_id or new_id(),
        title=checked_title(title),
        summary=checked_summary(summary),
        language=checked_language(language),
        created_by=author,
    )


def describe(
    course: Course,
    *,
    title: str,
    summary: str,
    language: str = "",
    counts_background: bool | None = None,
) -> None:
    """Give the course other words, at once and for everybody.

    Certificates keep the title they have. `counts_background` is for what is watched from now on;
    `None` leaves it as it is.
    """
    course.title, course.summary = checked_title(title), checked_summary(summary)
    course.language = checked_language(language)
    if counts_background is not None:
        course.counts_background = counts_background
    course.save(update_fields=["title", "summary", "language", "counts_background"])


def add_lesson(course: Course, asset: Asset, title: str) -> Lesson:
    """Append a lesson to the draft. A clip still being made becomes watchable when it is ready.

    `InvalidInput` where the asset is no clip or came to nothing; `ConsentMissing` where its seller
    has not agreed to it; `Conflict` where the course already has it, or is full.
    """
    if asset.kind != AssetKind.CLIP or asset.state == AssetState.FAILED:
        raise InvalidInput(_("Only a clip can be a lesson."), field="asset_id")
    if asset.duration_s > LONGEST_LESSON_S + END_SLACK_S:
        raise InvalidInput(
            _("A lesson is three minutes long at most. Cut a shorter clip."), field="asset_id"
        )
    title = checked_title(title)
    sources.keep_source(asset)
    with transaction.atomic():
        # Locked: who takes it back at this moment must find the lesson, or it none.
        consents.require(Asset.objects.select_for_update().get(pk=asset.pk))
        return _append(_locked_draft(course), asset, title)


def _append(draft: Edition, asset: Asset, title: str) -> Lesson:
    if draft.entries.filter(lesson__asset=asset).exists():
        raise Conflict(_("This clip is already in the course."))
    if draft.entries.count() >= MAX_LESSONS:
        raise Conflict(_("A course has at most %(count)d lessons.") % {"count": MAX_LESSONS})
    # One that was in an earlier edition comes back as itself, with what people did of it.
    lesson, _made = Lesson.objects.get_or_create(
        course_id=draft.course_id, asset=asset, defaults={"title": title}
    )
    last = draft.entries.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    draft.entries.create(lesson=lesson, title=title, position=position)
    return lesson


def has_clip(course: Course, asset: Asset) -> bool:
    """Whether the edition that is being changed has it."""
    last = course.editions.order_by("-number").first()
    return last is not None and last.entries.filter(lesson__asset=asset).exists()


def describe_lesson(lesson: Lesson, *, title: str, notes: str) -> None:
    """Give the lesson other words in the draft. `InvalidInput` names what is too long."""
    title = checked_title(title)
    notes = clean_notes(notes)
    with transaction.atomic():
        draft = _locked_draft(lesson.course)
        if not draft.entries.filter(lesson=lesson).update(title=title, notes=notes):
            raise no_such_lesson()
        if not editions.is_published(lesson):
            Lesson.objects.filter(pk=lesson.pk).update(title=title)


def move_lesson(lesson: Lesson, *, to: Literal["up", "down"]) -> None:
    """Swap the lesson with its neighbour in the draft; at the end of the list nothing happens."""
    with transaction.atomic():
        draft = _locked_draft(lesson.course)
        order = list(draft.entries.values_list("lesson", flat=True))
        here = _place(order, lesson)
        there = here + (1 if to == "down" else -1)
        if 0 <= there < len(order):
            order[here], order[there] = order[there], order[here]
            _number(draft, order)


def _place(order: list[int], lesson: Lesson) -> int:
    """Where the lesson is; `NotFound` for one that was taken out since the page was shown."""
    if lesson.pk not in order:
        raise no_such_lesson()
    return order.index(lesson.pk)


def no_such_lesson() -> NotFound:
    return NotFound(_("There is no such lesson."))


def remove_lesson(lesson: Lesson) -> None:
    """Take the lesson out of the draft; its clip stays, and so do editions that have it."""
    with transaction.atomic():
        draft = _locked_draft(lesson.course)
        order = list(draft.entries.values_list("lesson", flat=True))
        order.pop(_place(order, lesson))
        draft.entries.filter(lesson=lesson).delete()
        editions.drop_unused_files(lesson.course)
        editions.drop_lessons_of_no_edition(lesson.course)
        _number(draft, order)
    editions.publish_if_ready(lesson.course)


def publish(course: Course) -> None:
    """Show the draft to everybody (`editions.publish`)."""
    editions.publish(course)


def _locked_draft(course: Course) -> Edition:
    return editions.draft_of(Course.objects.select_for_update().get(pk=course.pk))


def _number(draft: Edition, order: list[int]) -> None:
    # Positions are unique and checked row by row: all of them first move out of the way.
    draft.entries.update(position=F("position") + 2 * MAX_LESSONS)
    for position, lesson_id in enumerate(order):
        draft.entries.filter(lesson=lesson_id).update(position=position)


def checked_language(language: str) -> str:
    """A language's tag, or nothing where it is not said."""
    if language and not LANGUAGE.fullmatch(language):
        raise InvalidInput(
            _("Write the language as a short code, for example en, zh or ug."), field="language"
        )
    return language


def checked_title(title: str) -> str:
    return clean_line(title, "title", longest=TITLE_LENGTH)


def checked_summary(summary: str) -> str:
    return clean_lines(summary, "summary", longest=SUMMARY_LENGTH)
