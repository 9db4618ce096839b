"""What an answer may look like, and whether it is right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from courses.quizzes.models import Kind, Wording

Given = list[str] | float | None
# A figure beyond this is a slip of the finger, and beyond 2**53 no longer the one that was typed.
LARGEST = 1e12
# What is written as 0.1 is not quite that: an answer on the edge is right.
EDGE = 1e-9
# Nobody stops a video to the frame: a player's clock and a slow thumb are forgiven.
THUMB_S = 0.5


def checked_given(wording: Wording, given: Given, *, duration_s: float, field: str) -> Given:
    """The answer as it is kept; `None` for one that was left out. `InvalidInput` names `field`."""
    if given is None or given == []:
        return None
    if wording.kind in (Kind.CHOICE, Kind.ORDER):
        return _checked_ids(wording, given, field)
    if isinstance(given, (list, bool)) or not math.isfinite(given):
        raise InvalidInput(_("Answer with a number."), field=field)
    if wording.kind == Kind.MOMENT and not 0 <= given <= duration_s + THUMB_S:
        raise InvalidInput(_("A moment lies inside the lesson."), field=field)
    if abs(given) > LARGEST:
        raise InvalidInput(_("This number is too large."), field=field)
    return float(given)


def _checked_ids(wording: Wording, given: list[str] | float, field: str) -> list[str]:
    known = {one["id"] for one in wording.options}
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidInput(_("Choose from what is offered."), field=field)
    if not known.issuperset(given) or len(set(given)) != len(given):
        raise InvalidInput(_("Choose from what is offered, each once."), field=field)
    if wording.kind == Kind.ORDER and len(given) != len(known):
        raise InvalidInput(_("Put all of them in order."), field=field)
    if wording.kind == Kind.CHOICE and len(given) > 1 and not wording.takes_several:
        raise InvalidInput(_("Choose one."), field=field)
    return list(given)


def is_right(wording: Wording, given: Given) -> bool:
    """Whether a checked answer is right. One that was left out is not."""
    if given is None:
        return False
    if isinstance(given, list):
        return _same(wording, given)
    answer = wording.answer
    if wording.kind == Kind.MOMENT:
        return bool(answer["start_s"] - THUMB_S <= given <= answer["end_s"] + THUMB_S)
    slack = EDGE * max(1.0, abs(answer["value"]))
    return bool(abs(given - answer["value"]) <= answer["tolerance"] + slack)


def _same(wording: Wording, given: Sequence[str]) -> bool:
    if wording.kind == Kind.ORDER:
        return bool(given == wording.answer)
    return set(given) == set(wording.answer)
