"""One direction of a slow line: everything comes late, and now and then nothing comes for a while.

As a lost packet does on a TCP connection, a stall holds up all that is behind it.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

CHUNK = 1400
WINDOW = 256 * 1024
"""Bytes on their way after which the sender has to wait."""


@dataclass(frozen=True, slots=True)
class Slowness:
    """Of one direction; `stall_share` is the chance of each `CHUNK` to come `stall_s` later."""

    delay_s: float
    stall_share: float
    stall_s: float


class SlowWay:
    """Give it bytes with `put`; they come out of `deliver` in their order, when it is time."""

    def __init__(self, slowness: Slowness, deliver: Callable[[bytes], None], seed: int) -> None:
        self._slowness = slowness
        self._deliver = deliver
        self._chance = random.Random(seed)
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.waiting_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.waiting_bytes > WINDOW

    def put(self, data: bytes) -> None:
        arrives = asyncio.get_running_loop().time() + self._slowness.delay_s
        for at in range(0, len(data), CHUNK):
            stalls = self._chance.random() < self._slowness.stall_share
            stall_s = self._slowness.stall_s if stalls else 0.0
            self._last_due = max(arrives, self._last_due) + stall_s
            self._waiting.append((self._last_due, data[at : at + CHUNK]))
        self.waiting_bytes += len(data)
        self._set_timer()

    def put_end(self) -> None:
        """Deliver nothing at all after everything that was put before."""
        self._waiting.append((self._last_due, b""))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._waiting[0][0], self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now:
            _, data = self._waiting.popleft()
            self.waiting_bytes -= len(data)
            self._deliver(data)
        self._set_timer()
