"""Whether this machine has room for a second picture, judged by what is measured.

The first encoder and the web process come first: a second picture is tried only while enough of a
core is idle, shown only after it has kept up for a while, and stopped once it does not keep up or
the process's event loop is late. Then it is left for minutes: a machine that is tried again and
again is never calm.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

CPU_TIMES = Path("/proc/stat")
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
IDLE_FIELDS = (3, 4)  # idle and iowait, of user nice system idle iowait irq softirq steal
ALL_FIELDS = 8
LOOK_EVERY_S = 0.5
MEASURED_OVER_S = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and cores."""

    cores: float = 2.0
    """So many the machine has to have at all."""
    free_cores: float = 0.4
    """So much has to be idle to begin; the 360p of a 1080p source takes half of that."""
    calm_s: float = 3.0
    lag_s: float = 1.5
    loop_lag_s: float = 0.25
    patience_s: float = 5.0
    """For so long it may lag, or the loop be late."""
    trial_s: float = 5.0
    again_after_s: float = 180.0
    again_at_most_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the machine is doing: cores it has, cores that are idle, how late the loop is."""

    cores: float
    free_cores: float
    loop_lag_s: float


class Verdict(StrEnum):
    """What is known of the second picture."""

    WAITING = "waiting"
    """Not begun: no room yet, or none again."""
    TRYING = "trying"
    GOOD = "good"


class Judge:
    """Of one show. Times are seconds of any steady clock."""

    def __init__(self, limits: Limits) -> None:
        self.verdict = Verdict.WAITING
        self.has_refused = False
        """Whether the machine had no room when it was last asked or tried."""
        self._limits = limits
        self._since: float | None = None
        self._began_at = 0.0
        self._not_before = float("-inf")
        self._pause_s = limits.again_after_s

    def may_begin(self, load: Load, at_s: float) -> bool:
        """Whether there has been room for a while; the caller then begins and says so."""
        if at_s < self._not_before:
            return False
        limits = self._limits
        has_room = load.cores >= limits.cores and load.free_cores >= limits.free_cores
        if not has_room or load.loop_lag_s > limits.loop_lag_s:
            self._since, self.has_refused = None, True
            return False
        return self._lasts(limits.calm_s, at_s)

    def begun(self, at_s: float) -> None:
        self.verdict, self._since, self._began_at = Verdict.TRYING, None, at_s

    def keeps_up(self, lag_s: float, load: Load, at_s: float) -> bool:
        """Whether it may go on, being `lag_s` behind its input."""
        limits = self._limits
        is_late = lag_s > limits.lag_s or load.loop_lag_s > limits.loop_lag_s
        if is_late and self._lasts(limits.patience_s, at_s):
            self._refuse(at_s)
            return False
        if not is_late:
            self._since = None
            if at_s - self._began_at >= limits.trial_s:
                self.verdict, self.has_refused = Verdict.GOOD, False
        if self.verdict is Verdict.GOOD and at_s - self._began_at > limits.again_at_most_s:
            self._pause_s = limits.again_after_s
        return True

    def stopped(self) -> None:
        """It ended for another reason, as with its take."""
        self.verdict, self._since = Verdict.WAITING, None

    def _refuse(self, at_s: float) -> None:
        self.stopped()
        self.has_refused = True
        self._not_before = at_s + self._pause_s
        self._pause_s = min(self._limits.again_at_most_s, self._pause_s * 2)

    def _lasts(self, seconds: float, at_s: float) -> bool:
        """Whether what is so now has been so for that long."""
        self._since = at_s if self._since is None else self._since
        return at_s - self._since >= seconds


class Gauge(Protocol):
    """Where loads are read."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...

    def load(self) -> Load: ...


class Machine:
    """The load of this machine and this process's event loop, over the last seconds."""

    def __init__(self) -> None:
        self._cores = cores()
        self._seen: deque[tuple[int, int]] = deque(maxlen=round(MEASURED_OVER_S / LOOK_EVERY_S))
        self._lags: deque[float] = deque(maxlen=round(MEASURED_OVER_S / LOOK_EVERY_S))
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Measure from now on; doing it twice does no harm."""
        if self._task is None:
            self._task = asyncio.create_task(self._measure_forever(), name="machine-load")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def load(self) -> Load:
        return Load(self._cores, self._free_cores(), max(self._lags, default=0.0))

    def _free_cores(self) -> float:
        """None while nothing is known."""
        if not CPU_TIMES.exists():
            return self._cores - os.getloadavg()[0]
        if len(self._seen) < 2 or self._seen[-1][1] == self._seen[0][1]:
            return 0.0
        (idle, total), (idle_now, total_now) = self._seen[0], self._seen[-1]
        share = (idle_now - idle) / (total_now - total)
        return min(self._cores, share * (os.cpu_count() or 1))

    def _note_ticks(self) -> None:
        if CPU_TIMES.exists():  # no disk: it is answered at once
            self._seen.append(_ticks(CPU_TIMES.read_text()))

    async def _measure_forever(self) -> None:
        while True:
            self._note_ticks()
            due = time.monotonic() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self._lags.append(time.monotonic() - due)


def _ticks(stat: str) -> tuple[int, int]:
    """Ticks that all cores were idle, and all ticks, since the machine was started."""
    numbers = [int(word) for word in stat.split("\n", 1)[0].split()[1 : 1 + ALL_FIELDS]]
    return sum(numbers[field] for field in IDLE_FIELDS), sum(numbers)


def cores() -> float:
    """Cores that this process may use, a container's quota included."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = CPU_QUOTA.read_text().split()
        return min(float(allowed or 1), int(quota) / int(period))
    except (OSError, ValueError):  # none, or "max"
        return float(allowed or 1)
