"""Shows with planted truth: passages that persuade, and much else that only looks like it.

`show(seed, family)` is the same for the same arguments. What is planted is *when the host
persuades*; buyers answer later, by a delay of the show's own, from one of `FAMILIES`. Nothing here
knows how the finder works, and the finder knows none of this.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.highlights.signals import Bought, Question, Shown, Signals, Stretch, Watching

TOPICS = ("weight", "price", "delivery", "taste", "freshness", "")
Delay = Callable[[random.Random, float], float]
"""Seconds until somebody buys, where half of all have bought after the second argument."""


def _lognormal(rng: random.Random, median_s: float) -> float:
    return median_s * math.exp(rng.gauss(0, 0.6))


def _gamma(rng: random.Random, median_s: float) -> float:
    return rng.gammavariate(2.0, median_s / 1.678)


def _shifted_exponential(rng: random.Random, median_s: float) -> float:
    return median_s * 0.3 + rng.expovariate(math.log(2) / (median_s * 0.7))


def _weibull(rng: random.Random, median_s: float) -> float:
    return rng.weibullvariate(median_s / math.log(2) ** (1 / 1.5), 1.5)


def _two_kinds(rng: random.Random, median_s: float) -> float:
    """Most tap at once, a quarter asks at home first."""
    if rng.random() < 0.25:
        return rng.gammavariate(3.0, median_s)
    return rng.gammavariate(3.0, median_s * 0.75 / 2.674)


def _uniform(rng: random.Random, median_s: float) -> float:
    return rng.uniform(0.2, 1.8) * median_s


TUNED_ON: dict[str, Delay] = {"lognormal": _lognormal, "gamma": _gamma}
HELD_OUT: dict[str, Delay] = {
    "shifted exponential": _shifted_exponential,
    "Weibull": _weibull,
    "two kinds": _two_kinds,
    "uniform": _uniform,
}
FAMILIES = TUNED_ON | HELD_OUT
# When within a passage buyers make up their mind: a share of it, from a random one.
Deciding = Callable[[float], float]
TUNED_DECIDING: tuple[Deciding, ...] = (lambda share: share, math.sqrt)
HELD_OUT_DECIDING: tuple[Deciding, ...] = (*TUNED_DECIDING, lambda share: share**1.5)


@dataclass(frozen=True)
class Planted:
    """A show, and the passages in which the host persuaded, with what each of them sold."""

    signals: Signals
    truth: tuple[Stretch, ...]
    products: tuple[str, ...]
    buyers: tuple[int, ...]
    median_delay_s: float
    size: str


@dataclass
class _Making:
    rng: random.Random
    duration_s: float
    delay: Delay
    median_s: float
    per_min: float
    deciding: tuple[Deciding, ...]
    length_s: float
    orders: list[Bought] = field(default_factory=list)
    chat: list[float] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    pins: list[Shown] = field(default_factory=list)
    flashes: list[Shown] = field(default_factory=list)
    away: list[Stretch] = field(default_factory=list)
    surges: list[tuple[float, float, float]] = field(default_factory=list)
    """Moment, factor, and seconds until a third of the newcomers is left."""

    def poisson(self, mean: float) -> int:
        """Knuth's for few, a normal for many."""
        if mean > 60:
            return max(0, round(self.rng.gauss(mean, math.sqrt(mean))))
        count, left = 0, math.exp(-mean)
        product = self.rng.random()
        while product > left:
            count += 1
            product *= self.rng.random()
        return count

    def spread(self, start_s: float, end_s: float, mean: float) -> list[float]:
        return [self.rng.uniform(start_s, end_s) for _ in range(self.poisson(max(0.0, mean)))]

    def ask(self, start_s: float, end_s: float, mean: float, topic: str) -> None:
        for at_s in self.spread(start_s, end_s, mean):
            about = topic if self.rng.random() < 0.6 else self.rng.choice(TOPICS)
            self.questions.append(Question(at_s, about))
            self.chat.append(at_s)


SIZES = {  # orders a minute, minutes, chat lines for an order, passages that persuade per hour
    "tiny": ((0.15, 0.6), (15, 40), (3, 10), 7.0),
    "village": ((0.5, 3.0), (30, 90), (4, 12), 8.0),
    "town": ((3.0, 12.0), (45, 150), (4, 12), 9.0),
    "star": ((12.0, 30.0), (60, 180), (3, 10), 9.0),
}


