"""Which parts are live, and which only belong into the recording.

After an outage a phone sends what it kept: parts that are old and come faster than they were
filmed. A viewer who was shown them would be late for good, or see the past at double speed.
"""

from __future__ import annotations

from collections import deque

OLD_S = 1.5
"""So much later than usual, and a part may be backlog. A stalled network makes a second."""
CAUGHT_UP_S = 0.5
STEADY_OVER_S = 1.0
STEADY_WITHIN_S = 0.2
DRIFT_S_PER_S = 0.5
"""A line that gets slower and slower is still live: what is usual follows this fast."""
USUAL_AT_FIRST_S = 1.0


class Pace:
    """Follows how late parts are: the wall time at which they end against the time they come.

    Backlog is late, and gets less late with each part; what is late and stays so comes over a
    slow line, and is as live as it gets.
    """

    __slots__ = ("_at", "_held", "_lags", "_usual_s")

    def __init__(self) -> None:
        self._usual_s = USUAL_AT_FIRST_S
        self._at: float | None = None
        self._held = False
        self._lags: deque[tuple[float, float]] = deque()  # while held: when (s), how late (s)

    def is_backlog(self, lag_s: float, at_s: float) -> bool:
        """Whether the part that comes at `at_s` (a monotonic clock) and is `lag_s` late is old."""
        if self._held:
            self._lags.append((at_s, lag_s))
            self._held = not (self._has_caught_up(lag_s) or self._is_steady(lag_s, at_s))
            if not self._held:
                self._usual_s = lag_s
        elif lag_s > self._usual_s + OLD_S:
            self._held = True
            self._lags = deque([(at_s, lag_s)])
        else:
            self._follow(lag_s, at_s)
        self._at = at_s
        return self._held

    def _follow(self, lag_s: float, at_s: float) -> None:
        passed_s = at_s - self._at if self._at is not None else 0.0
        # A part that comes after a pause says nothing of how slow the line has become meanwhile.
        most_s = self._usual_s + DRIFT_S_PER_S * min(passed_s, 1.0)
        self._usual_s = min(lag_s, most_s)

    def _has_caught_up(self, lag_s: float) -> bool:
        return lag_s <= self._usual_s + CAUGHT_UP_S

    def _is_steady(self, lag_s: float, at_s: float) -> bool:
        """Whether parts have come as fast as they were filmed for a second."""
        while len(self._lags) > 1 and self._lags[1][0] <= at_s - STEADY_OVER_S:
            self._lags.popleft()
        since_s, then_s = self._lags[0]
        return at_s - since_s >= STEADY_OVER_S and then_s - lag_s < STEADY_WITHIN_S
