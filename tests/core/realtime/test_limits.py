from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.realtime import limits
from core.realtime.limits import RateLimit


def test_a_burst_then_one_at_a_time() -> None:
    limit = RateLimit(burst=3, every_s=2.0)
    assert [limit.take("li", 100.0) for _ in range(3)] == [0, 0, 0]
    assert limit.take("li", 100.0) == 2.0
    assert limit.take("li", 101.5) == 0.5
    assert limit.take("li", 102.0) == 0
    assert limit.take("li", 102.0) == 2.0


def test_people_do_not_slow_each_other_down() -> None:
    limit = RateLimit(burst=1, every_s=2.0)
    assert limit.take("li", 100.0) == 0
    assert limit.take("wang", 100.0) == 0


def test_it_forgets_the_oldest_rather_than_grow() -> None:
    limit = RateLimit(burst=1, every_s=1000.0)
    for number in range(limits.REMEMBERED + 10):
        limit.take(str(number), 1.0)
    assert len(limit._full_at) == limits.REMEMBERED


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60))
def test_never_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    limit = RateLimit(burst=3, every_s=2.0)
    at_s, granted = 0.0, []
    for pause in pauses:
        at_s += pause
        if limit.take("li", at_s) == 0:
            granted.append(at_s)
    for _, end in pairwise([0.0, *granted]):
        assert len([at for at in granted if end - 10 < at <= end]) <= 3 + 10 / 2


def test_waiting_as_long_as_told_is_enough() -> None:
    limit = RateLimit(burst=2, every_s=0.7)
    at_s = 5.0
    for _ in range(20):
        wait_s = limit.take("li", at_s)
        at_s += wait_s
        assert wait_s == 0 or limit.take("li", at_s) == 0
