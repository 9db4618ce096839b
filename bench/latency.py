"""How long messages were on their way, counted in ticks of a tenth of a millisecond.

Millions of deliveries are kept as a few thousand counts: for each frame, how many sockets had it in
which tick. Nothing is sampled, so a percentile is over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

TICKS_PER_S = 10_000
TICKS_PER_MS = TICKS_PER_S // 1000
US_PER_TICK = 1_000_000 // TICKS_PER_S

Counts = dict[int, int]


def add_frame(counts: Counts, received: Mapping[int, int], sent: Iterable[int]) -> None:
    """Add a frame's deliveries: `received` is tick → sockets, `sent` its messages' ticks."""
    for sent_at in sent:
        for tick, sockets in received.items():
            waited = tick - sent_at
            counts[waited] = counts.get(waited, 0) + sockets


def percentile_ms(counts: Counts, share: float) -> float | None:
    """The least time within which `share` (0..1) of the deliveries came; `None` without any."""
    total = sum(counts.values())
    if not total:
        return None
    waits = sorted(counts)
    for waited, so_far in zip(waits, accumulate(counts[wait] for wait in waits), strict=True):
        if so_far >= share * total:
            return waited / TICKS_PER_MS
    raise AssertionError("the last wait covers all")


def within(received: Mapping[int, int], first_tick: int, last_tick: int) -> int:
    """How many sockets had the frame from the first tick to before the last."""
    return sum(sockets for tick, sockets in received.items() if first_tick <= tick < last_tick)
