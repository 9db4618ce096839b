"""Taking a course: joining it, and telling which seconds of it were watched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from core.errors import Conflict, InvalidInput, TooMany
from courses import intervals
from courses.intervals import Stretch
from courses.models import Certificate, Course, CourseState, Enrolment, Lesson, Progress
from courses.services.certificates import issue_certificate
from media_pipeline.models import AssetState

MAX_STRETCHES = 200
# Seconds of a lesson that can be watched in a second: no common player is faster than this.
FASTEST = 2.0
# What a first report may be ahead of our clock: its way here took no time, its gaps were closed.
HEAD_START_S = 10.0
# A player's idea of the end differs from ours by less than this.
END_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Watched:
    """Where a trainee is in a lesson after a report; the server's word, not the player's."""

    progress: Progress
    covered_s: float
    missing: list[Stretch]
    certificate: Certificate | None

    @property
    def is_done(self) -> bool:
        return self.progress.completed_at is not None


def enrol(user: User, course: Course) -> Enrolment:
    """The user's place in the course, made once; joining makes a trainee. `Conflict` on a draft."""
    if course.state != CourseState.PUBLISHED:
        raise Conflict(_("This course is not published yet."))
    with transaction.atomic():
        RoleGrant.objects.get_or_create(user=user, role=Role.TRAINEE)
        enrolment, _made = Enrolment.objects.get_or_create(user=user, course=course)
    return enrolment


def report_watched(
    enrolment: Enrolment,
    lesson: Lesson,
    stretches: Sequence[Sequence[float]],
    position_s: float | None = None,
) -> Watched:
    """Add what was watched (seconds of media time) to what is known, and say what is missing.

    Reports may overlap, repeat and arrive late. `position_s` is where to go on; `None` leaves it.
    When enough of the lesson is watched it is done, when all lessons are done so is the course,
    and its certificate is issued. `InvalidInput` names the stretch that cannot be; `Conflict`
    says that there is nothing to watch yet; `TooMany` that nobody could have watched so much
    since joining, with `retry_after`. A refused report changes nothing.
    """
    _check_watchable(enrolment, lesson)
    reported = checked_stretches(stretches, lesson.duration_s)
    position = None if position_s is None else checked_position(position_s, lesson.duration_s)
    with transaction.atomic():
        # One lock for all lessons of one person's course: the last two lessons, reported by two
        # devices at once, must not each find the other unfinished.
        locked = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        progress = _add(locked, lesson, reported, position)
        _check_pace(locked)
        certificate = _complete(locked)
    return state_of(progress, lesson, certificate)


def state_of(progress: Progress | None, lesson: Lesson, certificate: Certificate | None) -> Watched:
    """What `progress` amounts to; nothing, for somebody who has not begun."""
    progress = progress or Progress(lesson=lesson)
    return Watched(
        progress=progress,
        covered_s=intervals.covered_s(progress.intervals),
        missing=intervals.missing(progress.intervals, lesson.duration_s),
        certificate=certificate,
    )


def _check_watchable(enrolment: Enrolment, lesson: Lesson) -> None:
    if lesson.course_id != enrolment.course_id:
        raise Conflict(_("This lesson belongs to another course."))
    if lesson.is_taken_back:
        raise Conflict(_("The seller has taken this lesson back. It cannot be watched any more."))
    if not lesson.is_ready or lesson.duration_s <= 0:
        raise Conflict(_("This lesson is still being prepared."))


def _add(
    enrolment: Enrolment, lesson: Lesson, reported: list[Stretch], position_s: float | None
) -> Progress:
    progress, _made = Progress.objects.get_or_create(enrolment=enrolment, lesson=lesson)
    progress.intervals = intervals.merge([*progress.intervals, *reported])
    if position_s is not None:
        progress.position_s = position_s
    if progress.completed_at is None and is_enough(progress.intervals, lesson):
        progress.completed_at = now()
    progress.save()
    return progress


