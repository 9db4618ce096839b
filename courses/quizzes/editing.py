"""Making a quiz: writing its questions, and publishing them as the next paper."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from courses.models import Lesson
from courses.quizzes.models import Paper, PaperItem, Question, Quiz, Wording
from courses.quizzes.proposals import Proposal
from courses.quizzes.wording import Written, checked_fields

MOST_QUESTIONS = 20


def quiz_for(lesson: Lesson, actor: User) -> Quiz:
    """The lesson's quiz, made when somebody first writes something into it."""
    quiz, _made = Quiz.objects.get_or_create(lesson=lesson, defaults={"created_by": actor})
    return quiz


def set_rules(quiz: Quiz, *, pass_percent: int, ends_at: datetime | None) -> None:
    """How much must be right, and until when. Who has passed, has passed."""
    if not 1 <= pass_percent <= 100:
        raise InvalidInput(_("Write 1 to 100 percent."), field="pass_percent")
    Quiz.objects.filter(pk=quiz.pk).update(pass_percent=pass_percent, ends_at=ends_at)


def add_question(
    quiz: Quiz,
    written: Written,
    actor: User,
    *,
    proposal: Proposal | None = None,
    public_id: UUID | None = None,
) -> Question:
    """Append a question; asked from the next paper on. `InvalidInput` names what is wrong."""
    fields = checked_fields(written, quiz.lesson.duration_s)
    with transaction.atomic():
        _lock(quiz)
        if quiz.questions.filter(removed_at=None).count() >= MOST_QUESTIONS:
            raise Conflict(_("A quiz has at most %(count)d questions.") % {"count": MOST_QUESTIONS})
        last = quiz.questions.aggregate(last=Max("position"))["last"]
        question = Question.objects.create(
            public_id=public_id or new_id(),
            quiz=quiz,
            position=0 if last is None else last + 1,
            source_id=proposal.id if proposal else None,
            source_text=proposal.text[:500] if proposal else "",
        )
        Wording.objects.create(question=question, made_by=actor, **fields)
    return question


def reword(question: Question, written: Written, actor: User) -> None:
    """Give the question another wording; what was answered to earlier ones stays theirs."""
    fields = checked_fields(written, question.quiz.lesson.duration_s)
    with transaction.atomic():
        _lock(question.quiz)
        last = question.wordings.last()
        if last is None or any(getattr(last, name) != value for name, value in fields.items()):
            Wording.objects.create(question=question, made_by=actor, **fields)


def remove_question(question: Question) -> None:
    """Ask it no more, from the next paper on; it can be put back."""
    Question.objects.filter(pk=question.pk, removed_at=None).update(removed_at=now())


def put_back(question: Question) -> None:
    with transaction.atomic():
        _lock(question.quiz)
        if question.quiz.questions.filter(removed_at=None).count() >= MOST_QUESTIONS:
            raise Conflict(_("A quiz has at most %(count)d questions.") % {"count": MOST_QUESTIONS})
        Question.objects.filter(pk=question.pk).update(removed_at=None)


def move_question(question: Question, *, to: Literal["up", "down"]) -> None:
    """Swap it with its neighbour; at the end of the list nothing happens."""
    with transaction.atomic():
        _lock(question.quiz)
        order = list(question.quiz.questions.filter(removed_at=None))
        here = order.index(question)
        there = here + (1 if to == "down" else -1)
        if 0 <= there < len(order):
            order[here], order[there] = order[there], order[here]
        for position, one in enumerate(order):
            Question.objects.filter(pk=one.pk).update(position=position)


def set_aside(quiz: Quiz, proposal_id: UUID) -> None:
    """Propose this chat question no more."""
    with transaction.atomic():
        locked = _lock(quiz)
        if str(proposal_id) not in locked.set_aside:
            locked.set_aside = [*locked.set_aside, str(proposal_id)]
            locked.save(update_fields=["set_aside"])


def current_wordings(quiz: Quiz) -> list[Wording]:
    """What the next paper would ask, in its order."""
    newest = Wording.objects.filter(question__quiz=quiz, question__removed_at=None)
    by_question = {one.question_id: one for one in newest.order_by("id")}
    order = quiz.questions.filter(removed_at=None).values_list("pk", flat=True)
    return [by_question[pk] for pk in order if pk in by_question]


def paper_of(quiz: Quiz) -> Paper | None:
    """The newest paper: what trainees are asked now."""
    return quiz.papers.order_by("-number").first()


def asked_paper(quiz: Quiz) -> Paper:
    """Of a quiz that was published."""
    return quiz.papers.latest("number")


def has_changes(quiz: Quiz) -> bool:
    """Whether publishing would give trainees another paper than they have."""
    paper = paper_of(quiz)
    return [one.pk for one in current_wordings(quiz)] != _asked(paper)


def publish(quiz: Quiz, actor: User) -> None:
    """Ask what is written now. Again, without changes, publishes nothing.

    Tries at earlier papers stay, and who has passed has passed. `Conflict` without a question.
    """
    with transaction.atomic():
        locked = _lock(quiz)
        wordings = current_wordings(quiz)
        if not wordings:
            raise Conflict(_("Write at least one question first."))
        paper = paper_of(quiz)
        if [one.pk for one in wordings] != _asked(paper):
            _print(quiz, wordings, actor, number=paper.number + 1 if paper else 1)
        locked.is_open = True
        locked.save(update_fields=["is_open"])


def close(quiz: Quiz) -> None:
    """Lessons are done without it from now on; what was answered stays."""
    Quiz.objects.filter(pk=quiz.pk).update(is_open=False)


def _print(quiz: Quiz, wordings: list[Wording], actor: User, *, number: int) -> None:
    paper = Paper.objects.create(quiz=quiz, number=number, published_at=now(), published_by=actor)
    PaperItem.objects.bulk_create(
        PaperItem(paper=paper, wording=one, position=position)
        for position, one in enumerate(wordings)
    )


def _asked(paper: Paper | None) -> list[int]:
    return [] if paper is None else list(paper.items.values_list("wording", flat=True))


def _lock(quiz: Quiz) -> Quiz:
    return Quiz.objects.select_for_update().get(pk=quiz.pk)
