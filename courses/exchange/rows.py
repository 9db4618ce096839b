"""The rows of a course that came in a file, each cleaned as if a person had typed it here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput
from core.text import clean_line, clean_lines
from courses import access
from courses.exchange import manifest
from courses.exchange.models import BroughtClip
from courses.models import Attachment, ClipSource, Course, EditionLesson, Lesson
from courses.notes import clean_notes
from courses.quizzes import editing
from courses.quizzes.wording import Option, Written, checked_fields
from courses.services import authoring, editions, prerequisites
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import Cue
from media_pipeline.models import Asset
from media_pipeline.services import brought, consents

# A film that is looked at anew may be found a frame shorter than it was said to be.
END_SLACK_S = 0.5


@dataclass(frozen=True, slots=True)
class Kept:
    """A file beside a lesson, and where it is stored."""

    id: uuid.UUID
    name: str
    key: str
    data: bytes


def course_of(found: manifest.Course, owner: User) -> tuple[Course, list[str]]:
    """The course without lessons, and what is asked for before it that is not here by its title."""
    course = authoring.create_course(
        author=owner, title=found.title, summary=found.summary, language=found.language
    )
    Course.objects.filter(pk=course.pk).update(counts_background=found.counts_background)
    here: list[Course] = []
    not_here: list[str] = []
    for title in dict.fromkeys(found.prerequisites):
        same = access.published_courses().filter(title=title).order_by("pk").first()
        if same:
            here.append(same)
        else:
            not_here.append(clean_line(title, "file", longest=authoring.TITLE_LENGTH))
    prerequisites.choose(course, here)
    return course, not_here


def check_words(lesson: manifest.Lesson) -> None:
    """What can be said before its film is looked at. Raises `InvalidInput`."""
    authoring.checked_title(lesson.title)
    clean_notes(lesson.notes)
    _moment(lesson.consent.given_at)
    _said(lesson.consent)
    if lesson.source:
        clean_line(lesson.source.seller_name, "file", longest=80, shortest=0)
        if lesson.source.held_at:
            _moment(lesson.source.held_at)
    tags = [one.language for one in lesson.captions]
    if len(set(tags)) != len(tags):
        raise InvalidInput(_("It has captions in one language twice."), field="file")


def _moment(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment > now():
        raise InvalidInput(_("It has a date that cannot be."), field="file")
    return moment


def check_times(lesson: manifest.Lesson, duration_s: float) -> None:
    """Chapters and questions lie in a film of this length. Raises `InvalidInput`."""
    for chapter in lesson.chapters:
        if not chapter.start_s < chapter.end_s <= duration_s + END_SLACK_S:
            raise InvalidInput(_("A chapter lies outside of its film."), field="file")
    for question in lesson.quiz.questions if lesson.quiz else ():
        checked_fields(_written(question, duration_s), duration_s)


def checked_cues(cues: Sequence[Cue], duration_s: float) -> list[Cue]:
    return tracks.checked(cues, duration_s)


def clip_of(lesson: manifest.Lesson, clip_id: uuid.UUID, film: brought.Film, owner: User) -> Asset:
    """The lesson's clip, with the seller's consent, where it came from and its chapters."""
    clip = brought.bring(
        clip_id,
        film,
        owner=owner,
        title=authoring.checked_title(lesson.title),
        is_public=lesson.is_public,
        has_poster=lesson.poster is not None,
    )
    wording, version, language = _said(lesson.consent)
    consents.carry_over(
        clip,
        wording=wording,
        version=version,
        language=language,
        given_at=lesson.consent.given_at,
    )
    chapters = [
        msgspec.structs.replace(
            one,
            text=clean_line(one.text, "file", longest=220, shortest=0),
            price=clean_line(one.price, "file", longest=40, shortest=0),
        )
        for one in lesson.chapters
    ]
    BroughtClip.objects.create(asset=clip, chapters=msgspec.to_builtins(chapters))
    if lesson.source:
        _add_source(clip, lesson.source)
    return clip


def _said(consent: manifest.Consent) -> tuple[str, str, str]:
    """(wording, version, language), clean."""
    return (
        clean_lines(consent.wording, "file", longest=manifest.LONGEST_WORDING),
        clean_line(consent.version, "file", longest=20),
        clean_line(consent.language, "file", longest=20),
    )


def _add_source(clip: Asset, source: manifest.Source) -> None:
    def line(text: str, longest: int) -> str:
        return clean_line(text, "file", longest=longest, shortest=0)

    ClipSource.objects.create(
        asset=clip,
        show_id=clip.recording.show_id,
        show_title=line(source.show_title, 120),
        held_at=source.held_at,
        seller_name=line(source.seller_name, 80),
        place=line(source.place, 120),
        product=line(source.product, 220),
        lot=line(source.lot, 80),
        orders=source.orders,
        currency=settings.CURRENCY,  # of no sum: those stay where they were earned
        evidence=msgspec.to_builtins(source.evidence) if source.evidence else {},
    )


def add_captions(clip: Asset, said: manifest.Captions, cues: list[Cue], owner: User) -> None:
    brought.add_captions(clip, said.language, cues, is_automatic=said.is_automatic, owner=owner)


def add_lesson(
    course: Course,
    found: manifest.Lesson,
    clip: Asset,
    files: Sequence[Kept],
    owner: User,
) -> None:
    """Append it to the draft, with notes, files and quiz."""
    lesson = authoring.add_lesson(course, clip, found.title)
    Lesson.objects.filter(pk=lesson.pk).update(required_share=found.required_share)
    authoring.describe_lesson(lesson, title=found.title, notes=found.notes)
    draft = editions.draft_if_any(course)
    entry = EditionLesson.objects.get(edition=draft, lesson=lesson)
    for file in files:
        entry.attachments.add(
            Attachment.objects.create(
                public_id=file.id,
                course=course,
                name=file.name,
                key=file.key,
                size=len(file.data),
                created_by=owner,
            )
        )
    if found.quiz:
        _add_quiz(lesson, found.quiz, owner)


def _add_quiz(lesson: Lesson, found: manifest.Quiz, owner: User) -> None:
    quiz = editing.quiz_for(lesson, owner)
    editing.set_rules(quiz, pass_percent=found.pass_percent, ends_at=None)
    for question in found.questions:
        editing.add_question(quiz, _written(question, lesson.duration_s), owner)
    if found.is_open and found.questions:
        editing.publish(quiz, owner)


def _written(asked: manifest.Asked, duration_s: float) -> Written:
    return Written(
        kind=asked.kind,
        text=asked.text,
        explained_s=_inside(asked.explained_s, duration_s),
        options=[Option(one.text, one.is_right) for one in asked.options],
        value=asked.value,
        tolerance=asked.tolerance,
        unit=asked.unit,
        start_s=_inside(asked.start_s, duration_s),
        end_s=_inside(asked.end_s, duration_s),
    )


def _inside(second: float | None, duration_s: float) -> float | None:
    """At the end, where it lies behind it by no more than the film may be shorter."""
    if second is None or not duration_s < second <= duration_s + END_SLACK_S:
        return second
    return duration_s
