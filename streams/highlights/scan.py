"""Where orders rose because of what was said before: a scan with the delay in the template.

Each candidate (begin, length) says how its buyers' orders would lie in time (`delays.answer`). How
much better "usual + so many of these" tells the orders than "usual" alone is a Poisson
log-likelihood ratio (Kulldorff's scan statistic, 1997, with the delay as its window). Questions in
the same seconds, a pin near its begin and a common length add their own log-odds. The best
candidate is taken, its orders become part of what is expected, and the search goes on: matching
pursuit (Mallat and Zhang, 1993), after which every choice is looked at once more among the others.

A flash offer is a candidate too, with its own template: who waited buys at once. What it explains
is no lesson.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul

from streams.highlights.counts import Counts, Sums
from streams.highlights.delays import STEP_S, Template, answer, rush

LENGTHS = (4, 6, 9, 12, 16, 20, 26, 34)
"""Of a passage, in bins: 20 s to 170 s."""
USUAL_LENGTH = 12.0
LENGTH_SPREAD = 0.35
GAP = 2
"""Bins between two passages."""
RUSH_S = 8.0
LEAST_Z = 1.8
MOST_FROM_QUESTIONS = 8.0
MOST_FROM_CHAT = 1.5
NOT_ASKED = -0.4
FROM_PIN = 2.5
PIN_SPREAD_S = 12.0
THRESHOLD = 6.5
LEAST_ORDERS = 2.5
"""What fewer orders say is chance."""
NEWTON = 6
CLOSE = 0.03
MISFIT = 0.4
"""No template fits a crowd: what is expected of a passage is that far off (standard deviation, as
a part of it), so that what a strong one leaves over is not taken for another."""
SPLIT_FROM = 10
SPLIT_PART = 0.1
SPLIT_AT = (0.3, 0.5, 0.7)
STRIDE = 2
"""Bins between the begins that are tried at first; the best are then looked at more closely."""
Z_TELLS = 0.6
"""A score test of z promises z²/2 nats, and hardly ever more than this many times z²."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A candidate: bins from `start` on, the orders it has explained, and its log-odds."""

    start: int
    length: int
    orders: float
    gain: float
    score: float

    @property
    def end(self) -> int:
        return self.start + self.length


