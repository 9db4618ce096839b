from __future__ import annotations

import math
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core.clock import now
from core.errors import Conflict, InvalidInput, TooMany
from core.ids import new_id
from courses import completion
from courses.models import Course, Enrolment, Lesson
from courses.quizzes import editing, figures, taking
from courses.quizzes.forms import number_in, second_in
from courses.quizzes.models import Kind, Quiz, Try
from courses.services import learning
from tests.courses.quizzes.conftest import CHOICE, NUMBER, hand_in, right_answers, wrong_choice
from tests.world import World


def test_a_lesson_with_a_quiz_is_done_once_it_is_watched_and_passed(
    enrolment: Enrolment, quiz: Quiz, picking: Lesson
) -> None:
    learning.report_watched(enrolment, picking, [(0, 20)])
    missing = [one for one in completion.requirements(enrolment, picking) if not one.is_done]
    assert [one.kind for one in missing] == ["quiz"]
    assert missing[0].url.endswith("/quiz/")
    assert hand_in(enrolment, quiz, right_answers(quiz)).is_passed
    assert enrolment.progress.get(lesson=picking).completed_at is not None


def test_each_kind_is_marked_with_its_tolerance(enrolment: Enrolment, quiz: Quiz) -> None:
    near = hand_in(enrolment, quiz, right_answers(quiz, number=5.1, moment=16.4))
    assert near.right == 4
    far = hand_in(enrolment, quiz, right_answers(quiz, number=5.11, moment=17.0))
    assert (far.right, far.is_passed) == (2, False)
    backwards = hand_in(enrolment, quiz, right_answers(quiz, choice=wrong_choice(quiz), order=[]))
    assert [one.is_right for one in backwards.answers.order_by("id")] == [False, False, True, True]


def test_the_same_answers_sent_again_are_one_try(enrolment: Enrolment, quiz: Quiz) -> None:
    try_id, answers = new_id(), right_answers(quiz, number=4.0)
    assert hand_in(enrolment, quiz, answers, try_id=try_id) == hand_in(
        enrolment, quiz, list(reversed(answers)), try_id=try_id
    )
    with pytest.raises(taking.UsedId):
        hand_in(enrolment, quiz, right_answers(quiz), try_id=try_id)
    assert Try.objects.count() == 1


def test_an_id_of_somebody_else_gives_nothing(
    world: World, course: Course, enrolment: Enrolment, quiz: Quiz
) -> None:
    made = hand_in(enrolment, quiz, right_answers(quiz))
    li = learning.enrol(world.li, course)
    with pytest.raises(taking.UsedId):
        hand_in(li, quiz, right_answers(quiz), try_id=made.public_id)


@pytest.mark.django_db(transaction=True)
def test_two_devices_with_the_same_try_make_one(enrolment: Enrolment, quiz: Quiz) -> None:
    try_id, made, start = new_id(), list[Try](), threading.Barrier(2)

    def send() -> None:
        start.wait()
        made.append(hand_in(enrolment, quiz, right_answers(quiz), try_id=try_id))
        connection.close()

    both = [threading.Thread(target=send) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert made[0] == made[1]
    assert Try.objects.count() == 1


def test_late_answers_are_kept_and_count_once_a_teacher_says_so(
    enrolment: Enrolment, quiz: Quiz, picking: Lesson
) -> None:
    editing.set_rules(quiz, pass_percent=80, ends_at=now() - timedelta(minutes=1))
    learning.report_watched(enrolment, picking, [(0, 20)])
    try_id = new_id()
    for _again in range(2):
        with pytest.raises(taking.QuizOver):
            hand_in(enrolment, quiz, right_answers(quiz), try_id=try_id)
    late = Try.objects.get(public_id=try_id, is_late=True)
    assert not enrolment.progress.filter(completed_at__isnull=False).exists()
    taking.count_late(late)
    assert enrolment.progress.filter(completed_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Kind.NUMBER, math.nan),
        (Kind.NUMBER, math.inf),
        (Kind.NUMBER, 1e300),
        (Kind.NUMBER, ["a"]),
        (Kind.MOMENT, -1.0),
        (Kind.MOMENT, 1e9),
        (Kind.CHOICE, 3.0),
        (Kind.CHOICE, ["nothing"]),
        (Kind.ORDER, ["nothing"] * 3),
    ],
)
def test_what_cannot_be_an_answer_is_named_and_counts_as_no_try(
    enrolment: Enrolment, quiz: Quiz, kind: Kind, given: Any
) -> None:
    with pytest.raises(InvalidInput) as refused:
        hand_in(enrolment, quiz, right_answers(quiz, **{kind: given}))
    assert (refused.value.field or "").startswith("answers.")
    assert not Try.objects.exists()


