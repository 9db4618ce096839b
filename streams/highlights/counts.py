"""A show in bins of five seconds, and what it usually has in each."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from statistics import median

from streams.highlights.delays import STEP_S
from streams.highlights.signals import Signals, Stretch, Watching

BLOCK = 24
"""Two minutes."""
NEAR = 84
"""What is usual changes over some seven minutes to either side."""
PSEUDO = 6.0
"""So many orders of the whole show's rate weigh in what is usual nearby (empirical Bayes)."""
LEAST_RATE = 1e-4
HALF_MINUTE = 6
RETURN_S = 10.0
"""After the camera came back the room first sends what it had kept."""
GAMMAS = (0.0, 0.5, 1.0)


class Sums:
    """Prefix sums: `between(a, b)` of the values from index `a` up to `b`, without it."""

    def __init__(self, values: Iterable[float]) -> None:
        self._until = [0.0, *accumulate(values)]

    def between(self, start: int, end: int) -> float:
        last = len(self._until) - 1
        if start >= 0 and end <= last:  # nearly always, and a scan asks a hundred thousand times
            return self._until[end] - self._until[start]
        return self._until[max(0, min(end, last))] - self._until[max(0, min(start, last))]


@dataclass(frozen=True, slots=True)
class Counts:
    """Bins of a show; `live` is 0 where the camera was away, and so is every count there."""

    live: list[float]
    orders: list[float]
    crowd: list[float]
    """Viewers as a multiple of the show's mean, as far as they matter to orders."""
    questions: Sums
    chat: Sums
    usual_questions: Sums
    usual_chat: Sums

    def __len__(self) -> int:
        return len(self.live)


def counts_of(signals: Signals) -> Counts:
    bins = max(1, math.ceil(signals.duration_s / STEP_S))
    live = _live(bins, signals.away)
    orders = _binned(bins, (order.at_s for order in signals.orders), live)
    questions = _binned(bins, (question.at_s for question in signals.questions), live)
    chat = _binned(bins, signals.chat, live)
    counted = len(signals.viewers) > 1
    viewers = _viewers(bins, signals.viewers) if counted else _talkers(chat, live)
    return Counts(
        live=live,
        orders=orders,
        crowd=_crowd(viewers, orders, live),
        questions=Sums(questions),
        chat=Sums(chat),
        usual_questions=Sums(usual(questions, viewers, live)),
        usual_chat=Sums(usual(chat, viewers, live)),
    )


def usual(counts: Sequence[float], crowd: Sequence[float], live: Sequence[float]) -> list[float]:
    """What each bin usually has: the crowd times the rate nearby, drawn towards the show's rate."""
    exposed = list(map(mul, crowd, live))
    whole = max(_trimmed_rate(counts, exposed), LEAST_RATE)
    near_counts, near_exposed = Sums(counts), Sums(exposed)
    found = []
    for at, (people, is_live) in enumerate(zip(crowd, live, strict=True)):
        counted = near_counts.between(at - NEAR, at + NEAR + 1)
        exposure = near_exposed.between(at - NEAR, at + NEAR + 1)
        rate = (counted + PSEUDO) / (exposure + PSEUDO / whole)
        found.append(max(LEAST_RATE, rate * people) if is_live else 0.0)
    return found


def first_guess(counts: Counts) -> list[float]:
    """The crowd times the rate of the show's quieter blocks, until the bursts are known."""
    exposed = list(map(mul, counts.crowd, counts.live))
    rate = max(_trimmed_rate(counts.orders, exposed), LEAST_RATE)
    return [max(LEAST_RATE, rate * one) for one in exposed]


def without(counts: Counts, expected: Sequence[float], extra: Sequence[float]) -> list[float]:
    """What is usual for orders, where `extra` of `expected + extra` has another reason."""
    left = [
        count * base / (base + more) if base else 0.0
        for count, base, more in zip(counts.orders, expected, extra, strict=True)
    ]
    return usual(left, counts.crowd, counts.live)


