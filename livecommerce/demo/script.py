"""What happens in a demo show, second by second: the host pins, viewers talk and buy."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from livecommerce.demo.goods import ANSWERS, CHATTER, GOODS, Good
from livecommerce.demo.people import VIEWERS

HOST = "zhang"
# Seconds, on average, between two lines of chat, and between two orders once people are persuaded.
CHAT_EVERY_S = 4.0
ORDER_EVERY_S = 7.0
PERSUADED_AFTER_S = 6.0
ANSWER_AFTER_S = 3.0


@dataclass(frozen=True, slots=True)
class Pin:
    """The host shows a good."""

    at_s: float
    good: Good


@dataclass(frozen=True, slots=True)
class Say:
    """Somebody writes a line."""

    at_s: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Buy:
    """A viewer orders from the good that is pinned."""

    at_s: float
    who: str
    good: Good
    quantity: int


Action = Pin | Say | Buy


def script(duration_s: float, *, each_pin_s: float, seed: int) -> list[Action]:
    """Everything that happens in a show of `duration_s` seconds, in order of time.

    The same seed gives the same show. Nothing happens in the last two seconds.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    actions: list[Action] = []
    start = 1.0
    for turn in range(int(duration_s // each_pin_s) + 1):
        until = min(start + each_pin_s, duration_s - 2)
        if until - start < PERSUADED_AFTER_S:
            break
        actions += _turn(GOODS[turn % len(GOODS)], start, until, chance)
        start = until
    return sorted(actions, key=attrgetter("at_s"))


def _turn(good: Good, start: float, until: float, chance: random.Random) -> Iterator[Action]:
    yield Pin(start, good)
    for at_s in _moments(start + 1, until, CHAT_EVERY_S, chance):
        yield Say(at_s, _viewer(chance), chance.choice(CHATTER[""] + CHATTER[good.picture] * 2))
    for at_s in _moments(start + PERSUADED_AFTER_S, until, ORDER_EVERY_S, chance):
        yield Buy(at_s, _viewer(chance), good, chance.choice((1, 1, 1, 2)))
    for number, text in enumerate(ANSWERS[good.picture]):
        at_s = start + ANSWER_AFTER_S + number * (until - start) / len(ANSWERS[good.picture])
        if at_s < until:
            yield Say(at_s, HOST, text)


def _moments(start: float, until: float, every_s: float, chance: random.Random) -> Iterator[float]:
    at_s = start + chance.expovariate(1 / every_s)
    while at_s < until:
        yield at_s
        at_s += chance.expovariate(1 / every_s)


def _viewer(chance: random.Random) -> str:
    return chance.choice(VIEWERS)[0]
