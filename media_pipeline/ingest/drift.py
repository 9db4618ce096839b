"""How a camera's clock runs against this machine's, measured while its take comes in.

A picture is here some time after it was filmed: never before, and mostly later than it could have
been. The most prompt picture of a minute tells how late that is at least; where this minimum grows
from minute to minute, slowly and on and on, it is not the line that gets slower but the camera's
clock. Everything that grows faster is the line: a stall, a phone that sends what it kept, a queue.
"""

from __future__ import annotations

from media_pipeline.clock import STEADY, Drift

WINDOW_S = 60.0
"""Of each such stretch of media the most prompt picture counts."""
FASTEST = 400e-6
"""No camera's clock is further off than that: 24 ms a minute. Most are within 50e-6."""
UNEVEN_S = 0.02
"""What two minimums may differ by without any reason."""
STEP_S = 0.04
"""A point is kept where the drift has grown by that much."""
PATIENCE_S = 480.0
"""What comes late for so long is not waited for any more: it is how late it comes now. Also a step
of the line that could be drift over this time is taken for drift, 0.2 s at most."""
TREND_OVER_S = 600.0
FIRST_LATE_S = 2.0
"""A take's first point cannot be later: it would be of film that the camera had kept."""
STEEPEST = 0.5
"""The clock must not go backwards, however much more promptly pictures come of a sudden."""

Point = tuple[float, float]


class DriftMeter:
    """Give it every picture as it comes. Seconds of media are those of the take's stream."""

    def __init__(self, known: Drift = STEADY) -> None:
        """`known` is what an earlier process has found."""
        self._points: list[Point] = list(known.points)
        self._seen_s = self._points[-1][0] if self._points else -1.0
        self._window = -1
        self._best: Point | None = None
        self._raised_s = 0.0
        self._late_since: float | None = None

    @property
    def drift(self) -> Drift:
        return Drift(tuple(self._points))

    @property
    def now_s(self) -> float:
        """The drift up to now."""
        return self._points[-1][1] - self._points[0][1] if self._points else 0.0

    def note(self, media_s: float, late_s: float) -> None:
        """The picture of second `media_s` came, and so late after that."""
        if media_s <= self._seen_s:
            return  # another encoder begins before where the last one ended
        self._seen_s = media_s
        if (window := int(media_s // WINDOW_S)) != self._window:
            if self._best is not None:
                self._add(*self._best)
            self._window, self._best = window, None
        if self._best is None or late_s < self._best[1]:
            self._best = media_s, late_s

    def _add(self, media_s: float, late_s: float) -> None:
        """The most prompt picture of a window."""
        if not self._points:
            if late_s <= FIRST_LATE_S:
                self._points.append((media_s, late_s))
            return
        found_s = self._judged(media_s, late_s)
        if found_s is not None:
            self._forget_what_was_late(media_s, found_s)
            self._keep(media_s, found_s)

    def _judged(self, media_s: float, late_s: float) -> float | None:
        """How late it is without what the line has got slower; `None` while that is not known."""
        usual_s, may_differ_s = self._expected(media_s)
        late_s -= self._raised_s
        if late_s > usual_s + may_differ_s:
            self._late_since = self._late_since or media_s
            if media_s - self._late_since < PATIENCE_S:
                return None
            self._raised_s += late_s - usual_s
            late_s = usual_s
        elif late_s < usual_s - may_differ_s:
            back_s = min(self._raised_s, usual_s - late_s)
            self._raised_s -= back_s
            late_s += back_s
        self._late_since = None
        return late_s

    def _expected(self, media_s: float) -> Point:
        """How late a prompt picture is by now, and what that may be wrong by."""
        (first_at, first_s), (at_s, late_s) = self._points[0], self._points[-1]
        known_s, passed_s = at_s - first_at, media_s - at_s
        pace = (late_s - first_s) / known_s if known_s >= TREND_OVER_S else 0.0
        return late_s + pace * passed_s, FASTEST * min(passed_s, PATIENCE_S) + UNEVEN_S

    def _forget_what_was_late(self, media_s: float, late_s: float) -> None:
        """No clock runs down so fast: what was taken for drift was a line that is better now."""
        points = self._points
        while len(points) > 1:
            at_s, was_s = points[-1]
            if was_s - late_s <= FASTEST * (media_s - at_s) + UNEVEN_S:
                break
            points.pop()

    def _keep(self, media_s: float, late_s: float) -> None:
        """Behind the points there is always the newest; it stays when the next is a step further.

        So between two points no picture is further off the straight line than a step.
        """
        points = self._points
        if len(points) > 1 and abs(late_s - points[-2][1]) < STEP_S:
            points.pop()
        at_s, was_s = points[-1]
        points.append((media_s, max(late_s, was_s - STEEPEST * (media_s - at_s))))
