"""Courses as pages and API show them: lessons with posters, and how far somebody is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from django.db.models import Prefetch, QuerySet

from core.accounts.access import AnyUser, is_signed_in
from courses import access, intervals
from courses.intervals import Stretch
from courses.models import Certificate, Course, CourseState, Enrolment, Lesson, Progress
from media_pipeline.models import Asset, AssetState
from media_pipeline.storage import storage


@dataclass(frozen=True, slots=True)
class LessonView:
    """A lesson and what one person has watched of it."""

    lesson: Lesson
    number: int
    progress: Progress | None

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
    def poster_url(self) -> str:
        return poster_url(self.lesson.asset)

    @property
    def video_url(self) -> str:
        key = self.lesson.asset.download_key
        return storage().url(key) if key and self.lesson.is_ready else ""


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course, its lessons and how far one person is in it."""

    course: Course
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
        later = (one for one in self.lessons if one.lesson.position > lesson.position)
        return next((one for one in later if one.lesson.is_ready), None)

    def view_of(self, lesson: Lesson) -> LessonView:
        return next(one for one in self.lessons if one.lesson.pk == lesson.pk)


def poster_url(asset: Asset) -> str:
    """Only of what its seller agreed to; a lesson of before that was asked has none until then."""
    return picture_url(asset) if asset.consented_at else ""


def picture_url(asset: Asset) -> str:
    """For who may use the clip in a course: its own people, who may yet have to agree."""
    return storage().url(asset.poster_key) if asset.poster_key else ""


def course_views(courses: QuerySet[Course], user: AnyUser) -> list[CourseView]:
    """The courses with their lessons and the user's progress, in four queries however many."""
    lessons = Lesson.objects.select_related("asset", "course")
    rows = list(courses.prefetch_related(Prefetch("lessons", queryset=lessons)))
    enrolments = _enrolments(user, rows)
    return [_course_view(row, enrolments.get(row.pk)) for row in rows]


def course_view(course: Course, user: AnyUser) -> CourseView:
    return course_views(Course.objects.filter(pk=course.pk), user)[0]


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


def _course_view(course: Course, enrolment: Enrolment | None) -> CourseView:
    progress = {one.lesson_id: one for one in enrolment.progress.all()} if enrolment else {}
    shown = [one for one in course.lessons.all() if one.asset.state != AssetState.FAILED]
    lessons = [
        LessonView(lesson=lesson, number=number, progress=progress.get(lesson.pk))
        for number, lesson in enumerate(shown, start=1)
    ]
    certificate = getattr(enrolment, "certificate", None)
    return CourseView(course, lessons, enrolment, certificate)
