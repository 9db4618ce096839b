"""Answers and questions as the pages' forms send them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from core.errors import InvalidInput
from courses.quizzes.marking import Given
from courses.quizzes.models import Kind, Wording
from courses.quizzes.wording import MOST_OPTIONS, Option, Written

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}([.,]\d+)?)")


def answers_of(wordings: Sequence[Wording], sent: QueryDict) -> list[tuple[UUID, Given]]:
    """What was answered to each question; `InvalidInput` names the question by `q-<id>`."""
    return [(one.public_id, _given(one, sent)) for one in wordings]


def _given(wording: Wording, sent: QueryDict) -> Given:
    name = field_of(wording)
    if wording.kind == Kind.CHOICE:
        return sent.getlist(name)
    if wording.kind == Kind.ORDER:
        return _ordered(wording, sent)
    typed = sent.get(name, "").strip()
    if not typed:
        return None
    value = second_in(typed) if wording.kind == Kind.MOMENT else number_in(typed, wording.unit)
    if value is None:
        raise InvalidInput(_("Answer with a number."), field=name)
    return value


def _ordered(wording: Wording, sent: QueryDict) -> Given:
    """The options by the places that were chosen for them; none, if no place was."""
    ids = [one["id"] for one in wording.options]
    places = {one: sent.get(f"{field_of(wording)}-{one}", "") for one in ids}
    if not any(places.values()):
        return None
    if sorted(places.values()) != [str(place) for place in range(1, len(ids) + 1)]:
        raise InvalidInput(_("Give each line a place of its own."), field=field_of(wording))
    return sorted(ids, key=lambda one: places[one])


def field_of(wording: Wording) -> str:
    return f"q-{wording.public_id}"


def number_in(typed: str, unit: str = "") -> float | None:
    """The number as people write it: "3,5", "1,200", "３．５ kg"; `None` if it is none."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if unit:
        text = text.removesuffix(unicodedata.normalize("NFKC", unit)).strip()
    text = text.replace(" ", "").replace("−", "-")
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) and len(text) < 30 else None


def second_in(typed: str) -> float | None:
    """The second: "1:05", "65", "65.5"; `None` if it is none."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if found := _CLOCK.fullmatch(text):
        return 60 * int(found[1]) + float(found[2].replace(",", "."))
    return number_in(text)


def written_of(sent: QueryDict) -> Written:
    """A teacher's question."""
    right = set(sent.getlist("right"))
    return Written(
        kind=sent.get("kind", ""),
        text=sent.get("text", ""),
        explained_s=second_in(sent.get("explained_s", "")),
        options=[
            Option(sent.get(f"option-{n}", ""), str(n) in right, _option_id(sent, n))
            for n in range(MOST_OPTIONS)
        ],
        value=number_in(sent.get("value", ""), sent.get("unit", "").strip()),
        tolerance=_tolerance(sent),
        unit=sent.get("unit", ""),
        start_s=second_in(sent.get("start_s", "")),
        end_s=second_in(sent.get("end_s", "")),
    )


def _tolerance(sent: QueryDict) -> float | None:
    typed = sent.get("tolerance", "").strip()
    if not typed:
        return 0.0
    value = number_in(typed, sent.get("unit", "").strip())
    if value is None and sent.get("kind") == Kind.NUMBER:
        raise InvalidInput(_("Please write a number."), field="tolerance")
    return value


def _option_id(sent: QueryDict, number: int) -> str:
    """The id that the line had before, so that its answers are counted on."""
    known = sent.get(f"option-id-{number}", "")
    return known if re.fullmatch(r"[0-9a-f]{8}", known) else ""
