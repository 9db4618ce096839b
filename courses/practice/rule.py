"""What practice adds to the completion of a lesson."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from courses.models import Enrolment, Lesson
from courses.practice.models import Attempt, AttemptState, PracticeTask


def is_needed(lesson: Lesson) -> bool:
    """A task that sells something is part of its lesson."""
    return PracticeTask.objects.filter(lesson=lesson, goods__isnull=False).exists()


def is_accepted(enrolment: Enrolment, lesson: Lesson) -> bool:
    return _attempts(enrolment, lesson).filter(state=AttemptState.ACCEPTED).exists()


def what_is_missing(enrolment: Enrolment, lesson: Lesson) -> str:
    """In words, for the trainee; empty once a mentor has accepted it."""
    states = set(_attempts(enrolment, lesson).values_list("state", flat=True))
    if AttemptState.ACCEPTED in states:
        return ""
    if AttemptState.SUBMITTED in states:
        return _("A mentor looks at your practice.")
    if AttemptState.ENDED in states:
        return _("Hand in your practice.")
    if AttemptState.AGAIN in states:
        return _("Practise once more: a mentor said what to do better.")
    return _("Practise selling it live.")


def url(lesson: Lesson) -> str:
    return reverse("lesson_practice", args=[lesson.course.public_id, lesson.public_id])


def _attempts(enrolment: Enrolment, lesson: Lesson) -> QuerySet[Attempt]:
    return Attempt.objects.filter(enrolment=enrolment, task__lesson=lesson)
