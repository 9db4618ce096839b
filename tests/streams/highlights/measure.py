"""How well proposals meet what was planted, and how well simply the best minutes do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from streams.highlights.signals import Signals, Stretch

LEAST_COVERED = 0.6
LONGEST = 2.0
LEAST_IOU = 0.5


@dataclass(frozen=True)
class Found:
    """Sums over shows; a proposal and a planted passage count for each other once."""

    hits: int
    proposed: int
    planted: int

    @property
    def precision(self) -> float:
        return self.hits / self.proposed if self.proposed else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.planted if self.planted else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        whole = self.proposed + self.planted
        return 2 * self.hits / whole if whole else 0.0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.hits + other.hits,
            self.proposed + other.proposed,
            self.planted + other.planted,
        )


NONE = Found(0, 0, 0)


def iou(one: Stretch, other: Stretch) -> float:
    """What two stretches share, of what either has."""
    shared_s = _shared_s(one, other)
    return shared_s / (one.length_s + other.length_s - shared_s)


def is_hit(proposed: Stretch, planted: Stretch) -> bool:
    """Half of both together is shared, or 60 % of the passage in no more than twice its length."""
    covered = _shared_s(proposed, planted) / planted.length_s
    is_near = covered >= LEAST_COVERED and proposed.length_s <= LONGEST * planted.length_s
    return is_near or iou(proposed, planted) >= LEAST_IOU


def is_strict_hit(proposed: Stretch, planted: Stretch) -> bool:
    return iou(proposed, planted) >= LEAST_IOU


def judge(
    proposed: Sequence[Stretch], planted: Sequence[Stretch], *, strict: bool = False
) -> Found:
    """One by one, in the order proposed; each takes the free passage that it meets best."""
    meets = is_strict_hit if strict else is_hit
    free = list(planted)
    for one in proposed:
        met = [other for other in free if meets(one, other)]
        if met:
            free.remove(max(met, key=lambda other: iou(one, other)))
    return Found(len(planted) - len(free), len(proposed), len(planted))


def top_minutes(signals: Signals, count: int, *, earlier_s: float = 0.0) -> list[Stretch]:
    """The `count` minutes with the most orders, begun `earlier_s` before."""
    orders = Counter(int(order.at_s // 60) for order in signals.orders)
    best = sorted(orders, key=lambda minute: (-orders[minute], minute))[:count]
    return [Stretch(max(0.0, 60.0 * m - earlier_s), 60.0 * (m + 1) - earlier_s) for m in best]


def _shared_s(one: Stretch, other: Stretch) -> float:
    return max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))