class Scan:
    """The search over one show with one delay; `expected` is what each bin has without passages."""

    def __init__(
        self,
        counts: Counts,
        base: Sequence[float],
        pins: Sequence[float],
        flashes: Sequence[float],
        median_s: float,
    ) -> None:
        self._counts = counts
        self._base = list(base)
        self._extra = [0.0] * len(base)
        self._median_s = median_s
        self._pins = _pin_bonus(len(base), pins)
        self._flashes = [int(at_s / STEP_S) for at_s in flashes]
        self._away = Sums(1.0 - one for one in counts.live)
        self._above = [0.0] * len(base)
        self._inverse = [0.0] * len(base)
        self._weight = [0.0] * len(base)
        self._refresh()

    @property
    def extra(self) -> list[float]:
        """Expected orders, in each bin, of what was found; flash offers included."""
        return self._extra

    def passages(self, *, roughly: bool = False) -> list[Passage]:
        """All that are worth it, the best first; `roughly`: without a second look at each."""
        self._take_flashes()
        found = self._pursued((), range(0, len(self._base), STRIDE))
        if roughly:
            return found
        split = [part for passage in found for part in self._split(passage, found)]
        if len(split) > len(found):
            known = set(found)
            starts = {at for part in split if part not in known for at in self._around(part)}
            found = self._pursued(split, sorted(starts))
        return sorted(self._refined(found), key=_rank, reverse=True)

    def _pursued(self, known: Sequence[Passage], starts: Iterable[int]) -> list[Passage]:
        """The known ones, and whatever begins at one of these and is worth it beside them.

        What one passage explains, another cannot: scores only fall while others are taken, and
        whichever is the best when looked at again is the best of all (lazy greedy, Minoux 1978).
        """
        found = list(known)
        waiting = [_turn(one) for at in starts if (one := self._best_at(at, found))]
        heapq.heapify(waiting)
        while waiting:
            _, start = heapq.heappop(waiting)
            passage = self._best_at(start, found)
            if passage is None or passage.score <= 0:
                continue
            if waiting and _turn(passage) > waiting[0]:
                heapq.heappush(waiting, _turn(passage))
                continue
            found.append(passage)
            self._add(passage, 1.0)
        return found

    def _around(self, passage: Passage) -> range:
        """Begins whose orders would mix with this passage's."""
        reach = len(answer(LENGTHS[-1], self._median_s))
        return range(
            max(0, passage.start - reach), min(len(self._base), passage.end + reach), STRIDE
        )

    def _refined(self, found: Sequence[Passage]) -> list[Passage]:
        """Each once more, with the others as they are now; what is worth nothing is dropped."""
        kept = list(found)
        for passage in found:
            self._add(passage, -1.0)
            kept.remove(passage)
            near = range(passage.start - 12, passage.start + 13)
            if (better := self._best_of(near, kept)) and better.score > 0:
                kept.append(better)
                self._add(better, 1.0)
        return kept

    def _split(self, passage: Passage, found: Sequence[Passage]) -> list[Passage]:
        """Two in its place where they tell more: a long template covers two short causes too."""
        if passage.length < SPLIT_FROM:
            return [passage]
        self._add(passage, -1.0)
        others = [one for one in found if one is not passage]
        pairs = [self._pair(passage, others, share) for share in SPLIT_AT]
        best = max((pair for pair in pairs if pair), key=_worth, default=[])
        if _worth(best) <= passage.score + SPLIT_PART * passage.gain:
            best = [passage]
        for one in best:
            self._add(one, 1.0)
        return best

    def _pair(self, passage: Passage, others: Sequence[Passage], share: float) -> list[Passage]:
        """The best two on either side of a point in the passage; none if one side has none."""
        middle = passage.start + round(passage.length * share)
        behind = Passage(middle + 1, len(self._base), 0, 0, 0)
        first = self._best_of(range(passage.start - 8, middle - LENGTHS[0] + 1), [*others, behind])
        if first is None:
            return []
        self._add(first, 1.0)
        reach = range(max(middle, first.end + GAP), passage.end + 4)
        second = self._best_of(reach, [*others, first])
        self._add(first, -1.0)
        return [first, second] if second and second.score > 0 else []

    def fit(self, found: Sequence[Passage], median_s: float) -> float:
        """Log-odds of these passages had the show that delay, each moved to where it fits best."""
        usual, self._median_s = self._median_s, median_s
        total = 0.0
        for passage in found:
            others = [one for one in found if one is not passage]
            self._add(passage, -1.0, usual)
            near = range(passage.start - 12, passage.start + 13, 2)
            if better := self._best_of(near, others):
                total += better.score
            self._add(passage, 1.0, usual)
        self._median_s = usual
        return total

    def _take_flashes(self) -> None:
        """Orders right after a flash offer are its own."""
        template = rush(RUSH_S)
        for start in sorted(set(self._flashes)):
            orders, gain = self._explained(start, template)
            if gain > 0:
                self._spread(start, template, orders)

    def _best_of(self, starts: Sequence[int], others: Sequence[Passage]) -> Passage | None:
        found = (self._best_at(start, others) for start in starts if start >= 0)
        return max((one for one in found if one), key=_rank, default=None)

    def _best_at(self, start: int, others: Sequence[Passage]) -> Passage | None:
        room = self._room(start, others)
        best: Passage | None = None
        for length in LENGTHS:
            if length > room or self._away.between(start, start + length):
                break
            passage = self._candidate(start, length, best.score if best else 0.0)
            if passage and (best is None or passage.score > best.score):
                best = passage
        return best

    def _room(self, start: int, others: Sequence[Passage]) -> int:
        """How many bins a passage that begins here may have at most."""
        room = len(self._base) - start
        for other in others:
            if other.start - GAP > start:
                room = min(room, other.start - GAP - start)
            elif other.end + GAP > start:
                return 0
        return room

    def _candidate(self, start: int, length: int, least: float) -> Passage | None:
        """What begins here and is so long, if its score can be more than `least`."""
        template = answer(length, self._median_s)
        z = self._z(start, template)
        if z < LEAST_Z:
            return None
        prior = self._prior(start, length)
        if z * z * Z_TELLS + prior < max(0.0, least):
            return None
        orders, gain = self._explained(start, template)
        if orders < LEAST_ORDERS:
            return None
        return Passage(start, length, orders, gain, gain + prior)

    def _prior(self, start: int, length: int) -> float:
        """Log-odds of everything but the orders."""
        end = start + length
        usual_length = -0.5 * (math.log(length / USUAL_LENGTH) / LENGTH_SPREAD) ** 2
        return usual_length + self._asked(start, end) + self._pins[start] - THRESHOLD

    def _asked(self, start: int, end: int) -> float:
        counts = self._counts
        until = end + 1  # people type for a moment
        asked = _surprise(counts.questions, counts.usual_questions, start, until)
        said = _surprise(counts.chat, counts.usual_chat, start, until)
        from_questions = min(MOST_FROM_QUESTIONS, 0.7 * asked) if asked > 0.5 else NOT_ASKED
        return from_questions + min(MOST_FROM_CHAT, 0.2 * said)

    def _z(self, start: int, template: Template) -> float:
        """The score test: how many standard deviations lie above what is expected."""
        stop = start + len(template)
        above: float = sum(map(mul, self._above[start:stop], template.shares))
        if above <= 0:
            return 0.0
        return above / math.sqrt(sum(map(mul, self._inverse[start:stop], template.squares)))

    def _explained(self, start: int, template: Template) -> tuple[float, float]:
        """How many orders this template explains, and by how much it tells them better (nats)."""
        shares = template.shares
        stop = min(start + len(shares), len(self._base))
        weights = self._weight[start:stop]
        whole = sum(map(mul, weights, shares))
        pairs = [
            (count * weight, share * inverse / weight)
            for count, share, inverse, weight in zip(
                self._counts.orders[start:stop],
                shares,
                self._inverse[start:stop],
                weights,
                strict=False,
            )
            if count and weight
        ]
        if whole <= 0:
            return 0.0, 0.0
        orders = _most_likely(pairs, whole)
        gain = sum(count * math.log1p(orders * ratio) for count, ratio in pairs) - orders * whole
        return orders, gain

    def _add(self, passage: Passage, sign: float, median_s: float | None = None) -> None:
        template = answer(passage.length, median_s or self._median_s)
        self._spread(passage.start, template, sign * passage.orders)

    def _spread(self, start: int, template: Template, orders: float) -> None:
        for at, share in enumerate(template.shares[: len(self._extra) - start], start):
            self._extra[at] = max(0.0, self._extra[at] + orders * share)
        self._refresh(start, start + len(template))

    def _refresh(self, start: int = 0, stop: int | None = None) -> None:
        """What follows from `_extra`, for the bins in which it has changed."""
        if stop is None:
            stop = len(self._base)
        for at in range(start, min(stop, len(self._base))):
            expected = self._base[at] + self._extra[at]
            is_live = self._counts.live[at] and expected > 0
            spread = (MISFIT * self._extra[at]) ** 2
            weight = expected / (expected + spread) if is_live else 0.0
            self._weight[at] = weight
            self._inverse[at] = weight / expected if is_live else 0.0
            self._above[at] = (
                weight * (self._counts.orders[at] / expected - 1.0) if is_live else 0.0
            )


