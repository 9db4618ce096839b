"""What a course can be made of in a show: the minutes that sold, with titles to begin from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from courses.templatetags.learning import clock
from media_pipeline.clip_wishes import LONGEST_S
from media_pipeline.selectors import playback
from streams.highlights.desk import Desk, Proposal, desk
from streams.models import Show

TICKED = 3
TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds of the recording that may be a lesson, and why; `reasons` are for reading.

    A time is what was typed, where that is none.
    """

    title: str
    start_s: float | str
    end_s: float | str
    product: str
    reasons: list[str]
    is_ticked: bool
    row: int | str
    lot: str = ""

    @property
    def start(self) -> str:
        return _time(self.start_s)

    @property
    def end(self) -> str:
        return _time(self.end_s)


# What the page's script makes another part of: it puts a number for "ROW".
EMPTY = Part("", "", "", "", [], is_ticked=False, row="ROW")


@dataclass(frozen=True, slots=True)
class ShowToCut:
    """A show as the page needs it; without a `recording_id` there is nothing to cut."""

    recording_id: UUID | None
    edition: int
    duration_s: float
    parts: list[Part]
    listened: bool


def show_to_cut(show: Show) -> ShowToCut:
    """The proposals of a show; of a short film without any, the whole of it is one."""
    found = playback(show.public_id)
    if found is None or found.state != "ready":
        return ShowToCut(None, 0, 0.0, [], listened=True)
    seen = desk(show)
    parts = _parts(seen) or _whole(found.duration_s, show.title)
    return ShowToCut(
        found.recording_id, found.edition, found.duration_s, parts, seen.listened or not parts
    )


def _parts(seen: Desk) -> list[Part]:
    used: Counter[str] = Counter()
    parts: list[Part] = []
    for place, one in enumerate(seen.proposals):
        title = _title(one)
        used[title] += 1
        again = f" ({used[title]})" if used[title] > 1 else ""
        parts.append(
            Part(
                title=title[: TITLE_LENGTH - len(again)] + again,
                start_s=one.start_s,
                end_s=one.end_s,
                product=one.product,
                reasons=one.reasons,
                is_ticked=place < TICKED,
                row=place,
            )
        )
    return parts


def _time(seconds: float | str) -> str:
    """75.5 as "1:15.5"."""
    if isinstance(seconds, str):
        return seconds
    tenths = round(seconds * 10)
    return f"{clock(tenths // 10)}.{tenths % 10}"


def _title(one: Proposal) -> str:
    if not one.product:
        return _("A minute that sold, at %(when)s") % {"when": clock(one.start_s)}
    if one.kind == "sold":
        return _("How to sell: %(product)s") % {"product": one.product}
    return _("How to show: %(product)s") % {"product": one.product}


def _whole(duration_s: float, title: str) -> list[Part]:
    if not 1 <= duration_s <= LONGEST_S:
        return []
    return [Part(title, 0.0, round(duration_s, 1), "", [], is_ticked=True, row=0)]
