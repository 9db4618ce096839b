"""A quiz of four questions on the lesson "Picking" of 20 s, one of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from core.ids import new_id
from courses.models import Enrolment, Lesson
from courses.quizzes import editing, taking
from courses.quizzes.marking import Given
from courses.quizzes.models import Kind, Quiz, Try, Wording
from courses.quizzes.wording import Option, Written
from tests.world import World

CHOICE = Written(
    Kind.CHOICE,
    "What do you show first?",
    4.0,
    options=[Option("The apple", is_right=True), Option("The price"), Option("Yourself")],
)
ORDER = Written(
    Kind.ORDER,
    "In which order do you pack?",
    8.0,
    options=[Option("Paper"), Option("Apples"), Option("Lid")],
)
NUMBER = Written(Kind.NUMBER, "How heavy is a box?", 12.0, value=5.0, tolerance=0.1, unit="kg")
MOMENT = Written(Kind.MOMENT, "Where is the stalk cut?", 15.0, start_s=14.0, end_s=16.0)


@pytest.fixture
def quiz(world: World, picking: Lesson) -> Quiz:
    made = editing.quiz_for(picking, world.chen)
    for written in (CHOICE, ORDER, NUMBER, MOMENT):
        editing.add_question(made, written, world.chen)
    editing.publish(made, world.chen)
    made.refresh_from_db()
    return made


def right(wording: Wording) -> Given:
    if wording.kind == Kind.NUMBER:
        return float(wording.answer["value"])
    if wording.kind == Kind.MOMENT:
        return float(wording.answer["start_s"])
    return list(wording.answer)


def right_answers(quiz: Quiz, **other: Any) -> list[tuple[UUID, Given]]:
    """All right, but what `other` says by kind."""
    wordings = taking.wordings_of(editing.asked_paper(quiz))
    given: Mapping[str, Given] = other
    return [(one.public_id, given.get(one.kind, right(one))) for one in wordings]


def wrong_choice(quiz: Quiz) -> list[str]:
    [wording] = [one for one in editing.current_wordings(quiz) if one.kind == Kind.CHOICE]
    return [next(one["id"] for one in wording.options if one["id"] not in wording.answer)]


def hand_in(
    enrolment: Enrolment,
    quiz: Quiz,
    answers: list[tuple[UUID, Given]],
    *,
    try_id: UUID | None = None,
) -> Try:
    paper = editing.asked_paper(quiz)
    return taking.hand_in(
        enrolment,
        quiz.lesson,
        try_id=try_id or new_id(),
        paper_number=paper.number,
        answers=answers,
    )
