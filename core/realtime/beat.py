"""How often a room is told: as often as the core of its process has room for it.

Whatever else the process does comes first. Telling gets what is left of `CORE_SHARE` of a core, so
that the tick is short while there is little else to do, and grows before commands have to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TICK_S = 0.05
SLOWEST_TICK_S = 0.25
SLOWEST_RUSHED_TICK_S = 1.0
# The rest is for what cannot wait. At 100 % each command would wait for all that came before it.
CORE_SHARE = 0.85
LEAST_SHARE = 0.25  # of a core for telling, however busy it is otherwise
LOOK_EVERY_S = 0.25
# Several big rooms share one core, and each sees all that is spare: so each takes it by quarters.
PART = 4

Used = tuple[float, float]


class Beat:
    """The ticks of one room. Times are those of one steady clock, in seconds."""

    def __init__(
        self, at_s: float, fastest_s: float = TICK_S, used: Callable[[], Used] | None = None
    ) -> None:
        self._fastest_s = fastest_s
        self._read_used = used or core_used
        self._used = self._read_used()
        self._looked_at_s = at_s
        self._told_s = 0.0
        self._took_s = 0.0
        self.share = 0.5
        """Of a core, for telling."""

    def told(
        self, began_s: float, ended_s: float, cohorts: int, *, is_rushed: bool = False
    ) -> float:
        """The next tick, after one of so many cohorts was told.

        While people rush in, telling has a fifth: whoever waits at the door is told nothing at all,
        and those who are in would be told by the half of the process that should let the others in.
        """
        self._told_s += ended_s - began_s
        self._took_s += (ended_s - began_s - self._took_s) / 8
        if ended_s - self._looked_at_s >= LOOK_EVERY_S:
            self._look(ended_s)
        told_all_s = self._took_s * cohorts
        if is_rushed:
            return min(SLOWEST_RUSHED_TICK_S, max(self._fastest_s, 5 * told_all_s))
        return min(SLOWEST_TICK_S, max(self._fastest_s, told_all_s / self.share))

    def _look(self, at_s: float) -> None:
        """Telling may take what it took, and what nobody used; or less, if too much was used."""
        used, passed_s = self._read_used(), at_s - self._looked_at_s
        busy = max(new - old for new, old in zip(used, self._used, strict=True)) / passed_s
        share = self._told_s / passed_s + CORE_SHARE - busy
        self.share += (min(CORE_SHARE, max(LEAST_SHARE, share)) - self.share) / PART
        self._used, self._looked_at_s, self._told_s = used, at_s, 0.0


def core_used() -> Used:
    """Seconds of processor: of the whole process, and of this thread with what it waited for one.

    The first is the limit of a process that has a core for itself, as only one thread of Python
    runs at a time; the second that of one that shares its core with other processes.
    """
    return time.process_time(), time.thread_time() + _waited_s()


def _waited_s() -> float:
    """How long this thread was ready to run and did not (Linux, `sched-stats`); 0 if unknown."""
    try:
        with open("/proc/thread-self/schedstat", "rb", buffering=0) as file:
            return int(file.read(100).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
