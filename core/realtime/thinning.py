"""Which lines of chat a room is shown when more come than a person can read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from core.realtime.log import Entry

WINDOW_S = 1.0

IsLine = Callable[[Entry], bool]


def is_viewers_line(entry: Entry) -> bool:
    """Chat of viewers may be thinned; what hosts say and all that happens may not."""
    return entry.type == "chat.message" and entry.data.get("role") == "viewer"


class Thinning:
    """Shows at most `per_s` lines in any second, of more lines every so many; 0 shows all.

    Goes by when this process heard a line, never by the time that its sender's process gave it:
    no clock that is wrong or set back can silence anybody. So two processes may show different
    lines, and each counts the ones that it left out.
    """

    def __init__(
        self,
        per_s: int,
        is_line: IsLine = is_viewers_line,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s = per_s
        self._is_line = is_line
        self._clock = clock
        self._heard = Lately()
        self._shown = Lately()
        self._due = 1.0
        """How much of a line may be shown; by parts, so that the share is the same for all."""

    def choose(self, entries: Sequence[Entry]) -> list[bool]:
        """Whether everybody is shown each of these; to be asked once for each, in their order."""
        are_lines = [self._is_line(entry) for entry in entries]
        if not self._per_s or not any(are_lines):
            return [True] * len(entries)
        at_s = self._clock()
        self._heard.add(at_s, sum(are_lines))
        self._shown.forget_before(at_s - WINDOW_S)
        share = min(1.0, self._per_s / self._heard.number)
        return [not is_line or self._shows(at_s, share) for is_line in are_lines]

    def _shows(self, at_s: float, share: float) -> bool:
        self._due += share
        if self._due < 1:
            return False
        self._due -= 1
        if self._shown.number >= self._per_s:
            return False  # nor the next one instead: who sends few at a time would gain by it
        self._shown.add(at_s, 1)
        return True


class Lately:
    """How many there were within the last second."""

    def __init__(self) -> None:
        self.number = 0
        self._steps: deque[tuple[float, int]] = deque()

    def add(self, at_s: float, more: int) -> None:
        self._steps.append((at_s, more))
        self.number += more
        self.forget_before(at_s - WINDOW_S)

    def forget_before(self, at_s: float) -> None:
        while self._steps and self._steps[0][0] <= at_s:
            self.number -= self._steps.popleft()[1]
