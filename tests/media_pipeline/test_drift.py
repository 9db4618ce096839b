"""Cameras whose clock runs fast or slow: where their long takes' moments are found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import time_machine

from media_pipeline.clock import STEADY, Drift, Filmed, MediaClock
from media_pipeline.ingest.chunks import ChunkFile
from media_pipeline.ingest.drift import DriftMeter
from media_pipeline.ingest.grouping import Piece
from media_pipeline.ingest.live_take import LiveTake
from media_pipeline.ingest.zero import MediaZero
from tests.media_pipeline.test_ingest_takes import Watched, nobody_hears

NINE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOURS_S = 3 * 3600.0
LINE_S = 0.03
"""What even the most prompt picture takes."""

Spell = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """What lies between a camera and us. Spells are (from second, for so many)."""

    jitter_s: float = 0.04
    stalls: tuple[Spell, ...] = ()
    queues: tuple[tuple[float, float, float], ...] = ()  # with how many seconds wait in it
    speed: float = 3.0  # what was kept in a stall comes so much faster than it was filmed


def arrivals(camera: float, line: Line) -> Iterator[tuple[float, float]]:
    """For each picture, its second by a camera that is off by `camera`, and when it came."""
    chance, free_s = random.Random(9), 0.0
    for number in range(int(HOURS_S * 2)):
        filmed_s = number / 2
        at_s = filmed_s + LINE_S + chance.expovariate(1 / line.jitter_s)
        at_s += sum(s for from_s, for_s, s in line.queues if from_s <= filmed_s < from_s + for_s)
        for from_s, for_s in line.stalls:
            at_s = max(at_s, from_s + for_s) if from_s <= at_s < from_s + for_s else at_s
        if at_s < free_s:
            at_s = free_s
        free_s = at_s + 0.5 / line.speed
        yield filmed_s * (1 + camera), at_s


def taken(camera: float, line: Line) -> MediaZero:
    zero = MediaZero()
    for media_s, at_s in arrivals(camera, line):
        at = NINE + timedelta(seconds=at_s)
        zero.note_chunk(at, timedelta(seconds=media_s))
        zero.note_part(at, media_s)
        zero.note_picture(at, media_s)
    return zero


def pin_errors_ms(camera: float, zero: MediaZero, drift: Drift) -> list[float]:
    """How far from its moment each of many pins is found, a hundred an hour."""
    started_at = zero.at(0.0)
    assert started_at is not None
    clock = MediaClock.of([Filmed(started_at, HOURS_S * (1 + camera), drift)])
    errors = []
    for pinned_s in range(30, int(HOURS_S) - 30, 36):
        found_s = clock.media_s(NINE + timedelta(seconds=pinned_s))
        assert found_s is not None
        errors.append(abs(found_s - pinned_s * (1 + camera)) * 1000)
    return errors


STALLS = tuple((600.0 * n + 100, 30.0) for n in range(18))
LINES = {
    "stalls": Line(stalls=STALLS),
    "a phone was away for three minutes": Line(stalls=((2000, 180), (7000, 180)), speed=1.5),
    "a queue of a second for half an hour": Line(queues=((3000, 1800, 1.0),)),
    "a queue that comes and goes": Line(
        queues=tuple((1000.0 * n, 500.0, 0.3) for n in range(1, 10))
    ),
    "slower for good": Line(queues=((3600, HOURS_S, 0.7),)),
}


@pytest.mark.parametrize("camera", [300e-6, -300e-6, 50e-6, 0.0])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_pin_is_found_at_its_moment_after_three_hours(line: Line, camera: float) -> None:
    zero = taken(camera, line)
    errors = pin_errors_ms(camera, zero, Drift.of(zero.drift(0.0).as_row()))
    assert max(errors) <= 60
    assert median(errors) <= 45


def test_without_points_the_pin_of_such_a_camera_is_seconds_off() -> None:
    zero = taken(300e-6, LINES["stalls"])
    assert max(pin_errors_ms(300e-6, zero, STEADY)) > 3000


@pytest.mark.parametrize("camera", [300e-6, -300e-6, 0.0])
def test_a_line_that_gets_a_little_slower_moves_pins_by_no_more_than_that(camera: float) -> None:
    """So small a step could be drift."""
    zero = taken(camera, Line(jitter_s=0.25, queues=((3000, 1800, 0.15), (7200, 1800, 0.2))))
    errors = pin_errors_ms(camera, zero, zero.drift(0.0))
    assert max(errors) <= 250
    assert median(errors) <= 50


def test_what_was_taken_for_drift_is_forgotten_when_the_line_is_better_again() -> None:
    zero = taken(0.0, Line(queues=((3000, 1800, 0.15),)))
    assert max(pin_errors_ms(0.0, zero, zero.drift(0.0))) <= 60


def test_a_camera_that_is_right_needs_no_more_than_two_points() -> None:
    assert len(taken(0.0, LINES["stalls"]).drift(0.0).points) == 2


def test_what_was_kept_tells_nothing_of_the_camera_however_long_it_is() -> None:
    meter = DriftMeter()
    for second in range(900):
        late_s = 0.2 if second < 120 or second > 540 else 600.0 - second
        meter.note(float(second), late_s)
    assert meter.now_s == 0.0


def test_a_take_that_goes_on_with_what_was_kept_is_not_early_ever_after() -> None:
    meter = DriftMeter()
    for second in range(900):
        meter.note(float(second), 5.0 if second < 60 else 0.2)
    assert meter.now_s == 0.0


def test_the_clock_never_goes_backwards_however_promptly_pictures_come_of_a_sudden() -> None:
    meter = DriftMeter()
    for second in range(600):
        meter.note(float(second), 1.9 if second < 299 else -400.0)
    clock = MediaClock.of([Filmed(NINE, 600.0, meter.drift)])
    walls = [clock.wall(float(second)) for second in range(600)]
    assert walls == sorted(walls, key=lambda wall: wall or NINE)


def test_a_take_goes_on_by_the_same_clock_in_another_process(tmp_path: Path) -> None:
    """Its camera is slow: each minute of film takes 18 ms longer, in both processes."""
    first = take_in(tmp_path, 0, 900)
    second = take_in(tmp_path, 900, 1800, first)
    assert first.started_at is not None
    whole = Filmed(first.started_at, 1800.0, second.drift)
    for media_s in (120.0, 600.0, 900.0, 1300.0, 1700.0):
        filmed_at = NINE + timedelta(seconds=media_s * 1.0003)
        assert abs(whole.wall(media_s) - filmed_at) < timedelta(seconds=0.03)
    told_late = second.zero_at - first.started_at  # to viewers
    assert abs(told_late.total_seconds() - whole.drift.at(1800.0)) < 0.001


def take_in(tmp_path: Path, from_s: int, to_s: int, earlier: LiveTake | None = None) -> LiveTake:
    """A process that receives these seconds of a take; what an earlier one knew is in its row."""
    folder = tmp_path / f"from {from_s}"
    folder.mkdir()
    chunks = ChunkFile(folder / "chunks")
    known = earlier.started_at if earlier else None
    drift = Drift.of(earlier.drift.as_row()) if earlier else STEADY
    shown = Watched()
    take = LiveTake(folder, chunks, nobody_hears, picture=shown, started_at=known, drift=drift)
    with time_machine.travel(NINE, tick=False) as clock, chunks:
        take._zero.note_chunk(NINE, timedelta(0))
        for second in range(from_s, to_s):
            clock.move_to(NINE + timedelta(seconds=second * 1.0003 + 0.1))
            take.show(Piece(b"", float(second), 0.1, is_key=True, last_s=float(second)))
    return take
