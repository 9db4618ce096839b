"""Which seconds of a video were watched: sets of stretches `(start_s, end_s)` on its timeline.

A set is kept merged: sorted, disjoint, to the millisecond. Merging is a closure: whatever the
order, repetition or cutting of what was reported, the same set comes out. A phone that sends a
report twice, or an hour late, therefore changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Stretch = tuple[float, float]

# Players tell where they are about four times a second: a smaller gap is theirs, not the
# viewer's. Closing it also bounds a stored set to four stretches per second of video.
JOIN_S = 0.25


def merge(stretches: Iterable[Sequence[float]]) -> list[Stretch]:
    """The least merged set that covers all of `stretches`; gaps up to `JOIN_S` are closed."""
    merged: list[Stretch] = []
    for start, end in sorted((round(start, 3), round(end, 3)) for start, end in stretches):
        if start == end:
            continue
        if merged and start - merged[-1][1] <= JOIN_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def clip(stretches: Iterable[Sequence[float]], duration_s: float) -> list[Stretch]:
    """The parts of `stretches` that lie inside a video of `duration_s`."""
    return [(start, min(end, duration_s)) for start, end in stretches if start < duration_s]


def covered_s(merged: Iterable[Sequence[float]]) -> float:
    """How many different seconds a merged set covers."""
    return round(sum((end - start for start, end in merged), start=0.0), 3)


def missing(merged: Iterable[Sequence[float]], duration_s: float) -> list[Stretch]:
    """The stretches of a video of `duration_s` that a merged set leaves out."""
    gaps: list[Stretch] = []
    reached = 0.0
    for start, end in [*merged, (duration_s, duration_s)]:
        if start - reached > JOIN_S:
            gaps.append((round(reached, 3), round(start, 3)))
        reached = max(reached, end)
    return gaps
