"""Which lines of chat a room is shown when more come than a person can read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from core.realtime.log import Entry

CALM_AFTER_S = 1.0

IsLine = Callable[[Entry], bool]


def is_viewers_line(entry: Entry) -> bool:
    """Chat of viewers may be thinned; what hosts say and all that happens may not."""
    return entry.type == "chat.message" and entry.data.get("role") == "viewer"


class Thinning:
    """Shows at most `per_s` lines in any second; while there are more, spread evenly.

    Goes by the entries' own times, so that all processes show the same lines. 0 shows all.
    """

    def __init__(self, per_s: int, is_line: IsLine = is_viewers_line) -> None:
        self._per_s = per_s
        self._is_line = is_line
        self._shown_at: deque[float] = deque()
        self._busy_until = 0.0

    def shows(self, entry: Entry) -> bool:
        """Whether everybody is shown this entry; to be asked once for each, in their order."""
        if not self._per_s or not self._is_line(entry):
            return True
        at_s = entry.at.timestamp()
        if self._is_too_many(at_s):
            self._busy_until = at_s + CALM_AFTER_S
            return False
        self._shown_at.append(at_s)
        return True

    def _is_too_many(self, at_s: float) -> bool:
        while self._shown_at and self._shown_at[0] <= at_s - 1:
            self._shown_at.popleft()
        if len(self._shown_at) >= self._per_s:
            return True
        is_busy = bool(self._shown_at) and at_s < self._busy_until
        return is_busy and at_s - self._shown_at[-1] < 1 / self._per_s