def show(seed: int, family: str) -> Planted:
    """A show whose buyers' delays are of this family."""
    rng = random.Random(f"{seed} {family}")
    size = rng.choices(list(SIZES), weights=[2, 4, 3, 1])[0]
    rates, lengths, lines, per_hour = SIZES[size]
    making = _Making(
        rng=rng,
        duration_s=60.0 * rng.uniform(*lengths),
        delay=FAMILIES[family],
        median_s=min(60.0, max(6.0, 18.0 * math.exp(rng.gauss(0, 0.5)))),
        per_min=math.exp(rng.uniform(*map(math.log, rates))),
        deciding=TUNED_DECIDING if family in TUNED_ON else HELD_OUT_DECIDING,
        length_s=65.0 if family in TUNED_ON else rng.uniform(45, 90),
    )
    chat_per_min = making.per_min * rng.uniform(*lines) + 2
    count = max(1, round(making.duration_s / 3600 * per_hour * rng.uniform(0.6, 1.4)))
    truth = _places(making, count)
    _outages(making, truth)
    _surges(making, chat_per_min)
    products = [f"product-{number}" for number in range(rng.randint(2, 10))]
    told = [rng.choice(products) for _ in truth]
    sold = zip(truth, told, strict=True)
    buyers = [_persuade(making, where, what, chat_per_min) for where, what in sold]
    _pins_between(making, products, truth)
    _usual(making, chat_per_min)
    _noise(making, products, truth, chat_per_min)
    signals = _seen(making)
    return Planted(signals, tuple(truth), tuple(told), tuple(buyers), making.median_s, size)


def _places(making: _Making, count: int) -> list[Stretch]:
    """Passages of 25 to 170 s that do not touch; half a minute lies between two at least."""
    found: list[Stretch] = []
    for _ in range(count * 20):
        if len(found) == count:
            break
        length_s = min(170.0, max(25.0, making.length_s * math.exp(making.rng.gauss(0, 0.45))))
        start_s = making.rng.uniform(20.0, making.duration_s - length_s - 100.0)
        end_s = start_s + length_s
        if all(end_s + 30 < one.start_s or start_s > one.end_s + 30 for one in found):
            found.append(Stretch(start_s, end_s))
    return sorted(found, key=lambda one: one.start_s)


def _outages(making: _Making, truth: Sequence[Stretch]) -> None:
    """The camera is away for a while, never while it persuades."""
    for _ in range(making.poisson(making.duration_s / 5400)):
        start_s = making.rng.uniform(60, making.duration_s - 120)
        gone = Stretch(start_s, start_s + making.rng.uniform(8, 90))
        if all(gone.end_s < one.start_s or gone.start_s > one.end_s for one in truth):
            making.away.append(gone)


def _surges(making: _Making, chat_per_min: float) -> None:
    """Somebody famous comes in: viewers and chat multiply; newcomers buy as much as anybody."""
    for _ in range(making.poisson(making.duration_s / 5400)):
        at_s = making.rng.uniform(60, making.duration_s - 60)
        making.surges.append((at_s, making.rng.uniform(1.5, 4.0), making.rng.uniform(120, 600)))
        burst = chat_per_min * making.rng.uniform(2, 6)
        making.chat += making.spread(at_s, at_s + 60, burst)
        making.ask(at_s, at_s + 60, burst * 0.1, "")


def _crowd(making: _Making, at_s: float) -> float:
    """How many watch, as a multiple of the show's usual: it fills, swells slowly, and empties."""
    fills = min(1.0, 0.4 + at_s / 600)
    swell = 1 + 0.25 * math.sin(at_s / making.duration_s * 5)
    surge = sum(
        factor * min(1.0, (at_s - from_s) / 20) * math.exp(-(at_s - from_s) / fades_s)
        for from_s, factor, fades_s in making.surges
        if at_s >= from_s
    )
    return fills * swell + surge


def _persuade(making: _Making, where: Stretch, product: str, chat_per_min: float) -> int:
    """Buyers who make up their mind in the passage, and buy later."""
    rng = making.rng
    strength = rng.uniform(2.5, 8.0)
    middle_s = (where.start_s + where.end_s) / 2
    usual = making.per_min / 60 * where.length_s * _crowd(making, middle_s)
    count = making.poisson(max(rng.uniform(5, 9), (strength - 1) * usual))
    deciding = rng.choice(making.deciding)
    for _ in range(count):
        decided_s = where.start_s + deciding(rng.random()) * where.length_s
        bought = product if rng.random() < 0.85 else ""
        making.orders.append(Bought(decided_s + making.delay(rng, making.median_s), bought))
    if rng.random() < 0.7:
        making.pins.append(Shown(where.start_s + rng.gauss(2, 6), product))
    if rng.random() < 0.7:
        mean = chat_per_min / 60 * where.length_s * rng.uniform(0.15, 0.6) + 1
        making.ask(where.start_s, where.end_s + 5, mean, rng.choice(TOPICS))
    if rng.random() < 0.15:
        _flash(making, where.end_s, product, count * 0.5)
    return count


