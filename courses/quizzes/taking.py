"""Taking a quiz: what is asked, and handing in answers, each set of them once."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from core.accounts import limits
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from courses import completion
from courses.models import Enrolment, Lesson
from courses.quizzes.marking import Given, checked_given, is_right
from courses.quizzes.models import Answer, Kind, Paper, Quiz, Try, Wording

MOST_TRIES_AN_HOUR = 30


class QuizOver(Conflict):
    """The answers came after the last moment. They are kept, and a teacher can count them."""

    code = "quiz_over"


class UsedId(Conflict):
    """Other answers were handed in under this id."""

    code = "key_reused"


def open_quiz(lesson: Lesson) -> Quiz:
    """The lesson's quiz; `NotFound` where there is none, or it is not published."""
    quiz = Quiz.objects.filter(lesson=lesson, is_open=True).first()
    if quiz is None:
        raise NotFound(_("There is no quiz in this lesson."))
    return quiz


def wordings_of(paper: Paper) -> list[Wording]:
    items = paper.items.select_related("wording").order_by("position")
    return [item.wording for item in items]


def shown_options(wording: Wording, person: int) -> list[dict[str, str]]:
    """The options in an order of this person's own, the same each time; never the right one."""
    options = list(wording.options)
    mixer = random.Random(f"{wording.public_id} {person}")  # noqa: S311  (no secret)
    mixer.shuffle(options)
    if wording.kind == Kind.ORDER and [one["id"] for one in options] == wording.answer:
        options = options[1:] + options[:1]
    return options


def hand_in(
    enrolment: Enrolment,
    lesson: Lesson,
    *,
    try_id: UUID,
    paper_number: int,
    answers: Sequence[tuple[UUID, Given]],
) -> Try:
    """Mark the answers to a paper (its wordings' public ids) and keep them, once per `try_id`.

    The same answers under the same id get the same try back, however often and late; others get
    `UsedId`. A question that was left out is wrong. `InvalidInput` names the answer that cannot
    be one; `QuizOver` says that they came too late, and are kept; `TooMany` that somebody guesses.
    """
    digest = _digest(lesson, paper_number, answers)
    if known := _known(try_id, enrolment, digest):
        return known
    quiz = open_quiz(lesson)
    paper = quiz.papers.filter(number=paper_number).first()
    if paper is None:
        raise InvalidInput(_("There is no such edition of the quiz."), field="paper")
    given = _checked(wordings_of(paper), answers, lesson.duration_s)
    limits.take("quiz", f"{enrolment.pk} {quiz.pk}", most=MOST_TRIES_AN_HOUR, per_s=limits.HOUR_S)
    made = _keep(quiz, paper, enrolment, given, try_id=try_id, digest=digest)
    if made.is_late:
        raise over(quiz)
    return made


def is_over(quiz: Quiz, moment: datetime | None = None) -> bool:
    return quiz.ends_at is not None and (moment or now()) > quiz.ends_at


def count_late(one: Try) -> None:
    """Let answers count that came too late. Again changes nothing."""
    with transaction.atomic():
        if Try.objects.filter(pk=one.pk, is_late=True).update(is_late=False):
            completion.settle(one.enrolment, one.paper.quiz.lesson)


def over(quiz: Quiz) -> QuizOver:
    return QuizOver(
        _("This quiz has ended. Your answers are kept: ask your teacher to let them count."),
        details={"ended_at": quiz.ends_at.isoformat() if quiz.ends_at else None, "kept": True},
    )


def _known(try_id: UUID, enrolment: Enrolment, digest: str) -> Try | None:
    known = Try.objects.filter(public_id=try_id).select_related("paper__quiz").first()
    if known is None:
        return None
    if known.enrolment_id != enrolment.pk or known.digest != digest:
        raise UsedId(_("Other answers were handed in under this id."), field="id")
    if known.is_late:
        raise over(known.paper.quiz)
    return known


def _keep(
    quiz: Quiz,
    paper: Paper,
    enrolment: Enrolment,
    given: Mapping[Wording, Given],
    *,
    try_id: UUID,
    digest: str,
) -> Try:
    try:
        with transaction.atomic():
            # One lock for one person's course: tries are numbered, and completed, one by one.
            locked = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
            made = _write(quiz, paper, locked, given, try_id=try_id, digest=digest)
            if made.is_passed and not made.is_late:
                completion.settle(locked, quiz.lesson)
    except IntegrityError:
        # The same was handed in twice at once: the id's uniqueness lets one through.
        if known := _known(try_id, enrolment, digest):
            return known
        raise
    return made


def _write(
    quiz: Quiz,
    paper: Paper,
    enrolment: Enrolment,
    given: Mapping[Wording, Given],
    *,
    try_id: UUID,
    digest: str,
) -> Try:
    marks = {wording: is_right(wording, one) for wording, one in given.items()}
    right, moment = sum(marks.values()), now()
    mine = Try.objects.filter(enrolment=enrolment, paper__quiz=quiz)
    made = Try.objects.create(
        public_id=try_id,
        paper=paper,
        enrolment=enrolment,
        number=(mine.aggregate(last=Max("number"))["last"] or 0) + 1,
        digest=digest,
        right=right,
        asked=len(marks),
        is_passed=100 * right >= quiz.pass_percent * len(marks),
        is_late=is_over(quiz, moment),
        handed_in_at=moment,
    )
    Answer.objects.bulk_create(
        Answer(one_try=made, wording=wording, given=given[wording], is_right=is_good)
        for wording, is_good in marks.items()
    )
    return made


def _checked(
    wordings: Sequence[Wording], answers: Sequence[tuple[UUID, Given]], duration_s: float
) -> dict[Wording, Given]:
    asked = {one.public_id: one for one in wordings}
    given: dict[Wording, Given] = dict.fromkeys(wordings)
    seen = set[UUID]()
    for number, (question_id, answer) in enumerate(answers):
        field = f"answers.{number}"
        wording = asked.get(question_id)
        if wording is None:
            raise InvalidInput(_("This question is not in the quiz."), field=field)
        if question_id in seen:
            raise InvalidInput(_("This question is answered twice."), field=field)
        seen.add(question_id)
        given[wording] = checked_given(wording, answer, duration_s=duration_s, field=field)
    return given


def _digest(lesson: Lesson, paper: int, answers: Sequence[tuple[UUID, Given]]) -> str:
    given = sorted(((str(one), answer) for one, answer in answers), key=lambda one: one[0])
    body = json.dumps([str(lesson.public_id), paper, given])
    return hashlib.sha256(body.encode()).hexdigest()