def test_a_question_is_answered_once_and_only_if_it_was_asked(
    enrolment: Enrolment, quiz: Quiz
) -> None:
    answers = right_answers(quiz)
    for bad in ([*answers, answers[0]], [(new_id(), 1.0)]):
        with pytest.raises(InvalidInput):
            hand_in(enrolment, quiz, bad)


def test_guessing_on_and_on_is_slowed_down(enrolment: Enrolment, quiz: Quiz) -> None:
    for number in range(taking.MOST_TRIES_AN_HOUR):
        hand_in(enrolment, quiz, right_answers(quiz, number=float(number + 10)))
    with pytest.raises(TooMany):
        hand_in(enrolment, quiz, right_answers(quiz))


def test_another_wording_makes_another_paper_and_loses_no_try(
    world: World, enrolment: Enrolment, quiz: Quiz
) -> None:
    made = hand_in(enrolment, quiz, right_answers(quiz))
    old = right_answers(quiz)
    question = quiz.questions.order_by("position")[2]
    editing.reword(question, replace(NUMBER, value=6.0), world.chen)
    editing.remove_question(quiz.questions.order_by("position")[0])
    editing.publish(quiz, world.chen)
    assert editing.asked_paper(quiz).number == 2
    made.refresh_from_db()
    assert made.is_passed
    assert made.answers.count() == 4
    # A phone that was offline meanwhile answers what it was asked.
    offline = taking.hand_in(enrolment, quiz.lesson, try_id=new_id(), paper_number=1, answers=old)
    assert offline.is_passed
    assert hand_in(enrolment, quiz, right_answers(quiz)).asked == 3


def test_publishing_again_without_changes_publishes_nothing(world: World, quiz: Quiz) -> None:
    editing.reword(quiz.questions.order_by("position")[2], NUMBER, world.chen)
    editing.publish(quiz, world.chen)
    assert quiz.papers.count() == 1


def test_a_quiz_without_a_question_cannot_be_published(world: World, packing: Lesson) -> None:
    empty = editing.quiz_for(packing, world.chen)
    with pytest.raises(Conflict):
        editing.publish(empty, world.chen)


@pytest.mark.parametrize(
    "written",
    [
        replace(CHOICE, options=CHOICE.options[1:]),
        replace(CHOICE, options=CHOICE.options[:1] * 2),
        replace(CHOICE, explained_s=21.0),
        replace(NUMBER, value=math.nan),
        replace(NUMBER, tolerance=-1.0),
        replace(NUMBER, text=" "),
        replace(NUMBER, kind="essay"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(world: World, quiz: Quiz, written: Any) -> None:
    with pytest.raises(InvalidInput):
        editing.add_question(quiz, written, world.chen)
    assert quiz.questions.count() == 4


@pytest.mark.parametrize(
    ("typed", "value"),
    [("3,5", 3.5), ("1,200", 1200), ("３．５ kg", 3.5), ("-2", -2), ("nan", None), ("1e5", None),
     ("1:05", None), ("", None)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(typed: str, value: float | None) -> None:
    assert number_in(typed, "kg") == value


def test_seconds_are_read_as_clocks_show_them() -> None:
    assert [second_in(one) for one in ("1:05", "65", "0:07.5", "x")] == [65, 65, 7.5, None]


def test_figures_count_first_tries_and_name_the_wrong_answers(
    world: World, course: Course, enrolment: Enrolment, quiz: Quiz
) -> None:
    hand_in(enrolment, quiz, right_answers(quiz, choice=wrong_choice(quiz)))
    hand_in(enrolment, quiz, right_answers(quiz))
    hand_in(learning.enrol(world.li, course), quiz, right_answers(quiz))
    found = figures.figures_of(quiz)
    choice = found.items[0]
    assert (found.people, found.passed, found.tries) == (2, 2, 3)
    assert (choice.right, choice.asked, choice.percent) == (1, 2, 50)
    assert [(one.text, one.count) for one in choice.given if not one.is_right] == [
        ("The price", 1),
        ("Yourself", 0),
    ]