def _flash(making: _Making, at_s: float, product: str, mean: float) -> None:
    making.flashes.append(Shown(at_s, product))
    for _ in range(making.poisson(mean)):
        after_s = making.rng.expovariate(1 / making.rng.uniform(5, 15)) + 1
        making.orders.append(Bought(at_s + after_s, product))
    making.chat += making.spread(at_s, at_s + 30, mean * 0.5)


def _pins_between(making: _Making, products: Sequence[str], truth: Sequence[Stretch]) -> None:
    """Products are shown all the time, mostly without anybody being persuaded."""
    at_s = 10.0
    while at_s < making.duration_s:
        if all(not one.start_s - 10 <= at_s <= one.end_s for one in truth):
            making.pins.append(Shown(at_s, making.rng.choice(products)))
        at_s += making.rng.uniform(120, 420)


def _usual(making: _Making, chat_per_min: float) -> None:
    """What happens anyhow, in proportion to the crowd, ten seconds at a time."""
    pinned = sorted(making.pins, key=lambda one: one.at_s)
    times = [one.at_s for one in pinned]
    for begin in range(0, int(making.duration_s), 10):
        crowd = _crowd(making, begin + 5)
        shown = pinned[max(0, bisect_right(times, begin) - 1)].product if pinned else ""
        for at_s in making.spread(begin, begin + 10, making.per_min / 6 * crowd):
            making.orders.append(Bought(at_s, shown if making.rng.random() < 0.6 else ""))
        making.chat += making.spread(begin, begin + 10, chat_per_min / 6 * crowd)
        making.ask(begin, begin + 10, chat_per_min / 6 * 0.08 * crowd, "")


def _noise(
    making: _Making, products: Sequence[str], truth: Sequence[Stretch], chat_per_min: float
) -> None:
    """Bursts of chat and of questions that sell nothing, and flash sales without a word."""
    rng, hours = making.rng, making.duration_s / 3600
    for _ in range(making.poisson(3 * hours)):
        at_s = rng.uniform(0, making.duration_s - 60)
        making.chat += making.spread(at_s, at_s + 45, chat_per_min * rng.uniform(1, 5))
    for _ in range(making.poisson(2 * hours)):
        at_s = rng.uniform(0, making.duration_s - 60)
        making.ask(at_s, at_s + 60, chat_per_min * rng.uniform(0.2, 0.5) + 1, rng.choice(TOPICS))
    for _ in range(making.poisson(1.5 * hours)):
        at_s = rng.uniform(60, making.duration_s - 60)
        if all(not one.start_s - 60 < at_s < one.end_s + 60 for one in truth):
            _flash(making, at_s, rng.choice(products), making.per_min * rng.uniform(1.5, 6) + 3)


def _seen(making: _Making) -> Signals:
    """What the log has of it: nearly nobody writes or buys while the picture is away."""
    rng = making.rng

    def is_lost(at_s: float) -> bool:
        return any(one.start_s <= at_s < one.end_s for one in making.away) and rng.random() < 0.8

    def within(at_s: float) -> bool:
        return 0 <= at_s < making.duration_s and not is_lost(at_s)

    usual_viewers = making.per_min * rng.uniform(15, 60) + 5
    counted = rng.random() < 0.85
    viewers = [
        Watching(float(at_s), making.poisson(usual_viewers * _crowd(making, at_s)))
        for at_s in range(0, int(making.duration_s), 60)
        if counted
    ]
    return Signals(
        duration_s=making.duration_s,
        orders=tuple(sorted((o for o in making.orders if within(o.at_s)), key=lambda o: o.at_s)),
        chat=tuple(sorted(at_s for at_s in making.chat if within(at_s))),
        questions=tuple(q for q in making.questions if within(q.at_s)),
        pins=tuple(sorted((p for p in making.pins if within(p.at_s)), key=lambda p: p.at_s)),
        flashes=tuple(sorted((f for f in making.flashes if within(f.at_s)), key=lambda f: f.at_s)),
        viewers=tuple(viewers),
        away=tuple(sorted(making.away, key=lambda one: one.start_s)),
    )
