"""Edges of a proposal, moved to where a cut hurts least, and kept to the length of a lesson.

The best place is a pause of the speaker, at best one where the picture changes too; then a change
of the picture; and where nobody listened to the recording, the longest while without a message.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from streams.highlights.signals import Signals, Stretch

SHORTEST_S, LONGEST_S = 20.0, 180.0
TO_PAUSE_S = 8.0
TO_SCENE_S = 4.0
TO_GAP_S = 3.0
SCENE_IN_PAUSE_S = 3.0
"""So much farther may a pause be if the picture changes in it."""
BREATH_S = 0.25
"""Left of a pause before the first word and after the last."""


def moved(where: Stretch, signals: Signals, others: Sequence[Stretch] = ()) -> Stretch:
    """`where` with its edges at better places, inside the show and beside all `others`."""
    first_s, last_s = _room(where, signals, others)
    start_s = max(first_s, _start(where.start_s, signals))
    end_s = min(last_s, _end(where.end_s, signals))
    if end_s - start_s > LONGEST_S:
        start_s, end_s = where.start_s, min(where.end_s, where.start_s + LONGEST_S)
    if end_s - start_s < SHORTEST_S:
        end_s = min(last_s, start_s + SHORTEST_S)
        start_s = max(first_s, end_s - SHORTEST_S)
    return Stretch(start_s, end_s)


def _room(where: Stretch, signals: Signals, others: Sequence[Stretch]) -> tuple[float, float]:
    """From where to where this proposal may be stretched."""
    middle_s = (where.start_s + where.end_s) / 2
    first_s, last_s = 0.0, signals.duration_s
    for other in [*signals.away, *others]:
        if other.end_s <= middle_s:
            first_s = max(first_s, other.end_s)
        elif other.start_s >= middle_s:
            last_s = min(last_s, other.start_s)
    return first_s, last_s


def _start(at_s: float, signals: Signals) -> float:
    if pause := _pause(at_s, signals):
        return max(pause.start_s, pause.end_s - BREATH_S)
    return _elsewhere(at_s, signals)


def _end(at_s: float, signals: Signals) -> float:
    if pause := _pause(at_s, signals):
        return min(pause.end_s, pause.start_s + BREATH_S)
    return _elsewhere(at_s, signals)


def _pause(at_s: float, signals: Signals) -> Stretch | None:
    """The nearest pause, those with a change of the picture being nearer than they are."""
    near = [(_far_s(at_s, one, signals), one) for one in signals.pauses]
    far_s, found = min(near, key=lambda one: (one[0], one[1].start_s), default=(TO_PAUSE_S, None))
    return found if far_s < TO_PAUSE_S else None


def _far_s(at_s: float, pause: Stretch, signals: Signals) -> float:
    away_s = max(pause.start_s - at_s, at_s - pause.end_s, 0.0)
    after = bisect_left(signals.scenes, pause.start_s)
    cuts = after < len(signals.scenes) and signals.scenes[after] <= pause.end_s
    return max(0.0, away_s - SCENE_IN_PAUSE_S) if cuts else away_s


def _elsewhere(at_s: float, signals: Signals) -> float:
    scene_s = min(signals.scenes, key=lambda one: abs(one - at_s), default=None)
    if scene_s is not None and abs(scene_s - at_s) <= TO_SCENE_S:
        return scene_s
    return at_s if signals.pauses else _quiet_chat(at_s, signals.chat)


def _quiet_chat(at_s: float, chat: Sequence[float]) -> float:
    """The middle of the longest while without a message nearby."""
    first, last = bisect_left(chat, at_s - TO_GAP_S), bisect_right(chat, at_s + TO_GAP_S)
    if first == last:
        return at_s
    marks = [at_s - TO_GAP_S, *chat[first:last], at_s + TO_GAP_S]
    gaps = [(after - before, before) for before, after in pairwise(marks)]
    length_s, begin_s = max(gaps, key=lambda gap: (gap[0], -gap[1]))
    return begin_s + length_s / 2
