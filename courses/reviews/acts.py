"""What the simulated buyers did in a practice, at its places in the film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.clock import now
from courses.practice import results, services
from courses.practice.models import Attempt
from courses.practice.timeline import words_of
from media_pipeline.selectors import Playback, playback

NAMES: dict[str, StrOrPromise] = {
    "ask": _("asked"),
    "haggle": _("haggled"),
    "order": _("ordered"),
    "complain": _("complained"),
    "leave": _("left"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One act at `at_s` of the film, `place` percent from its beginning."""

    at_s: float
    place: str
    kind: str
    did: StrOrPromise
    who: str
    text: str


def acts_of(attempt: Attempt) -> list[Seen]:
    """In the order of the film; none where there is no film to jump in."""
    found = None if attempt.film_deleted_at else playback(attempt.show_id)
    if found is None or found.state != "ready" or not attempt.began_at or not found.duration_s:
        return []
    return list(_seen(attempt, found))


def _seen(attempt: Attempt, found: Playback) -> Iterator[Seen]:
    result = results.result_of(attempt, services.currency_of(attempt))
    for one in result.moments:
        # Acts are counted from when the camera was on; the film may have gaps.
        moment = (attempt.began_at or now()) + timedelta(seconds=one.at_s)
        at_s = found.clock.media_s(moment)
        if one.kind in NAMES and at_s is not None:
            place = f"{100 * min(1.0, at_s / found.duration_s):.2f}"
            yield Seen(round(at_s, 1), place, one.kind, NAMES[one.kind], one.who, words_of(one))
