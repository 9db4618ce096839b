"""Who may practise, look at a practice, and write its task. Pages, API and sockets ask here."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in, signed_in
from core.accounts.models import User
from core.errors import Conflict, NotFound
from courses import access as courses_access
from courses.models import Enrolment, Lesson
from courses.practice.models import Attempt, PracticeTask
from streams.models import Show


def task_to_practise(user: AnyUser, lesson_id: UUID) -> tuple[PracticeTask, Enrolment]:
    """The lesson's task, and the user's enrolment.

    Raises `SignInRequired`, `NotFound` for a lesson without a task, or `Conflict` for who has not
    joined the course.
    """
    lesson = courses_access.lesson_for_reader(signed_in(user), lesson_id)
    task = task_of(lesson)
    if task is None:
        raise NotFound(_("There is nothing to practise in this lesson."))
    return task, courses_access.learner_of(user, lesson)


def task_of(lesson: Lesson) -> PracticeTask | None:
    return PracticeTask.objects.filter(lesson=lesson).select_related("lesson__course").first()


def lesson_to_edit(user: AnyUser, lesson_id: UUID) -> Lesson:
    """The lesson, for who may change its course; raises as `courses.access.course_for_editor`."""
    lesson = courses_access.lesson_for_reader(signed_in(user), lesson_id)
    courses_access.course_for_editor(user, lesson.course.public_id)
    return lesson


def own_attempt(user: AnyUser, attempt_id: UUID) -> Attempt:
    """The user's own; raises `SignInRequired` or `NotFound`."""
    attempt = _attempts().filter(public_id=attempt_id, enrolment__user=signed_in(user)).first()
    if attempt is None:
        raise no_such_attempt()
    return attempt


def attempt_to_see(user: AnyUser, attempt_id: UUID) -> Attempt:
    """For the trainee and those who teach; raises `SignInRequired` or `NotFound`."""
    person = signed_in(user)
    attempt = _attempts().filter(public_id=attempt_id).first()
    if attempt is None or not (is_own(person, attempt) or courses_access.is_teacher(person)):
        raise no_such_attempt()
    return attempt


def attempt_of_show(show: Show) -> Attempt | None:
    return _attempts().filter(show_id=show.public_id).first()


def attempt_by_invitation(user: AnyUser, invite: UUID) -> Attempt:
    """The attempt that the link invites to, for who learns in the same course.

    Raises `SignInRequired`, `NotFound` for a link that is none, or `Conflict` for others.
    """
    person = signed_in(user)
    attempt = _attempts().filter(invite=invite).first()
    if attempt is None:
        raise NotFound(_("This link invites to nothing any more."))
    course = attempt.enrolment.course
    if not courses_access.may_watch(person, course):
        raise Conflict(
            _("Only who learns in “%(course)s” can watch this practice. Join the course first.")
            % {"course": course.title}
        )
    return attempt


def is_own(user: AnyUser, attempt: Attempt) -> bool:
    return is_signed_in(user) and attempt.enrolment.user_id == user.pk


def trainee_of(attempt: Attempt) -> User:
    return attempt.enrolment.user


def no_such_attempt() -> NotFound:
    return NotFound(_("There is no such practice, or it is not yours."))


def _attempts() -> QuerySet[Attempt]:
    return Attempt.objects.select_related("enrolment__user", "enrolment__course", "task__lesson")
