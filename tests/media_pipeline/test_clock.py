from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.clock import STEADY, Drift, Filmed, MediaClock

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


@st.composite
def drifts(draw: st.DrawFn) -> Drift:
    """Points as the meter makes them: wall time goes on between any two, at half its pace even."""
    points = [(draw(st.floats(0, 90)), draw(st.floats(0, 2)))]
    for after_s, grows in draw(
        st.lists(st.tuples(st.floats(0.1, 90), st.floats(-0.5, 0.5)), max_size=8)
    ):
        at_s, late_s = points[-1]
        points.append((at_s + after_s, late_s + grows * after_s))
    return Drift(tuple(points))


@st.composite
def recordings(draw: st.DrawFn) -> list[Filmed]:
    """Takes with their camera away between them, for some seconds or for less than a tick."""
    takes: list[Filmed] = []
    wall = NINE
    for _ in range(draw(st.integers(1, 4))):
        wall += timedelta(seconds=draw(st.floats(0, 600)))
        drift = draw(st.one_of(st.just(STEADY), drifts()))
        takes.append(Filmed(wall, draw(st.floats(0.1, 600)), drift))
        wall = takes[-1].wall(takes[-1].duration_s)
    return takes


@given(recordings(), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_there_and_back_is_the_same_second_and_nothing_goes_backwards(
    takes: list[Filmed], parts: list[float]
) -> None:
    clock = MediaClock.of(takes)
    there = [clock.duration_s * part for part in sorted(parts)]
    walls = [wall for media_s in there if (wall := clock.wall(media_s))]
    assert walls == sorted(walls)
    back = [media_s for wall in walls if (media_s := clock.media_s(wall)) is not None]
    assert back == pytest.approx(there, abs=1e-3)
    between = [walls[0] + (walls[-1] - walls[0]) * part for part in sorted(parts)]
    found = [media_s for wall in between if (media_s := clock.media_s(wall)) is not None]
    assert len(found) == len(between)  # inside the recording every moment has its place
    assert found == sorted(found)


@given(st.floats(1, 600), drifts(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_take_that_is_cut_in_two_keeps_its_moments(
    duration_s: float, drift: Drift, one: float, other: float, part: float
) -> None:
    whole = Filmed(at(0), duration_s, drift)
    first_s, after_s = sorted((one * duration_s, other * duration_s))
    rest = Filmed(whole.wall(after_s), duration_s - after_s, drift.behind(after_s))
    clock = MediaClock.of([Filmed(at(0), first_s, drift), rest])
    media_s = part * clock.duration_s
    was_s = media_s if media_s < first_s else media_s - first_s + after_s
    found, filmed = clock.wall(media_s), whole.wall(was_s)
    assert found is not None
    assert abs(found - filmed) < timedelta(milliseconds=1)


@given(drifts(), st.floats(0, 900))
def test_a_drift_is_stored_in_whole_milliseconds(drift: Drift, media_s: float) -> None:
    assert Drift.of(drift.as_row()).at(media_s) == pytest.approx(drift.at(media_s), abs=0.003)


def test_a_take_of_before_has_one_pace() -> None:
    filmed = Filmed(at(0), 3600.0, Drift.of([]))
    assert [filmed.wall(second) for second in (0.0, 1800.5, 3600.0)] == [
        at(0),
        at(1800.5),
        at(3600),
    ]
    assert len(MediaClock.of([filmed]).spans) == 1
