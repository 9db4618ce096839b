"""What a device says was played: checked, and which of it counts.

A stretch counts if somebody could follow it: the page was in sight or the sound was on, and it
played at most twice as fast as it was filmed. A course may count what ran in the background, too.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from courses.intervals import Stretch
from courses.models import Course

MAX_STRETCHES = 200
# Faster than this nobody understands it; a player's idea of its rate is not exact.
FASTEST = 2.0
RATE_SLACK = 0.01
MOST_RATE = 16.0
# A player's idea of the end differs from ours by less than this.
END_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Played:
    """Seconds of a lesson that a player went through without a jump, and how."""

    start_s: float
    end_s: float
    rate: float = 1.0
    muted: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What one device tells at once. `position_s` is where to go on; `None` leaves it.

    `batch` is the device's own id for it, by which a repetition is known. `lasted_s` is how long
    it took to play, by a clock of the device that nobody sets; `None` where it is not said. No time
    of day comes with it, so that a clock that is wrong does no harm.
    """

    played: Sequence[Played] = ()
    position_s: float | None = None
    batch: UUID | None = None
    lasted_s: float | None = None
    field: str = "stretches"
    """By which an error names one of `played`."""

    def digest_for(self, lesson_id: str) -> str:
        """Of what it says, to know another report under the same id."""
        said = json.dumps([lesson_id, [astuple(one) for one in self.played], self.position_s])
        return hashlib.sha256(said.encode()).hexdigest()


def counts(one: Played, course: Course) -> bool:
    """Whether somebody could follow it, or need not have."""
    if course.counts_background:
        return True
    return not (one.muted and one.hidden) and one.rate <= FASTEST + RATE_SLACK


def why_not(played: Sequence[Played], course: Course) -> str:
    """In words, why some of these were not counted; empty if all were."""
    left_out = [one for one in played if not counts(one, course)]
    if not left_out:
        return ""
    if any(one.muted and one.hidden for one in left_out):
        return _("What plays without sound in the background does not count.")
    return _("What plays faster than double speed does not count.")


def plain(intervals: Sequence[Sequence[float]]) -> list[Played]:
    """Stretches of which only is said where they are; `InvalidInput` for what is none."""
    for number, one in enumerate(intervals):
        if len(one) != 2:
            raise InvalidInput(
                _("A stretch is two numbers of seconds."), field=f"intervals.{number}"
            )
    return [Played(start, end) for start, end in intervals]


def check(report: Report, duration_s: float) -> None:
    """Raises `InvalidInput`, which names what cannot be: the third stretch is `stretches.2`."""
    if len(report.played) > MAX_STRETCHES:
        raise InvalidInput(
            _("At most %(count)d stretches can be reported at once.") % {"count": MAX_STRETCHES},
            field=report.field,
        )
    for number, one in enumerate(report.played):
        _check(one, duration_s, f"{report.field}.{number}")
    lasted_s = report.lasted_s
    if lasted_s is not None and not (math.isfinite(lasted_s) and lasted_s >= 0):
        raise InvalidInput(_("How long it took is a number of seconds."), field="lasted_s")


def inside(one: Played, duration_s: float) -> Stretch:
    """A checked stretch, without what a player runs over the end."""
    return (min(one.start_s, duration_s), min(one.end_s, duration_s))


def _check(one: Played, duration_s: float, field: str) -> None:
    if not all(math.isfinite(edge) for edge in (one.start_s, one.end_s)):
        raise InvalidInput(_("A stretch is two numbers of seconds."), field=field)
    if not 0 <= one.start_s < one.end_s:
        raise InvalidInput(_("A stretch starts at 0 or later and ends after it."), field=field)
    if one.end_s > duration_s + END_SLACK_S:
        raise InvalidInput(_("A stretch ends where the lesson ends."), field=field)
    if not (math.isfinite(one.rate) and 0 < one.rate <= MOST_RATE):
        raise InvalidInput(_("A speed is a number above 0, and 1 is usual."), field=field)


def checked_position(position_s: float, duration_s: float) -> float:
    """The position inside the lesson that is nearest to `position_s`, which is near it."""
    if not math.isfinite(position_s):
        raise InvalidInput(_("A position is a number of seconds."), field="position_s")
    if not -END_SLACK_S <= position_s <= duration_s + END_SLACK_S:
        raise InvalidInput(_("A position lies inside the lesson."), field="position_s")
    return round(min(max(position_s, 0.0), duration_s), 3)
