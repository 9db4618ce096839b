"""Counting answered orders: how many a second, and how long each was waited for."""

from __future__ import annotations

import time
from typing import Any


class Tally:
    """Orders that were answered between the end of warming up and the end of the run."""

    def __init__(self, *, warm_s: float, for_s: float) -> None:
        self.begins = time.perf_counter() + warm_s
        self.ends = self.begins + for_s
        self.waits_s: list[float] = []
        self.refused = 0

    def goes_on(self) -> bool:
        return time.perf_counter() < self.ends

    def add(self, asked: float, answered: float) -> None:
        """An acknowledged order; both by `time.perf_counter`, in seconds."""
        if self.begins <= answered < self.ends:
            self.waits_s.append(answered - asked)

    def told(self) -> dict[str, Any]:
        """`per_s`, and of all waits the median and the 99th percentile in ms."""
        waits = sorted(self.waits_s)
        return {
            "orders": len(waits),
            "per_s": round(len(waits) / (self.ends - self.begins), 1),
            "p50_ms": share_ms(waits, 0.5),
            "p99_ms": share_ms(waits, 0.99),
            "refused": self.refused,
        }


def share_ms(waits: list[float], share: float) -> float | None:
    """The least time in ms within which `share` (0..1) of the sorted `waits` (s) lay."""
    if not waits:
        return None
    return round(waits[min(len(waits) - 1, int(share * len(waits)))] * 1000, 2)