def _trimmed_rate(counts: Sequence[float], exposed: Sequence[float]) -> float:
    """Per unit of exposure, in the three quieter quarters of the blocks."""
    blocks = []
    for begin in range(0, len(counts), BLOCK):
        exposure = sum(exposed[begin : begin + BLOCK])
        if exposure > 0:
            blocks.append((sum(counts[begin : begin + BLOCK]) / exposure, exposure))
    blocks.sort()
    kept = blocks[: max(1, math.ceil(len(blocks) * 0.75))]
    return sum(rate * exposure for rate, exposure in kept) / (sum(e for _, e in kept) or 1.0)


def _live(bins: int, away: Sequence[Stretch]) -> list[float]:
    live = [1.0] * bins
    for gone in away:
        until = math.ceil((gone.end_s + RETURN_S) / STEP_S)
        for at in range(max(0, int(gone.start_s / STEP_S)), min(bins, until)):
            live[at] = 0.0
    return live


def _binned(bins: int, moments: Iterable[float], live: Sequence[float]) -> list[float]:
    counts = [0.0] * bins
    for at_s in moments:
        at = int(at_s / STEP_S)
        if 0 <= at < bins:
            counts[at] += live[at]
    return counts


def _viewers(bins: int, samples: Sequence[Watching]) -> list[float]:
    """Viewers in each bin over their mean, drawn straight between the samples."""
    known = sorted((one.at_s, one.viewers + 1.0) for one in samples)
    times = [at_s for at_s, _ in known]
    found = []
    for at in range(bins):
        at_s = (at + 0.5) * STEP_S
        after = min(max(bisect_right(times, at_s), 1), len(known) - 1)
        (from_s, was), (to_s, is_then) = known[after - 1], known[after]
        share = min(1.0, max(0.0, (at_s - from_s) / (to_s - from_s or 1.0)))
        found.append(was + (is_then - was) * share)
    mean = sum(found) / bins
    return [one / mean for one in found]


def _talkers(chat: Sequence[float], live: Sequence[float]) -> list[float]:
    """Who is there, by who talks: the usual talk of the minutes around, over the show's mean.

    A median of half minutes, so that neither a burst of talk nor a good question makes a crowd.
    """
    until, time = Sums(chat), Sums(live)
    rates = []
    for begin in range(0, len(chat), HALF_MINUTE):
        lived = time.between(begin, begin + HALF_MINUTE)
        said = until.between(begin, begin + HALF_MINUTE)
        rates.append((said + 1.0) / (lived + 1.0))
    around = [median(rates[max(0, at - 4) : at + 5]) for at in range(len(rates))]
    mean = sum(around) / len(around)
    return [around[at // HALF_MINUTE] / mean for at in range(len(chat))]


def _crowd(viewers: list[float], orders: list[float], live: list[float]) -> list[float]:
    """Viewers to the power that tells this show's orders best: guests may only look."""
    if max(viewers) == min(viewers):
        return viewers
    return max(
        (_power(viewers, gamma) for gamma in GAMMAS), key=lambda one: _told(one, orders, live)
    )


def _power(viewers: list[float], gamma: float) -> list[float]:
    raised = [one**gamma for one in viewers]
    mean = sum(raised) / len(raised)
    return [one / mean for one in raised]


def _told(crowd: list[float], orders: list[float], live: list[float]) -> float:
    """Log-likelihood of the orders of each block, capped so that no burst decides."""
    exposed = list(map(mul, crowd, live))
    rate = max(_trimmed_rate(orders, exposed), LEAST_RATE)
    total = 0.0
    for begin in range(0, len(orders), BLOCK):
        mean = max(LEAST_RATE, rate * sum(exposed[begin : begin + BLOCK]))
        count = min(sum(orders[begin : begin + BLOCK]), 2.0 * mean)
        total += count * math.log(mean) - mean
    return total
