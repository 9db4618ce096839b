"""Who may take and who may change a quiz. Pages and API ask here."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.errors import NotFound
from courses import access as courses_access
from courses.models import Enrolment, Lesson
from courses.quizzes.models import Question, Quiz, Try


def lesson_to_edit(user: AnyUser, course_id: UUID, lesson_id: UUID) -> tuple[Lesson, User]:
    """The lesson, for who may change its course; raises as `courses.access.course_for_editor`."""
    lesson = lesson_of(user, course_id, lesson_id)
    courses_access.course_for_editor(user, lesson.course.public_id)
    return lesson, signed_in(user)


def lesson_of(user: AnyUser, course_id: UUID, lesson_id: UUID) -> Lesson:
    """A lesson that the user may know of, at its own address; `SignInRequired` or `NotFound`."""
    lesson = courses_access.lesson_for_reader(signed_in(user), lesson_id)
    if lesson.course.public_id != course_id:
        raise NotFound(_("There is no such lesson."))
    return lesson


def question_to_edit(quiz: Quiz, question_id: UUID) -> Question:
    found = quiz.questions.filter(public_id=question_id).select_related("quiz__lesson").first()
    if found is None:
        raise NotFound(_("There is no such question."))
    return found


def own_try(enrolment: Enrolment, quiz: Quiz, try_id: UUID) -> Try:
    """What this person handed in; `NotFound` for anything else."""
    tries = Try.objects.filter(enrolment=enrolment, paper__quiz=quiz).select_related("paper")
    found = tries.filter(public_id=try_id).first()
    if found is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return found


def late_try(quiz: Quiz, try_id: UUID) -> Try:
    tries = Try.objects.select_related("enrolment", "paper__quiz__lesson")
    found = tries.filter(public_id=try_id, paper__quiz=quiz).first()
    if found is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return found
