from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.clock import Filmed, MediaClock

NINE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


# The camera was on from 0 to 60 s, away for 40 s, and on again from 100 to 130 s.
TWO_TAKES = MediaClock.of([Filmed(at(0), 60.0), Filmed(at(100), 30.0)])


@pytest.mark.parametrize(
    ("wall_s", "media_s"),
    [
        (-0.001, None),
        (0, 0),
        (12.5, 12.5),
        (60, 60),
        (60.001, 60),
        (99, 60),
        (100, 60),
        (110.25, 70.25),
        (130, 90),
        (130.001, None),
    ],
)
def test_wall_time_has_its_place_in_the_recording(wall_s: float, media_s: float | None) -> None:
    assert TWO_TAKES.media_s(at(wall_s)) == media_s


@pytest.mark.parametrize(
    ("media_s", "wall_s"), [(-0.1, None), (0, 0), (59.5, 59.5), (60, 100), (90, 130), (90.1, None)]
)
def test_a_second_of_the_recording_was_filmed_at(media_s: float, wall_s: float | None) -> None:
    assert TWO_TAKES.wall(media_s) == (None if wall_s is None else at(wall_s))


def test_nothing_has_a_place_where_nothing_was_recorded() -> None:
    clock = MediaClock.of([])
    assert clock.duration_s == 0
    assert clock.media_s(NINE) is None
    assert clock.wall(0) is None


takes = st.lists(
    st.tuples(st.floats(0, 600), st.floats(0.1, 600)), min_size=1, max_size=6
)  # seconds away, seconds on


@given(takes, st.floats(0, 1))
def test_there_and_back_is_the_same_second(lengths: list[tuple[float, float]], part: float) -> None:
    spans, wall_s = [], 0.0
    for away_s, on_s in lengths:
        spans.append(Filmed(at(wall_s + away_s), on_s))
        wall_s += away_s + on_s
    clock = MediaClock.of(spans)
    media_s = clock.duration_s * part
    wall = clock.wall(media_s)
    assert wall is not None
    assert clock.media_s(wall) == pytest.approx(media_s, abs=1e-4)
