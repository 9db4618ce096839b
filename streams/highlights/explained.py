"""A product's own moments: where it was shown longest to those who bought it.

A show of even success has no minute above its usual, and a product that sells all the time has
none either. What explains such a product is the stretch in which it was pinned and sold most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streams.highlights.edges import LONGEST_S, SHORTEST_S, moved
from streams.highlights.signals import Shown, Signals, Stretch

FEWEST_ORDERS = 1
SHOWN_AT_LEAST_S = 8.0
BUYING_S = 30.0


class Explained(Stretch, frozen=True):
    """The stretch that sold most of a product, and how many orders of it came there."""

    product: str
    orders: int


def explanations(
    signals: Signals, known: Sequence[str], taken: Sequence[Stretch]
) -> list[Explained]:
    """One for each product that was pinned and bought, but those `known`; the best sold first.

    Reaches into no stretch that is `taken`, unless that leaves too little of it.
    """
    best: dict[str, Explained] = {}
    for one in _shown(signals):
        earlier = best.get(one.product)
        if one.orders >= FEWEST_ORDERS and (earlier is None or one.orders > earlier.orders):
            best[one.product] = one
    kept = [one for product, one in best.items() if product not in known]
    kept.sort(key=lambda one: (-one.orders, one.start_s))
    return [
        _placed(one, signals) for one in kept if not any(_shares(one, other) for other in taken)
    ]


def _shown(signals: Signals) -> Iterator[Explained]:
    """Each pin until the next, with the orders of its product up to half a minute after."""
    pins = sorted(signals.pins, key=lambda pin: pin.at_s)
    ends = [*(pin.at_s for pin in pins), signals.duration_s][1:]
    for pin, end_s in zip(pins, ends, strict=True):
        end_s = min([end_s, *(gone.start_s for gone in signals.away if gone.start_s > pin.at_s)])
        if pin.product and end_s - pin.at_s >= SHOWN_AT_LEAST_S:
            yield _best_part(signals, pin, end_s)


def _best_part(signals: Signals, pin: Shown, end_s: float) -> Explained:
    """Up to three minutes, begun where the most orders follow; with the pin if that is as good."""
    of_it = (order.at_s for order in signals.orders if order.product == pin.product)
    bought = [at_s for at_s in of_it if pin.at_s <= at_s < end_s + BUYING_S]
    length_s = min(LONGEST_S, end_s - pin.at_s)
    begins = [pin.at_s, *(max(pin.at_s, min(at_s - BUYING_S, end_s - length_s)) for at_s in bought)]

    def sold_from(begin_s: float) -> int:
        return sum(begin_s <= at_s < begin_s + length_s + BUYING_S for at_s in bought)

    start_s = max(begins, key=lambda begin_s: (sold_from(begin_s), -begin_s))
    return Explained(start_s, start_s + length_s, pin.product, sold_from(start_s))


def _placed(one: Explained, signals: Signals) -> Explained:
    where = moved(one, signals)
    return Explained(where.start_s, where.end_s, one.product, one.orders)


def _shares(one: Stretch, other: Stretch) -> bool:
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s) > SHORTEST_S / 2
