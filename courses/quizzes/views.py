"""The page on which a quiz is taken."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.accounts.access import signed_in
from core.api import PROBLEM, problem_of
from core.errors import AppError, Conflict, NotFound
from core.ids import new_id, parse_id
from core.pages import KEY_FIELD, page
from courses import access as courses_access
from courses import selectors
from courses.models import Enrolment, Lesson
from courses.quizzes import access, editing, forms, rule, showing, taking
from courses.quizzes.models import Quiz, Try
from courses.quizzes.taking import QuizOver


@page
@require_http_methods(["GET", "POST"])
def lesson_quiz(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    lesson = access.lesson_of(request.user, course_id, lesson_id)
    if not courses_access.may_watch(request.user, lesson.course):
        messages.info(request, _("Join the course to answer its quizzes."))
        return redirect(lesson.course)
    quiz = taking.open_quiz(lesson)
    enrolment = courses_access.enrolment_of(request.user, lesson.course)
    if request.method == "POST":
        return _handed_in(request, lesson, quiz, enrolment)
    made = _shown_try(request, quiz, enrolment)
    return render(request, "quizzes/quiz.html", _context(request, lesson, quiz, enrolment, made))


def _shown_try(request: HttpRequest, quiz: Quiz, enrolment: Enrolment | None) -> Try | None:
    asked = parse_id(request.GET.get("try", ""))
    if asked is None or enrolment is None:
        return None
    return access.own_try(enrolment, quiz, asked)


def _handed_in(
    request: HttpRequest, lesson: Lesson, quiz: Quiz, enrolment: Enrolment | None
) -> HttpResponse:
    """Mark what was answered; sent twice, the form is one try by its key."""
    if enrolment is None:
        messages.info(request, _("Preview: nothing is counted. Join the course to answer."))
        return redirect(rule.url(lesson))
    try_id = parse_id(request.POST.get(KEY_FIELD, "")) or new_id()
    try:
        made = _marked(request, lesson, quiz, enrolment, try_id)
    except QuizOver as late:
        messages.warning(request, late.message)
        return redirect(f"{rule.url(lesson)}?try={try_id}")
    except NotFound:
        raise
    except AppError as error:
        if PROBLEM in request.headers.get("Accept", ""):  # a phone that tells it later
            return problem_of(error)
        context = _context(request, lesson, quiz, enrolment, None, error=error)
        return render(request, "quizzes/quiz.html", context, status=error.status)
    return redirect(f"{rule.url(lesson)}?try={made.public_id}")


def _marked(
    request: HttpRequest, lesson: Lesson, quiz: Quiz, enrolment: Enrolment, try_id: uuid.UUID
) -> Try:
    number = request.POST.get("paper", "")
    paper = quiz.papers.filter(number=int(number)).first() if number.isdecimal() else None
    if paper is None:
        raise Conflict(_("The quiz has changed. Please answer it as it is now."))
    answers = forms.answers_of(taking.wordings_of(paper), request.POST)
    return taking.hand_in(
        enrolment, lesson, try_id=try_id, paper_number=paper.number, answers=answers
    )


def _context(
    request: HttpRequest,
    lesson: Lesson,
    quiz: Quiz,
    enrolment: Enrolment | None,
    made: Try | None,
    error: AppError | None = None,
) -> dict[str, Any]:
    paper = editing.asked_paper(quiz)
    view = selectors.view_with(lesson, request.user)
    current = view.view_of(lesson)
    wordings = taking.wordings_of(paper)
    problem = (error.field or "", error.message) if error else ("", "")
    return {
        "lesson": lesson,
        "current": current,
        "quiz": quiz,
        "paper": paper,
        "made": made,
        "is_over": taking.is_over(quiz),
        "passed": enrolment is not None and rule.is_passed(enrolment, lesson),
        "tries": rule.tries_of(enrolment, lesson).count() if enrolment else 0,
        "is_preview": enrolment is None,
        "may_edit": courses_access.may_edit(request.user, lesson.course),
        "following": view.lesson_after(lesson),
        "wrong_count": made.asked - made.right if made else 0,
        "error": error,
        "needed": -(-quiz.pass_percent * len(wordings) // 100),
        "questions": showing.asked(
            lesson,
            wordings,
            person=signed_in(request.user).pk,
            made=made,
            typed=request.POST if error else None,
            error=problem,
        ),
        "data": {"lesson": str(lesson.public_id), "person": str(signed_in(request.user).public_id)},
    }
