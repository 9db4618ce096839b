"""How a quiz is answered: how hard each question is, which wrong answers people give, and whether
it tells those who know from those who do not.

Counted are first tries: later ones know what was wrong. Late answers count like others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from courses.quizzes import editing
from courses.quizzes.models import Answer, Kind, Quiz, Try, Wording
from courses.templatetags.learning import clock

MOST_ANSWERS_SHOWN = 8
# With fewer, a difference between two halves is chance.
FEWEST_TO_COMPARE = 10
# Kelley's upper and lower groups: the shares of a group of this size differ most reliably.
GROUP = 0.27
HARD, EASY, DULL = 0.4, 0.95, 0.1


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that people gave: how many of those asked, in percent."""

    text: str
    count: int
    percent: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A question's figures. `discrimination` is from -1 to 1; `None` with too few tries.

    It is the share of right answers among the best 27 % less that among the worst 27 %, by what
    they had in the other questions.
    """

    wording: Wording
    asked: int
    right: int
    given: Sequence[Given]
    discrimination: float | None
    earlier: int

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.asked) if self.asked else 0

    @property
    def advice(self) -> str:
        """What a teacher may look at, in words; empty where nothing stands out."""
        if self.asked < FEWEST_TO_COMPARE:
            return ""
        if self.discrimination is not None and self.discrimination < 0:
            return _("Those who know most get it wrong. Look at the wording and the right answer.")
        if self.right < HARD * self.asked:
            return _("Hard. Is it explained in the lesson, and at this second?")
        if self.right > EASY * self.asked:
            return _("Almost everybody knows it. A harder one would tell more.")
        if self.discrimination is not None and self.discrimination < DULL:
            return _("It hardly tells who knows from who does not.")
        return ""


@dataclass(frozen=True, slots=True)
class Figures:
    people: int
    passed: int
    tries: int
    mean_tries: float
    items: Sequence[Item]
    late: Sequence[Try]

    @property
    def passed_percent(self) -> int:
        return round(100 * self.passed / self.people) if self.people else 0


def figures_of(quiz: Quiz) -> Figures:
    """For the questions that would be asked now, in a number of queries that does not grow."""
    tries = list(
        Try.objects.filter(paper__quiz=quiz).select_related("enrolment__user").order_by("id")
    )
    people = {one.enrolment_id for one in tries}
    passed = {one.enrolment_id for one in tries if one.is_passed and not one.is_late}
    return Figures(
        people=len(people),
        passed=len(passed),
        tries=len(tries),
        mean_tries=round(len(tries) / len(people), 1) if people else 0.0,
        items=_items(quiz, tries),
        late=[one for one in tries if one.is_late],
    )


def _items(quiz: Quiz, tries: Sequence[Try]) -> list[Item]:
    first: dict[int, Try] = {}
    for one in tries:
        first.setdefault(one.enrolment_id, one)
    scores = {one.pk: one.right for one in first.values()}
    answers = Answer.objects.filter(one_try__in=scores).select_related("wording")
    by_question: dict[int, list[Answer]] = {}
    for answer in answers:
        by_question.setdefault(answer.wording.question_id, []).append(answer)
    return [
        _item(wording, by_question.get(wording.question_id, []), scores)
        for wording in editing.current_wordings(quiz)
    ]


def _item(wording: Wording, answers: Sequence[Answer], scores: Mapping[int, int]) -> Item:
    """Of answers to this wording; how many there are to earlier ones is said."""
    now = [one for one in answers if one.wording_id == wording.pk]
    return Item(
        wording=wording,
        asked=len(now),
        right=sum(one.is_right for one in now),
        given=_given(wording, now),
        discrimination=_discrimination(now, scores),
        earlier=len(answers) - len(now),
    )


def _discrimination(answers: Sequence[Answer], scores: Mapping[int, int]) -> float | None:
    if len(answers) < FEWEST_TO_COMPARE:
        return None
    ranked = sorted(answers, key=lambda one: scores[one.one_try_id] - one.is_right)
    size = max(1, round(GROUP * len(ranked)))
    low, high = ranked[:size], ranked[-size:]
    return round((sum(a.is_right for a in high) - sum(a.is_right for a in low)) / size, 2)


def _given(wording: Wording, answers: Sequence[Answer]) -> list[Given]:
    """What was answered, the most frequent first; an option that nobody chose is listed, too."""
    counts: Counter[tuple[str, bool]] = Counter()
    for answer in answers:
        for text in _texts(wording, answer.given):
            counts[text, _is_right(wording, answer, text)] += 1
    if wording.kind == Kind.CHOICE:
        for option in wording.options:
            counts[option["text"], option["id"] in wording.answer] += 0
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0][0]))[:MOST_ANSWERS_SHOWN]
    return [
        Given(text, count, round(100 * count / len(answers)) if answers else 0, is_right)
        for (text, is_right), count in most
    ]


def _is_right(wording: Wording, answer: Answer, text: str) -> bool:
    if wording.kind != Kind.CHOICE:
        return answer.is_right
    return any(one["text"] == text and one["id"] in wording.answer for one in wording.options)


def _texts(wording: Wording, given: Any) -> list[str]:
    if given is None:
        return [_("(no answer)")]
    if wording.kind == Kind.MOMENT:
        return [clock(given)]
    if wording.kind == Kind.NUMBER:
        return [f"{given:g} {wording.unit}".strip()]
    texts = {one["id"]: one["text"] for one in wording.options}
    found = [texts[one] for one in given if one in texts]
    return [" → ".join(found)] if wording.kind == Kind.ORDER else found
