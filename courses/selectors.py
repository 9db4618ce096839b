"""Courses as pages and API show them: lessons with posters, and how far somebody is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in
from core.errors import NotFound
from courses import access, intervals
from courses.intervals import Stretch
from courses.models import (
    Certificate,
    ClipSource,
    Course,
    CourseState,
    Edition,
    EditionLesson,
    Enrolment,
    Lesson,
    Progress,
)
from courses.services.editions import published_edition
from media_pipeline.models import Asset, AssetState
from media_pipeline.storage import storage


@dataclass(frozen=True, slots=True)
class LessonView:
    """A lesson in its place in an edition, and what one person has watched of it."""

    lesson: Lesson
    number: int
    progress: Progress | None
    entry: EditionLesson

    @property
    def title(self) -> str:
        return self.entry.title

    @property
    def is_done(self) -> bool:
        return self.progress is not None and self.progress.completed_at is not None

    @property
    def is_begun(self) -> bool:
        return self.progress is not None and bool(self.progress.intervals)

    @property
    def watched(self) -> list[Stretch]:
        return [] if self.progress is None else [(a, b) for a, b in self.progress.intervals]

    @property
    def percent(self) -> int:
        """Of what is required, so that a lesson that is done shows 100."""
        if self.is_done:
            return 100
        if self.lesson.required_s <= 0:
            return 0
        return min(99, int(100 * intervals.covered_s(self.watched) / self.lesson.required_s))

    @property
    def resume_s(self) -> float:
        """Where to go on; somebody who left at the very end begins again."""
        position = 0.0 if self.progress is None else self.progress.position_s
        return 0.0 if position > self.lesson.duration_s - 1 else position

    @property
    def source(self) -> ClipSource | None:
        """Where the clip came from and what sold there."""
        return source_of(self.lesson.asset)

    @property
    def poster_url(self) -> str:
        return poster_url(self.lesson.asset)

    @property
    def video_url(self) -> str:
        return film_url(self.lesson)


@dataclass(frozen=True, slots=True)
class CourseView:
    """An edition of a course, its lessons and how far one person is in it.

    `edition` is `None` for a course to which nothing was ever added.
    """

    course: Course
    edition: Edition | None
    lessons: list[LessonView]
    enrolment: Enrolment | None
    certificate: Certificate | None

    @property
    def minutes(self) -> int:
        """The length of what can be watched, in minutes begun."""
        ready = (one.lesson for one in self.lessons if not one.lesson.is_taken_back)
        return ceil(sum(lesson.duration_s for lesson in ready) / 60)

    @property
    def counted(self) -> list[LessonView]:
        """What makes up the course for this person: what is gone counts for who has done it."""
        return [one for one in self.lessons if one.is_done or not one.lesson.is_taken_back]

    @property
    def done_count(self) -> int:
        return sum(one.is_done for one in self.lessons)

    @property
    def percent(self) -> int:
        if not self.counted:
            return 0
        return sum(one.percent for one in self.counted) // len(self.counted)

    @property
    def poster_url(self) -> str:
        return next((one.poster_url for one in self.lessons if one.poster_url), "")

    @property
    def next_lesson(self) -> LessonView | None:
        """Where to go on: the first lesson that can be watched and is not done, else the first."""
        ready = [one for one in self.lessons if one.lesson.is_ready]
        return next((one for one in ready if not one.is_done), ready[0] if ready else None)

    def lesson_after(self, lesson: Lesson) -> LessonView | None:
        """The next lesson in order that can be watched."""
        later = self.lessons[self.view_of(lesson).number :]
        return next((one for one in later if one.lesson.is_ready), None)

    def view_of(self, lesson: Lesson) -> LessonView:
        """Raises `NotFound` for a lesson that this edition has not."""
        for one in self.lessons:
            if one.lesson.pk == lesson.pk:
                return one
        raise NotFound(_("There is no such lesson."))


def film_url(lesson: Lesson) -> str:
    """Signed; empty while the lesson is not ready, and for a clip that has no file."""
    key = lesson.asset.download_key
    return storage().url(key) if key and lesson.is_ready else ""


def poster_url(asset: Asset) -> str:
    """Only of what its seller agreed to; a lesson of before that was asked has none until then."""
    return picture_url(asset) if asset.consented_at else ""


def source_of(asset: Asset) -> ClipSource | None:
    found: ClipSource | None = getattr(asset, "source", None)
    return found


def picture_url(asset: Asset) -> str:
    """For who may use the clip in a course: its own people, who may yet have to agree."""
    return storage().url(asset.poster_key) if asset.poster_key else ""


def course_views(courses: QuerySet[Course], user: AnyUser) -> list[CourseView]:
    """Each course in the edition that the user reads, in as many queries however many."""
    rows = list(courses)
    enrolments = _enrolments(user, rows)
    editions = _read_editions(rows, enrolments)
    entries = entries_of(editions.values())
    return [
        _course_view(row, editions.get(row.pk), entries, enrolments.get(row.pk)) for row in rows
    ]


def course_view(course: Course, user: AnyUser, *, edition: Edition | None = None) -> CourseView:
    """The course as the user reads it: in the edition begun, or else the newest published one.

    A course that was never published is read in its draft. `edition` is another one to look at.
    """
    enrolments = _enrolments(user, [course])
    if edition is None:
        edition = _read_editions([course], enrolments).get(course.pk)
    entries = entries_of([edition] if edition else [])
    return _course_view(course, edition, entries, enrolments.get(course.pk))


@dataclass(frozen=True, slots=True)
class News:
    """What the newest edition has that the one begun has not, by the titles of lessons."""

    edition: Edition
    added: list[str]
    gone: list[str]
    has_other_words: bool


def news_of(view: CourseView) -> News | None:
    """What a trainee may move on to; `None` while theirs is the newest edition."""
    if view.enrolment is None or view.edition is None:
        return None
    newest = published_edition(view.course)
    if newest is None or newest.number <= view.edition.number:
        return None
    mine = {one.lesson.pk: one.entry for one in view.lessons}
    theirs = {one.lesson_id: one for one in entries_of([newest]).get(newest.pk, [])}
    return News(
        newest,
        added=[one.title for pk, one in theirs.items() if pk not in mine],
        gone=[one.title for pk, one in mine.items() if pk not in theirs],
        has_other_words=any(
            _words(one) != _words(mine[pk]) for pk, one in theirs.items() if pk in mine
        ),
    )


def _words(entry: EditionLesson) -> tuple[str, str]:
    return (entry.title, entry.notes)


def other_languages(course: Course) -> list[Course]:
    """Published copies of the course, and what it was copied from, in other languages."""
    first = course.copied_from or course
    family = Course.objects.filter(Q(pk=first.pk) | Q(copied_from=first))
    shown = family.filter(state=CourseState.PUBLISHED).exclude(language__in=("", course.language))
    return list(shown.order_by("language", "pk")[:20])


def view_with(lesson: Lesson, user: AnyUser) -> CourseView:
    """The lesson's course in the user's edition, or in the newest that has this lesson.

    Not every lesson that somebody may watch is in their edition: they moved on, or have yet to.
    """
    view = course_view(lesson.course, user)
    if any(one.lesson.pk == lesson.pk for one in view.lessons):
        return view
    newest = Edition.objects.filter(entries__lesson=lesson).order_by("-number").first()
    return course_view(lesson.course, user, edition=newest)


def catalogue(user: AnyUser) -> list[CourseView]:
    """Every published course, newest first."""
    return course_views(access.published_courses(), user)


def drafts(user: AnyUser) -> list[CourseView]:
    """The drafts that the user may work on."""
    return course_views(access.editable_courses(user).filter(state=CourseState.DRAFT), user)


def certificates_of(user: AnyUser) -> QuerySet[Certificate]:
    if not is_signed_in(user):
        return Certificate.objects.none()
    return Certificate.objects.filter(enrolment__user=user)


def _enrolments(user: AnyUser, courses: Iterable[Course]) -> dict[int, Enrolment]:
    if not is_signed_in(user):
        return {}
    mine = Enrolment.objects.filter(user=user, course__in=[one.pk for one in courses])
    rows = mine.select_related("certificate").prefetch_related("progress")
    return {row.course_id: row for row in rows}


def _read_editions(
    courses: Iterable[Course], enrolments: dict[int, Enrolment]
) -> dict[int, Edition]:
    """By course: the edition of the enrolment, else the newest published one, else the draft."""
    found: dict[int, Edition] = {}
    rows = Edition.objects.filter(course__in=[one.pk for one in courses])
    for row in rows.order_by("course", "number"):
        begun = enrolments.get(row.course_id)
        if (begun is None and (row.course_id not in found or not row.is_draft)) or (
            begun is not None and begun.edition_id == row.pk
        ):
            found[row.course_id] = row
    return found


def entries_of(editions: Iterable[Edition]) -> dict[int, list[EditionLesson]]:
    """By edition: its lessons in their order, without those whose clip came to nothing."""
    rows = EditionLesson.objects.filter(edition__in=[one.pk for one in editions])
    shown = rows.exclude(lesson__asset__state=AssetState.FAILED)
    found: dict[int, list[EditionLesson]] = {}
    rows = shown.select_related("lesson__asset__source", "lesson__course").prefetch_related(
        "lesson__asset__renditions"
    )
    for row in rows.prefetch_related("attachments").order_by("position"):
        found.setdefault(row.edition_id, []).append(row)
    return found


def edited_edition(course: Course) -> Edition | None:
    """What an author sees: the draft of the next edition, or the last one while there is none."""
    return course.editions.order_by("-number").first()


def edited_entry(lesson: Lesson) -> EditionLesson | None:
    """The lesson in the edition that is being changed."""
    edition = edited_edition(lesson.course)
    return edition.entries.filter(lesson=lesson).first() if edition else None


def preview_of(course: Course) -> CourseView:
    """The edition that is being changed, for a reader who has done nothing of it yet."""
    return course_view(course, AnonymousUser(), edition=edited_edition(course))


def all_entries(edition: Edition | None) -> list[EditionLesson]:
    """The edition's lessons in their order, with those whose clip failed: they can be taken out."""
    if edition is None:
        return []
    rows = edition.entries.select_related("lesson__asset__source", "lesson__course")
    return list(rows.prefetch_related("attachments"))


def _course_view(
    course: Course,
    edition: Edition | None,
    entries: dict[int, list[EditionLesson]],
    enrolment: Enrolment | None,
) -> CourseView:
    progress = {one.lesson_id: one for one in enrolment.progress.all()} if enrolment else {}
    shown = entries.get(edition.pk, []) if edition else []
    lessons = [
        LessonView(entry.lesson, number, progress.get(entry.lesson_id), entry)
        for number, entry in enumerate(shown, start=1)
    ]
    certificate = getattr(enrolment, "certificate", None)
    return CourseView(course, edition, lessons, enrolment, certificate)
