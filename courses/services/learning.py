"""Taking a course: joining it, and telling which seconds of it were watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from core.errors import Conflict, InvalidInput, TooMany
from courses import completion, intervals
from courses.intervals import Stretch
from courses.models import Certificate, Course, Enrolment, Lesson, Progress, WatchedBatch
from courses.services import watched
from courses.services.editions import edition_to_begin
from courses.services.editions import move_on as move_on_to_newest
from courses.services.watched import Report

# What a first report may be ahead of our clock: its way here took no time, its gaps were closed.
HEAD_START_S = 10.0
# After so long no device tries to tell the same again; if it did, the same seconds count once.
BATCHES_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Watched:
    """Where a trainee is in a lesson after a report; the server's word, not the player's."""

    progress: Progress
    covered_s: float
    missing: list[Stretch]
    certificate: Certificate | None
    not_counted: str = ""
    """Why something of the report was left out, in words."""

    @property
    def is_done(self) -> bool:
        return self.progress.completed_at is not None


def enrol(user: User, course: Course) -> Enrolment:
    """The user's place in the course, made once; joining makes a trainee. `Conflict` on a draft."""
    edition = edition_to_begin(course)
    with transaction.atomic():
        RoleGrant.objects.get_or_create(user=user, role=Role.TRAINEE)
        enrolment, _made = Enrolment.objects.get_or_create(
            user=user, course=course, defaults={"edition": edition}
        )
    return enrolment


def move_on(enrolment: Enrolment) -> None:
    """Put a trainee into the newest edition; the course is done if nothing of it is left to do.

    `Conflict` on a course without an edition to begin.
    """
    with transaction.atomic():
        locked = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        move_on_to_newest(locked)
        # Who has not done a single lesson has finished nothing.
        if locked.progress.filter(completed_at__isnull=False).exists():
            completion.complete(locked)


def report_watched(
    enrolment: Enrolment,
    lesson: Lesson,
    stretches: Sequence[Sequence[float]],
    position_s: float | None = None,
) -> Watched:
    """As `take_report`, of seconds that somebody saw or heard at the usual speed."""
    return take_report(
        enrolment, lesson, Report(watched.plain(stretches), position_s, field="intervals")
    )


def take_report(enrolment: Enrolment, lesson: Lesson, report: Report) -> Watched:
    """Add what was watched (seconds of media time) to what is known, and say what is missing.

    Reports may overlap, repeat and arrive late, in any order. What nobody could follow is left out
    (`watched.counts`), and said so. When the lesson's requirements are met it is done, when all
    lessons are done so is the course, and its certificate is issued. A refused report changes
    nothing: `InvalidInput` names the stretch that cannot be; `Conflict` says that there is nothing
    to watch yet, or that the batch's id is another report's; `TooMany` that nobody could have
    watched so much since joining, with `retry_after`.
    """
    _check_watchable(enrolment, lesson)
    watched.check(report, lesson.duration_s)
    position = report.position_s
    if position is not None:
        position = watched.checked_position(position, lesson.duration_s)
    followed = [one for one in report.played if watched.counts(one, enrolment.course)]
    with transaction.atomic():
        # One lock for all lessons of one person's course, as `completion.settle` needs it.
        locked = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
        if _is_known(locked, lesson, report):
            followed, position = [], None
        reported = [watched.inside(one, lesson.duration_s) for one in followed]
        progress = _add(locked, lesson, reported, position, report.lasted_s)
        _check_pace(locked)
        completion.settle(locked, lesson)
        progress.refresh_from_db(fields=["completed_at"])
        certificate = Certificate.objects.filter(enrolment=locked).first()
    state = state_of(progress, lesson, certificate)
    return replace(state, not_counted=watched.why_not(report.played, enrolment.course))


def _is_known(enrolment: Enrolment, lesson: Lesson, report: Report) -> bool:
    """Whether this batch was taken in before; it is noted. `Conflict` if it said something else."""
    if report.batch is None:
        return False
    digest = report.digest_for(str(lesson.public_id))
    batch, is_new = WatchedBatch.objects.get_or_create(
        enrolment=enrolment,
        batch_id=report.batch,
        defaults={"digest": digest, "received_at": now()},
    )
    if batch.digest != digest:
        raise Conflict(_("This batch was told before, and said something else."), field="batch")
    return not is_new


def forget_batches() -> int:
    """Drop the ids of old reports; how many."""
    old = WatchedBatch.objects.filter(received_at__lt=now() - BATCHES_KEPT)
    return old.delete()[0]


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
    enrolment: Enrolment,
    lesson: Lesson,
    reported: list[Stretch],
    position_s: float | None,
    lasted_s: float | None,
) -> Progress:
    progress, _made = Progress.objects.get_or_create(enrolment=enrolment, lesson=lesson)
    before_s = intervals.covered_s(progress.intervals)
    progress.intervals = intervals.merge([*progress.intervals, *reported])
    _check_lasted(intervals.covered_s(progress.intervals) - before_s, lasted_s)
    if position_s is not None:
        progress.position_s = position_s
    progress.save()
    return progress


def _check_lasted(added_s: float, lasted_s: float | None) -> None:
    """No batch has more in it than can be played in the time that it took."""
    if lasted_s is not None and added_s > watched.FASTEST * lasted_s + HEAD_START_S:
        raise InvalidInput(
            _("That is more than can be watched in the time that it took."), field="lasted_s"
        )


def _check_pace(enrolment: Enrolment) -> None:
    """Refuse, and so undo, what is more than there was time to watch since joining.

    Counted over the whole course, so that lessons cannot be watched side by side. A report from
    days without a network comes late, and fits.
    """
    sets = Progress.objects.filter(enrolment=enrolment).values_list("intervals", flat=True)
    watched_s = sum(intervals.covered_s(one) for one in sets)
    needed_s = (watched_s - HEAD_START_S) / watched.FASTEST
    passed_s = (now() - enrolment.started_at).total_seconds()
    if needed_s > passed_s:
        raise TooMany(
            _("That is more than can be watched since you joined. Please watch the lesson."),
            field="intervals",
            retry_after=needed_s - passed_s,
        )


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
        return (
            completion.complete(Enrolment.objects.select_for_update().get(pk=enrolment_id))
            is not None
        )
