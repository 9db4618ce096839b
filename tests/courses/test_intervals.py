from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from courses.intervals import JOIN_S, Stretch, clip, covered_s, merge, missing

SECONDS = st.floats(min_value=0, max_value=180, allow_nan=False)
STRETCHES = st.lists(
    st.tuples(SECONDS, SECONDS).map(lambda edges: (min(edges), max(edges))), max_size=30
)


def test_nothing_watched_is_nothing_covered() -> None:
    assert merge([]) == []
    assert covered_s([]) == 0


def test_overlapping_stretches_become_one() -> None:
    assert merge([(5, 9), (0, 6), (20, 21)]) == [(0, 9), (20, 21)]


def test_a_gap_no_longer_than_the_players_own_step_is_closed() -> None:
    assert merge([(0, 5), (5 + JOIN_S, 9)]) == [(0, 9)]
    assert merge([(0, 5), (5.3, 9)]) == [(0, 5), (5.3, 9)]


def test_what_lies_beyond_the_end_is_cut_off() -> None:
    assert clip([(15, 25), (20, 30), (1, 2)], 20) == [(15, 20), (1, 2)]


def test_what_is_missing_is_named_in_seconds() -> None:
    assert missing([(3, 8), (12, 20)], 20) == [(0, 3), (8, 12)]
    assert missing([(0, 20)], 20) == []
    assert missing([], 20) == [(0, 20)]


@given(STRETCHES, st.randoms())
def test_any_order_and_repetition_gives_the_same_set(
    stretches: list[Stretch], random_: random.Random
) -> None:
    shuffled = stretches + random_.sample(stretches, k=len(stretches) // 2)
    random_.shuffle(shuffled)
    assert merge(shuffled) == merge(stretches)


@given(STRETCHES, st.floats(min_value=0, max_value=1))
def test_any_split_of_the_stretches_gives_the_same_set(
    stretches: list[Stretch], share: float
) -> None:
    cut = [(start, start + (end - start) * share) for start, end in stretches]
    rest = [(middle, end) for (_, end), (_, middle) in zip(stretches, cut, strict=True)]
    assert merge([*rest, *cut]) == merge(stretches)


@given(STRETCHES, st.integers(min_value=0, max_value=30))
def test_any_division_into_reports_gives_the_same_set(stretches: list[Stretch], at: int) -> None:
    assert merge([*merge(stretches[:at]), *stretches[at:]]) == merge(stretches)


@given(STRETCHES)
def test_a_merged_set_is_sorted_and_its_gaps_are_real(stretches: list[Stretch]) -> None:
    merged = merge(stretches)
    assert all(start < end for start, end in merged)
    assert all(later[0] - earlier[1] > JOIN_S for earlier, later in pairwise(merged))


@given(STRETCHES, STRETCHES)
def test_watching_more_never_covers_less(one: list[Stretch], more: list[Stretch]) -> None:
    assert covered_s(merge([*one, *more])) >= covered_s(merge(one)) - 1e-6


@given(STRETCHES)
def test_covered_and_missing_add_up_to_the_video(stretches: list[Stretch]) -> None:
    merged = merge(clip(stretches, 180))
    left_out = covered_s(missing(merged, 180))
    # At the very start and end a gap too small to name may be left.
    assert 180 - 2 * JOIN_S <= covered_s(merged) + left_out <= 180 + 0.001
