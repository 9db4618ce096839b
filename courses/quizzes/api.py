"""The HTTP API of quizzes: what is asked, and handing in answers.

Answers may wait on a phone without a network: whoever hands them in chooses their id, and the same
id brings the same result, however often it is sent.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema
from pydantic import Field, StrictFloat, StrictStr

from core.accounts.access import signed_in
from core.api import may, session_user
from courses import access as courses_access
from courses.api import StrictInput
from courses.models import Enrolment, Lesson
from courses.quizzes import editing, rule, taking
from courses.quizzes.models import Answer, Quiz, Try, Wording

router = Router(tags=["quizzes"], auth=session_user)
MOST_ANSWERS = 50


class OptionOut(Schema):
    id: str
    text: str


class QuestionOut(Schema):
    """`kind` is choice, order, number or moment; `several`: more than one is right."""

    id: uuid.UUID
    kind: str
    text: str
    options: list[OptionOut]
    several: bool
    unit: str


class QuizOut(Schema):
    """A paper. `tries` and `passed` are the caller's own."""

    lesson_id: uuid.UUID
    paper: int
    pass_percent: int
    ends_at: datetime | None
    questions: list[QuestionOut]
    tries: int
    passed: bool


class AnswerIn(StrictInput):
    """`given`: ids of options (of "order" all, in order), a number, or a second; `null`: none."""

    question: uuid.UUID
    given: Annotated[list[StrictStr], Field(max_length=20)] | StrictFloat | None = None


class AnswersIn(StrictInput):
    """`id` is new for each try, and the same when the same try is sent again."""

    id: uuid.UUID
    paper: Annotated[int, Field(strict=True, ge=1, le=32_000)]
    answers: Annotated[list[AnswerIn], Field(max_length=MOST_ANSWERS)]


class MarkOut(Schema):
    """Of a wrong answer `explained_s` is the second of the lesson that explains it, at `url`."""

    question: uuid.UUID
    right: bool
    explained_s: float | None
    url: str | None


class TryOut(Schema):
    """`lesson_done`: nothing is left to do in the lesson."""

    id: uuid.UUID
    number: int
    right: int
    asked: int
    passed: bool
    marks: list[MarkOut]
    lesson_done: bool
    url: str


@router.get("/lessons/{uuid:lesson_id}/quiz", response=QuizOut, auth=may("read:courses"))
def quiz(request: HttpRequest, lesson_id: uuid.UUID) -> dict[str, Any]:
    """What the lesson's quiz asks now, without the answers."""
    lesson = courses_access.lesson_to_watch(request.user, lesson_id)
    enrolment = courses_access.enrolment_of(request.user, lesson.course)
    return quiz_out(taking.open_quiz(lesson), enrolment, person=signed_in(request.user).pk)


@router.post("/lessons/{uuid:lesson_id}/quiz/answers", response=TryOut, auth=may("write:courses"))
def hand_in(request: HttpRequest, lesson_id: uuid.UUID, body: AnswersIn) -> dict[str, Any]:
    """Hand in answers; the same id again gets the same result.

    `quiz_over` says that they came after the last moment: they are kept, but do not count yet.
    """
    lesson = courses_access.lesson_for_reader(request.user, lesson_id)
    enrolment = courses_access.learner_of(request.user, lesson)
    made = taking.hand_in(
        enrolment,
        lesson,
        try_id=body.id,
        paper_number=body.paper,
        answers=[(one.question, one.given) for one in body.answers],
    )
    return try_out(made, lesson)


def quiz_out(quiz: Quiz, enrolment: Enrolment | None, *, person: int) -> dict[str, Any]:
    paper = editing.asked_paper(quiz)
    mine = rule.tries_of(enrolment, quiz.lesson) if enrolment else Try.objects.none()
    return {
        "lesson_id": quiz.lesson.public_id,
        "paper": paper.number,
        "pass_percent": quiz.pass_percent,
        "ends_at": quiz.ends_at,
        "questions": [_question_out(one, person) for one in taking.wordings_of(paper)],
        "tries": mine.count(),
        "passed": mine.filter(is_passed=True, is_late=False).exists(),
    }


def _question_out(wording: Wording, person: int) -> dict[str, Any]:
    return {
        "id": wording.public_id,
        "kind": wording.kind,
        "text": wording.text,
        "options": taking.shown_options(wording, person),
        "several": wording.takes_several,
        "unit": wording.unit,
    }


def try_out(made: Try, lesson: Lesson) -> dict[str, Any]:
    answers = made.answers.select_related("wording").order_by("id")
    done = made.enrolment.progress.filter(lesson=lesson, completed_at__isnull=False)
    return {
        "id": made.public_id,
        "number": made.number,
        "right": made.right,
        "asked": made.asked,
        "passed": made.is_passed,
        "marks": [_mark_out(one, lesson) for one in answers],
        "lesson_done": done.exists(),
        "url": f"{rule.url(lesson)}?try={made.public_id}",
    }


def _mark_out(answer: Answer, lesson: Lesson) -> dict[str, Any]:
    at_s = None if answer.is_right else answer.wording.explained_s
    return {
        "question": answer.wording.public_id,
        "right": answer.is_right,
        "explained_s": at_s,
        "url": None if at_s is None else explained_at(lesson, at_s),
    }


def explained_at(lesson: Lesson, at_s: float) -> str:
    """Where the lesson's player starts at this second."""
    here = reverse("lesson", args=[lesson.course.public_id, lesson.public_id])
    return f"{here}?t={at_s:g}"
