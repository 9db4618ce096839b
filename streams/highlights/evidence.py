"""Why a proposal was made, counted once more in its final seconds; and what was sold in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from streams.highlights.counts import Counts, Sums
from streams.highlights.delays import STEP_S, quantile_s
from streams.highlights.scan import Passage
from streams.highlights.signals import Evidence, Shown, Signals, Stretch, Watching

PIN_BEFORE_S = 30.0
FLASH_AFTER_S = 20.0
VIEWERS_AFTER_S = 90.0


def answered(where: Stretch, median_s: float) -> Stretch:
    """When the orders of a passage came: from its quick buyers to most of its slow ones."""
    first_s, last_s = quantile_s(median_s, -1.0), quantile_s(median_s, 0.5)
    return Stretch(where.start_s + first_s, where.end_s + last_s)


def evidence(
    signals: Signals,
    counts: Counts,
    base: Sequence[float],
    passage: Passage,
    where: Stretch,
    median_s: float,
) -> Evidence:
    """`base` is what each bin has of orders without any passage."""
    when = answered(where, median_s)
    asked = [one for one in signals.questions if where.start_s <= one.at_s < where.end_s]
    topics = Counter(one.topic for one in asked if one.topic).most_common(1)
    topic, about = topics[0] if topics else ("", 0)
    return Evidence(
        orders=count(when, (order.at_s for order in signals.orders)),
        orders_in_s=min(when.end_s, signals.duration_s) - when.start_s,
        usual_orders=usual(when, Sums(base)),
        attributed=passage.orders,
        questions=len(asked),
        usual_questions=usual(where, counts.usual_questions),
        topic=topic,
        topic_questions=about,
        messages=count(where, signals.chat),
        usual_messages=usual(where, counts.usual_chat),
        viewers_before=viewers_at(signals.viewers, where.start_s),
        viewers_after=viewers_at(signals.viewers, where.end_s + VIEWERS_AFTER_S),
        pinned=bool(_near(signals.pins, where.start_s - PIN_BEFORE_S, where.end_s)),
        flash=bool(_near(signals.flashes, where.start_s, where.end_s + FLASH_AFTER_S)),
    )


def count(when: Stretch, moments: Iterable[float]) -> int:
    return sum(when.start_s <= at_s < when.end_s for at_s in moments)


def usual(when: Stretch, per_bin: Sums) -> float:
    """What these seconds usually have; a bin that is only half in them counts half."""
    first, last = when.start_s / STEP_S, when.end_s / STEP_S
    whole = per_bin.between(math.floor(first), math.ceil(last))
    head = (first - math.floor(first)) * per_bin.between(math.floor(first), math.floor(first) + 1)
    tail = (math.ceil(last) - last) * per_bin.between(math.ceil(last) - 1, math.ceil(last))
    return whole - head - tail


def viewers_at(samples: Sequence[Watching], at_s: float) -> int:
    """By the last count before, or the first one; 0 without any."""
    before = [one.viewers for one in samples if one.at_s <= at_s]
    return before[-1] if before else samples[0].viewers if samples else 0


def product_of(signals: Signals, where: Stretch, median_s: float) -> str:
    """The product whose orders stand out most against its part of all orders.

    Where nothing does, what was pinned in the passage; "" if nothing was.
    """
    when = answered(where, median_s)
    here = Counter(o.product for o in signals.orders if when.start_s <= o.at_s < when.end_s)
    always = Counter(order.product for order in signals.orders)
    part = when.length_s / max(signals.duration_s, when.length_s)
    told = {
        product: bought * math.log(bought / max(part * always[product], 0.05))
        for product, bought in here.items()
        if product and bought > part * always[product]
    }
    if told and max(told.values()) > 1.0:
        return max(told, key=lambda product: (told[product], product))
    shown = _near(signals.pins, where.start_s - PIN_BEFORE_S, where.end_s)
    return shown[-1].product if shown else ""


def _near(shown: Sequence[Shown], from_s: float, until_s: float) -> list[Shown]:
    return [one for one in shown if from_s <= one.at_s <= until_s]
