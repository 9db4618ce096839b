"""What a quiz adds to the completion of a lesson."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from courses.models import Enrolment, Lesson
from courses.quizzes.models import Quiz, Try


def is_needed(lesson: Lesson) -> bool:
    return Quiz.objects.filter(lesson=lesson, is_open=True).exists()


def is_passed(enrolment: Enrolment, lesson: Lesson) -> bool:
    return passed_tries(enrolment, lesson).exists()


def what_is_missing(enrolment: Enrolment, lesson: Lesson) -> str:
    """In words, for the trainee; empty once they have passed."""
    if is_passed(enrolment, lesson):
        return ""
    if tries_of(enrolment, lesson).exists():
        return _("Try the quiz again.")
    return _("Answer the quiz.")


def url(lesson: Lesson) -> str:
    return reverse("lesson_quiz", args=[lesson.course.public_id, lesson.public_id])


def tries_of(enrolment: Enrolment, lesson: Lesson) -> QuerySet[Try]:
    return Try.objects.filter(enrolment=enrolment, paper__quiz__lesson=lesson)


def passed_tries(enrolment: Enrolment, lesson: Lesson) -> QuerySet[Try]:
    return tries_of(enrolment, lesson).filter(is_passed=True, is_late=False)