def _check_pace(enrolment: Enrolment) -> None:
    """Refuse, and so undo, what is more than there was time to watch since joining.

    Counted over the whole course, so that lessons cannot be watched side by side. A report from
    days without a network comes late, and fits.
    """
    sets = Progress.objects.filter(enrolment=enrolment).values_list("intervals", flat=True)
    watched_s = sum(intervals.covered_s(one) for one in sets)
    needed_s = (watched_s - HEAD_START_S) / FASTEST
    passed_s = (now() - enrolment.started_at).total_seconds()
    if needed_s > passed_s:
        raise TooMany(
            _("That is more than can be watched since you joined. Please watch the lesson."),
            field="intervals",
            retry_after=needed_s - passed_s,
        )


def is_enough(merged: Sequence[Sequence[float]], lesson: Lesson) -> bool:
    return intervals.covered_s(merged) >= round(lesson.required_s, 3)


def _complete(enrolment: Enrolment) -> Certificate | None:
    """Complete the course when no lesson is left to do; its certificate, if there is one."""
    if enrolment.completed_at is None:
        if _lessons_left(enrolment):
            return None
        enrolment.completed_at = now()
        enrolment.save(update_fields=["completed_at"])
    return issue_certificate(enrolment)


def _lessons_left(enrolment: Enrolment) -> bool:
    """Whether a lesson is not done. One that is being prepared counts.

    One that failed does not, nor one that was taken back: nobody can watch it any more.
    """
    done = Progress.objects.filter(enrolment=enrolment, completed_at__isnull=False)
    lessons = Lesson.objects.filter(course=enrolment.course_id)
    left = lessons.exclude(asset__state__in=(AssetState.FAILED, AssetState.WITHDRAWN))
    return left.exclude(pk__in=done.values("lesson")).exists()


def complete_without(asset_id: UUID) -> int:
    """Complete the courses of those for whom only this lesson was left; how many.

    Who has not done a single lesson has finished nothing.
    """
    courses = Lesson.objects.filter(asset__public_id=asset_id).values("course")
    begun = Progress.objects.filter(completed_at__isnull=False).values("enrolment")
    waiting = Enrolment.objects.filter(course__in=courses, completed_at=None, pk__in=begun)
    return sum(_complete_again(pk) for pk in list(waiting.values_list("pk", flat=True)))


def _complete_again(enrolment_id: int) -> bool:
    with transaction.atomic():
        return _complete(Enrolment.objects.select_for_update().get(pk=enrolment_id)) is not None


def checked_stretches(stretches: Sequence[Sequence[float]], duration_s: float) -> list[Stretch]:
    """The stretches, each finite, forward and inside a lesson of `duration_s`.

    `InvalidInput` names the first that is not.
    """
    if len(stretches) > MAX_STRETCHES:
        raise InvalidInput(
            _("At most %(count)d stretches can be reported at once.") % {"count": MAX_STRETCHES},
            field="intervals",
        )
    checked = [_checked_stretch(n, stretch, duration_s) for n, stretch in enumerate(stretches)]
    return intervals.clip(checked, duration_s)


def _checked_stretch(number: int, stretch: Sequence[float], duration_s: float) -> Stretch:
    field = f"intervals.{number}"
    if len(stretch) != 2 or not all(math.isfinite(edge) for edge in stretch):
        raise InvalidInput(_("A stretch is two numbers of seconds."), field=field)
    start, end = stretch
    if not 0 <= start < end:
        raise InvalidInput(_("A stretch starts at 0 or later and ends after it."), field=field)
    if end > duration_s + END_SLACK_S:
        raise InvalidInput(_("A stretch ends where the lesson ends."), field=field)
    return (start, end)


def checked_position(position_s: float, duration_s: float) -> float:
    """The position inside the lesson that is nearest to `position_s`, which is near it."""
    if not math.isfinite(position_s):
        raise InvalidInput(_("A position is a number of seconds."), field="position_s")
    if not -END_SLACK_S <= position_s <= duration_s + END_SLACK_S:
        raise InvalidInput(_("A position lies inside the lesson."), field="position_s")
    return round(min(max(position_s, 0.0), duration_s), 3)
