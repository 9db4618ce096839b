"""The highlight finder against planted truth, and what must hold of every answer."""

from __future__ import annotations

from itertools import combinations

import pytest

from streams.highlights.edges import moved
from streams.highlights.explained import explanations
from streams.highlights.find import highlights
from streams.highlights.signals import Bought, Question, Shown, Signals, Stretch
from streams.highlights.topics import topic_of
from tests.streams.highlights.generate import HELD_OUT, show
from tests.streams.highlights.measure import NONE, Found, is_hit, judge, top_minutes

# Of seeds and delays that nothing was tuned on; `python -m bench.highlights` takes 200.
SHOWS = [(90_000 + number, family) for number, family in enumerate([*HELD_OUT] * 2)]


def test_most_of_what_was_planted_is_found_and_little_else() -> None:
    ours = top = NONE
    for seed, family in SHOWS:
        planted = show(seed, family)
        proposed = [Stretch(one.start_s, one.end_s) for one in highlights(planted.signals)]
        ours += judge(proposed, planted.truth)
        top += judge(top_minutes(planted.signals, len(planted.truth)), planted.truth)
    assert ours.precision >= 0.75, ours
    assert ours.recall >= 0.65, ours
    assert ours.f1 >= 1.5 * top.f1, (ours, top)


def test_proposals_are_lessons_of_the_show_and_the_same_every_time() -> None:
    signals = show(1, "gamma").signals
    found = highlights(signals)
    assert found
    assert found == highlights(signals)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert 20 <= one.end_s - one.start_s <= 180
        assert one.start_s >= 0
        assert one.end_s <= signals.duration_s
        assert not any(
            one.start_s < gone.end_s and gone.start_s < one.end_s for gone in signals.away
        )
    for one, other in combinations(found, 2):
        assert one.end_s <= other.start_s or other.end_s <= one.start_s


def every(step_s: float, from_s: float, until_s: float) -> list[float]:
    return [from_s + n * step_s for n in range(int((until_s - from_s) / step_s))]


def explained(**more: object) -> Signals:
    """An order a minute for an hour; a minute's talk of pears from 1800 sells twenty boxes."""
    orders = [Bought(at_s, "apples") for at_s in every(60, 7, 3600)]
    orders += [Bought(at_s, "pears") for at_s in every(3, 1818, 1881)]
    questions = [Question(at_s) for at_s in every(300, 40, 3600)]
    questions += [Question(at_s, "weight") for at_s in every(5, 1802, 1860)]
    usual: dict[str, object] = {
        "duration_s": 3600.0,
        "orders": tuple(orders),
        "questions": tuple(questions),
        "chat": tuple(one.at_s for one in questions),
        "pins": (Shown(1800, "pears"),),
    }
    return Signals(**usual | more)  # type: ignore[arg-type] # of the names above


def test_a_proposal_begins_with_the_talk_and_not_with_the_orders() -> None:
    [found] = highlights(explained())
    assert is_hit(Stretch(found.start_s, found.end_s), Stretch(1800, 1860))
    assert abs(found.start_s - 1800) <= 10
    assert found.product == "pears"
    told = found.evidence
    assert told.orders >= 15
    assert told.usual_orders < 4
    assert (told.topic, told.topic_questions >= 8, told.pinned) == ("weight", True, True)


def test_orders_alone_put_the_talk_before_them() -> None:
    [found] = highlights(explained(questions=(), chat=(), pins=()))
    assert 1785 <= found.start_s <= 1808  # the first box was sold at 1818


def test_a_burst_of_talk_alone_is_no_lesson() -> None:
    orders = tuple(Bought(at_s) for at_s in every(60, 7, 3600))
    assert highlights(explained(orders=orders)) == []


def test_a_flash_sale_without_a_word_is_no_lesson() -> None:
    orders = [Bought(at_s) for at_s in every(60, 7, 3600)]
    orders += [Bought(1800 + after_s) for after_s in (2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 12, 15, 20, 26)]
    quiet = Signals(duration_s=3600.0, orders=tuple(orders))
    sale = Signals(duration_s=3600.0, orders=tuple(orders), flashes=(Shown(1800),))
    assert len(highlights(quiet)) == 1
    assert highlights(sale) == []


@pytest.mark.parametrize("orders", [0, 1, 3])
def test_hardly_any_orders_tell_nothing(orders: int) -> None:
    few = tuple(Bought(600.0 + n) for n in range(orders))
    assert highlights(Signals(duration_s=1200.0, orders=few)) == []


def test_a_show_in_which_nothing_was_pinned_explains_nothing() -> None:
    assert explanations(Signals(duration_s=60), [], []) == []


def test_edges_move_into_pauses_so_that_no_word_is_cut() -> None:
    pauses = (Stretch(95, 97), Stretch(163, 164), Stretch(300, 301))
    where = moved(Stretch(100, 160), Signals(duration_s=600, pauses=pauses))
    assert where == Stretch(96.75, 163.25)


def test_a_pause_with_a_new_picture_is_better_than_one_a_little_nearer() -> None:
    pauses = (Stretch(95, 96), Stretch(102, 103))
    plain, cut = Signals(duration_s=600, pauses=pauses), Signals(600, pauses=pauses, scenes=(95.5,))
    assert moved(Stretch(100, 160), plain).start_s == 102.75
    assert moved(Stretch(100, 160), cut).start_s == 95.75


def test_edges_stay_out_of_what_was_not_filmed_and_of_other_proposals() -> None:
    away = (Stretch(90, 99),)
    signals = Signals(duration_s=600, away=away, pauses=(Stretch(93, 94), Stretch(166, 168)))
    assert moved(Stretch(101, 160), signals, [Stretch(165, 220)]) == Stretch(99, 165)


@pytest.mark.parametrize(
    ("text", "topic"),
    [("这箱有多重?", "weight"), ("How much is it?", "price"), ("包邮吗", "delivery"), ("在吗", "")],
)
def test_what_a_question_is_about(text: str, topic: str) -> None:
    assert topic_of(text) == topic


def test_each_proposal_counts_for_one_passage_only() -> None:
    passage = Stretch(0, 60)
    twice = judge([Stretch(0, 60), Stretch(5, 60)], [passage])
    assert twice == Found(hits=1, proposed=2, planted=1)
    assert not is_hit(Stretch(0, 130), passage)
    assert is_hit(Stretch(24, 130), passage)
