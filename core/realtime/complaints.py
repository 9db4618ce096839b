"""Warnings about what is tried again and again: one per matter and some seconds."""

from __future__ import annotations

import logging
import time

SILENT_FOR_S = 10.0
REMEMBERED = 1_000


class Complaints:
    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._silent_until: dict[str, float] = {}

    def note(self, matter: str, problem: object) -> None:
        """Warn of it, unless that was done a moment ago."""
        at_s = time.monotonic()
        if at_s < self._silent_until.get(matter, 0.0):
            return
        if len(self._silent_until) >= REMEMBERED:
            self._silent_until.clear()
        self._silent_until[matter] = at_s + SILENT_FOR_S
        self._log.warning("%s: %s", matter, problem)