def _surprise(counts: Sums, usual: Sums, start: int, until: int) -> float:
    """How much better its own rate tells a count than the usual one (nats); 0 if it is less."""
    count, mean = counts.between(start, until), usual.between(start, until)
    if count <= mean:
        return 0.0
    return count * math.log(count / max(mean, 0.05)) - (count - mean)


def _worth(passages: Sequence[Passage]) -> float:
    return sum(passage.score for passage in passages)


def _turn(passage: Passage) -> tuple[float, int]:
    return -passage.score, passage.start


def _rank(passage: Passage) -> tuple[float, int]:
    return passage.score, -passage.start


def _most_likely(pairs: Sequence[tuple[float, float]], whole: float) -> float:
    """The number of orders with the greatest likelihood; Newton's steps on a concave function."""
    orders = 0.0
    for _ in range(NEWTON):
        slope, bend = -whole, 0.0
        for count, ratio in pairs:
            part = ratio / (1.0 + orders * ratio)
            told = count * part
            slope += told
            bend += told * part
        if not bend or (orders == 0 and slope <= 0):
            break
        step = slope / bend
        orders = max(0.0, orders + step)
        if abs(step) < CLOSE * orders:
            break
    return orders


def _pin_bonus(bins: int, pins: Sequence[float]) -> list[float]:
    """Log-odds of a passage that begins here, from how near the nearest pin is."""
    bonus = [0.0] * bins
    for at_s in pins:
        middle = int(at_s / STEP_S)
        for at in range(max(0, middle - 8), min(bins, middle + 9)):
            off_s = (at + 0.5) * STEP_S - at_s
            bonus[at] = max(bonus[at], FROM_PIN * math.exp(-0.5 * (off_s / PIN_SPREAD_S) ** 2))
    return bonus
