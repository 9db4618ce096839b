"""How long buyers take: from when they are persuaded until their order is there.

A show's delay is one of `MEDIANS_S`, log-normally spread, as response times commonly are (Luce,
Response Times, 1986). The spread is fixed: a wrong shape costs little, a wrong median much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

STEP_S = 5.0
"""All counting is done in bins of this length."""
SPREAD = 0.7
"""Standard deviation of the delay's logarithm."""
MEDIANS_S = (6.0, 9.0, 13.0, 18.0, 25.0, 35.0, 50.0)
USUAL_S = 18.0
"""What is assumed of a show that tells little: a tap, an address, a look at the price."""
USUAL_SPREAD = 0.6
LONGEST_S = 150.0


@dataclass(frozen=True, slots=True)
class Template:
    """Share of a cause's orders in each bin from its begin on, and the squares of these."""

    shares: tuple[float, ...]
    squares: tuple[float, ...]

    @classmethod
    def of(cls, shares: Sequence[float]) -> Template:
        whole = sum(shares)
        parts = tuple(share / whole for share in shares)
        return cls(parts, tuple(part * part for part in parts))

    def __len__(self) -> int:
        return len(self.shares)


def log_prior(median_s: float) -> float:
    """How likely such a show is, before anything is known of it (natural logarithm)."""
    return -0.5 * (math.log(median_s / USUAL_S) / USUAL_SPREAD) ** 2


def quantile_s(median_s: float, normal: float) -> float:
    """The delay that this many standard deviations (-1: one in six is faster) stand for."""
    return median_s * math.exp(SPREAD * normal)


def _share_until(seconds: float, median_s: float) -> float:
    if seconds <= 0:
        return 0.0
    return 0.5 * (1 + math.erf(math.log(seconds / median_s) / (SPREAD * math.sqrt(2))))


def _mean_share_until(seconds: float, median_s: float) -> float:
    """The same, of somebody persuaded at any moment of the bin that ends there."""
    parts = 4
    each_s = STEP_S / parts
    moments = (seconds - (part + 0.5) * each_s for part in range(parts))
    return sum(_share_until(moment, median_s) for moment in moments) / parts


@lru_cache(maxsize=16)
def per_bin(median_s: float) -> tuple[float, ...]:
    """Share of buyers whose order comes so many bins after the one in which they decided."""
    bins = min(int(LONGEST_S / STEP_S), 2 + int(quantile_s(median_s, 2.0) / STEP_S))
    until = [_mean_share_until((n + 1) * STEP_S, median_s) for n in range(bins)]
    return Template.of(_steps(until)).shares


@lru_cache(maxsize=512)
def answer(length: int, median_s: float) -> Template:
    """The answer to a passage of `length` bins.

    Buyers decide evenly over the passage, then take their time: a box convolved with the delay.
    """
    delay = per_bin(median_s)
    shares = [0.0] * (length + len(delay) - 1)
    for begin in range(length):
        for after, share in enumerate(delay):
            shares[begin + after] += share
    return Template.of(shares)


@lru_cache(maxsize=4)
def rush(median_s: float) -> Template:
    """The answer to a flash offer: who waited for it buys at once."""
    until = [1 - math.exp(-math.log(2) * (n + 0.5) * STEP_S / median_s) for n in range(14)]
    return Template.of(_steps(until))


def _steps(until: Sequence[float]) -> list[float]:
    """What each bin adds to what was reached before it."""
    return [until[0], *(later - before for before, later in pairwise(until))]
