"""A quiz as its page shows it: each question with what was answered and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from courses.models import Lesson
from courses.quizzes import taking
from courses.quizzes.api import explained_at
from courses.quizzes.forms import field_of
from courses.quizzes.models import Answer, Kind, Try, Wording
from courses.templatetags.learning import clock


@dataclass(frozen=True, slots=True)
class Line:
    """An option. `place` is where it stands in an order, from 1; 0 where nobody has put it."""

    id: str
    text: str
    is_chosen: bool = False
    place: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the page. `verdict` is "right", "wrong", or empty before it was answered."""

    number: int
    wording: Wording
    field: str
    lines: Sequence[Line]
    typed: str
    verdict: str
    error: str = ""
    explained_url: str = ""

    @property
    def places(self) -> range:
        return range(1, len(self.lines) + 1)


def asked(
    lesson: Lesson,
    wordings: Sequence[Wording],
    *,
    person: int,
    made: Try | None = None,
    typed: QueryDict | None = None,
    error: tuple[str, str] = ("", ""),
) -> list[Asked]:
    """The questions with what was handed in (`made`), or typed and refused with `error`.

    `error` is a field's name and what is wrong there.
    """
    answers = _answers(made)
    return [
        _asked(lesson, number, one, person, answers.get(one.public_id), typed, error)
        for number, one in enumerate(wordings, start=1)
    ]


def _answers(made: Try | None) -> dict[UUID, Answer]:
    """By the wordings' public ids: their place in an earlier paper does not matter."""
    if made is None:
        return {}
    return {one.wording.public_id: one for one in made.answers.select_related("wording")}


def _asked(
    lesson: Lesson,
    number: int,
    wording: Wording,
    person: int,
    answer: Answer | None,
    typed: QueryDict | None,
    error: tuple[str, str],
) -> Asked:
    field = field_of(wording)
    given = _typed_lines(wording, typed) if typed else answer.given if answer else None
    is_wrong = answer is not None and not answer.is_right
    return Asked(
        number=number,
        wording=wording,
        field=field,
        lines=_lines(wording, person, given),
        typed=str(typed.get(field, "")) if typed else _as_typed(wording, given),
        verdict="" if answer is None else "wrong" if is_wrong else "right",
        error=error[1] if error[0] == field else "",
        explained_url=explained_at(lesson, wording.explained_s) if is_wrong else "",
    )


def _typed_lines(wording: Wording, typed: QueryDict) -> list[str] | None:
    """What was chosen before the form was refused."""
    field, ids = field_of(wording), [one["id"] for one in wording.options]
    if wording.kind == Kind.ORDER:
        return sorted(ids, key=lambda one: typed.get(f"{field}-{one}", ""))
    return typed.getlist(field) if wording.kind == Kind.CHOICE else None


def _lines(wording: Wording, person: int, given: Any) -> list[Line]:
    options = taking.shown_options(wording, person)
    chosen: list[str] = given if isinstance(given, list) else []
    if wording.kind == Kind.ORDER and chosen:
        options = sorted(options, key=lambda one: chosen.index(one["id"]))
    return [
        Line(one["id"], one["text"], one["id"] in chosen, place)
        for place, one in enumerate(options, start=1)
    ]


def _as_typed(wording: Wording, given: Any) -> str:
    if given is None or isinstance(given, list):
        return ""
    return clock(given) if wording.kind == Kind.MOMENT else f"{given:g}"
