"""Percentiles over all deliveries."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from bench.latency import Counts, add_frame, percentile_ms, within


def test_a_frame_counts_once_for_each_socket_and_message() -> None:
    counts: Counts = {}
    add_frame(counts, {1100: 3, 1200: 1}, [1000, 1050])
    assert counts == {100: 3, 200: 1, 50: 3, 150: 1}


def test_nothing_delivered_has_no_percentile() -> None:
    assert percentile_ms({}, 0.99) is None


def test_the_slowest_of_a_hundred_is_not_in_the_99th_percentile() -> None:
    counts = {100: 99, 90_000: 1}
    assert percentile_ms(counts, 0.99) == 10.0
    assert percentile_ms(counts, 1.0) == 9000.0


@given(st.lists(st.integers(0, 50_000), min_size=1), st.sampled_from([0.01, 0.5, 0.99, 1.0]))
def test_it_is_the_nearest_rank(waits: list[int], share: float) -> None:
    counts: Counts = {}
    for waited in waits:
        add_frame(counts, {waited: 1}, [0])
    rank = max(1, math.ceil(share * len(waits)))
    assert percentile_ms(counts, share) == sorted(waits)[rank - 1] / 10


def test_only_what_came_in_the_time_is_counted() -> None:
    assert within({9: 1, 10: 2, 19: 4, 20: 8}, 10, 20) == 6
