"""Places where a test may kill the process, to see what survives.

`LIVECOMMERCE_FAILPOINTS="orders.before_commit=0.05,orders.after_commit=#3"`: a point with a
probability kills at each pass with that chance, one with `#n` at the n-th pass of this process.
Without the variable a point costs one `if`.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
from collections.abc import Iterator


class Point:
    """When one point kills."""

    def __init__(self, chance: float, at_pass: int) -> None:
        self._chance = chance
        self._at_pass = at_pass
        self._passes: Iterator[int] = itertools.count(1)

    @classmethod
    def read(cls, text: str) -> Point:
        """ "0.05" or "#3"; raises `ValueError`."""
        return cls(0.0, int(text[1:])) if text.startswith("#") else cls(float(text), 0)

    def is_due(self) -> bool:
        return next(self._passes) == self._at_pass or random.random() < self._chance  # noqa: S311


def read(text: str) -> dict[str, Point]:
    """The points that the variable names; raises `ValueError`."""
    named = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): Point.read(value.strip()) for name, _is, value in named}


_points = read(os.environ.get("LIVECOMMERCE_FAILPOINTS", ""))


def failpoint(name: str) -> None:
    """Kill this process, as SIGKILL does, if the environment says so for this point."""
    if _points and name in _points and _points[name].is_due():
        os.kill(os.getpid(), signal.SIGKILL)
