"""Questions as teachers write them, checked and made what is kept."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from core.text import clean_line
from courses.quizzes.marking import LARGEST
from courses.quizzes.models import Kind

TEXT_LENGTH, OPTION_LENGTH, UNIT_LENGTH = 300, 120, 20
FEWEST_OPTIONS, MOST_OPTIONS = 2, 8
# Shorter than this, nobody can hit it with a thumb.
SHORTEST_MOMENT_S = 1.0


@dataclass(frozen=True, slots=True)
class Option:
    """A line to choose or to put in order; `is_right` matters where one chooses."""

    text: str
    is_right: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A question as it was written: of the later fields, those of its kind. Times in seconds."""

    kind: str
    text: str
    explained_s: float | None
    options: Sequence[Option] = field(default_factory=tuple)
    value: float | None = None
    tolerance: float | None = None
    unit: str = ""
    start_s: float | None = None
    end_s: float | None = None


def checked_fields(written: Written, duration_s: float) -> dict[str, Any]:
    """The fields of a `Wording`; `InvalidInput` names what is wrong."""
    if written.kind not in Kind.values:
        raise InvalidInput(_("Choose what kind of question this is."), field="kind")
    return {
        "kind": written.kind,
        "text": clean_line(written.text, "text", longest=TEXT_LENGTH),
        "explained_s": _second(written.explained_s, "explained_s", duration_s),
        **_BY_KIND[Kind(written.kind)](written, duration_s),
    }


def _choice(written: Written, duration_s: float) -> dict[str, Any]:
    options = _options(written.options)
    right = [one["id"] for one, asked in zip(options, _filled(written.options), strict=True)
             if asked.is_right]  # fmt: skip
    if not right:
        raise InvalidInput(_("Mark at least one answer as right."), field="options")
    if len(right) == len(options):
        raise InvalidInput(_("If all answers are right, there is nothing to ask."), field="options")
    return {"options": options, "answer": right}


def _order(written: Written, duration_s: float) -> dict[str, Any]:
    options = _options(written.options)
    return {"options": options, "answer": [one["id"] for one in options]}


def _number(written: Written, duration_s: float) -> dict[str, Any]:
    value = _finite(written.value, "value")
    tolerance = _finite(written.tolerance or 0.0, "tolerance")
    if tolerance < 0:
        raise InvalidInput(_("How far off an answer may be is 0 or more."), field="tolerance")
    unit = clean_line(written.unit, "unit", longest=UNIT_LENGTH, shortest=0)
    return {"unit": unit, "answer": {"value": value, "tolerance": tolerance}}


def _moment(written: Written, duration_s: float) -> dict[str, Any]:
    start = _second(written.start_s, "start_s", duration_s)
    end = _second(written.end_s, "end_s", duration_s)
    if end - start < SHORTEST_MOMENT_S:
        raise InvalidInput(
            _("The moment ends a second after its start, or later: a thumb must hit it."),
            field="end_s",
        )
    return {"answer": {"start_s": start, "end_s": end}}


_BY_KIND = {
    Kind.CHOICE: _choice,
    Kind.ORDER: _order,
    Kind.NUMBER: _number,
    Kind.MOMENT: _moment,
}


def _filled(options: Sequence[Option]) -> list[Option]:
    return [one for one in options if one.text.strip()]


def _options(written: Sequence[Option]) -> list[Mapping[str, str]]:
    """Each with an id of its own, which tells neither its place nor whether it is right."""
    filled = _filled(written)
    if not FEWEST_OPTIONS <= len(filled) <= MOST_OPTIONS:
        problem = _("Write %(fewest)d to %(most)d lines.")
        bounds = {"fewest": FEWEST_OPTIONS, "most": MOST_OPTIONS}
        raise InvalidInput(problem % bounds, field="options")
    texts = [clean_line(one.text, "options", longest=OPTION_LENGTH) for one in filled]
    if len({text.casefold() for text in texts}) != len(texts):
        raise InvalidInput(_("Two lines say the same."), field="options")
    return [
        {"id": one.id or secrets.token_hex(4), "text": text}
        for one, text in zip(filled, texts, strict=True)
    ]


def _second(value: float | None, field: str, duration_s: float) -> float:
    second = _finite(value, field)
    if not 0 <= second <= duration_s:
        raise InvalidInput(_("Choose a moment inside the lesson."), field=field)
    return round(second, 2)


def _finite(value: float | None, field: str) -> float:
    if value is None or not math.isfinite(value) or abs(value) > LARGEST:
        raise InvalidInput(_("Please write a number."), field=field)
    return float(value)
