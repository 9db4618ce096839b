"""How often a room is told, on cores with more and less to do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.realtime.beat import (
    CORE_SHARE,
    LEAST_SHARE,
    SLOWEST_RUSHED_TICK_S,
    SLOWEST_TICK_S,
    TICK_S,
    Beat,
    Used,
    core_used,
)

COHORTS = 20


@dataclass
class Core:
    """One core: what else the process does there, and what others do, in parts of it."""

    rest: float = 0.0
    others: float = 0.0
    at_s: float = 0.0
    process_s: float = 0.0
    waited_s: float = 0.0

    def used(self) -> Used:
        return self.process_s, self.process_s + self.waited_s

    def tell(self, beat: Beat, cost_s: float, *, for_s: float = 30.0) -> float:
        """Tell a room for so long, all of it costing `cost_s`; how long the last ticks were."""
        ends_s, each_s, tick_s = self.at_s + for_s, cost_s / COHORTS, TICK_S
        while self.at_s < ends_s:
            began_s = self.at_s
            self.process_s += each_s
            self._go_on(began_s + each_s)
            tick_s = beat.told(began_s, self.at_s, COHORTS)
            self._go_on(max(self.at_s, began_s + tick_s / COHORTS))
        return tick_s

    def _go_on(self, until_s: float) -> None:
        self.process_s += self.rest * (until_s - self.at_s)
        self.waited_s += self.others * (until_s - self.at_s)
        self.at_s = until_s


def told_on(core: Core, cost_s: float) -> float:
    return core.tell(Beat(0.0, used=core.used), cost_s)


@pytest.mark.parametrize("cost_s", [0.0, 0.003, 0.04])
def test_with_room_on_the_core_the_tick_is_the_fastest(cost_s: float) -> None:
    assert told_on(Core(), cost_s) == TICK_S


@pytest.mark.parametrize("rest", [0.2, 0.3, 0.4])
def test_it_takes_what_is_left_of_the_core(rest: float) -> None:
    assert told_on(Core(rest), 0.045) == pytest.approx(0.045 / (CORE_SHARE - rest), rel=0.02)


def test_others_on_the_same_core_count_too() -> None:
    alone, beside = told_on(Core(0.4), 0.045), told_on(Core(0.3, others=0.1), 0.045)
    assert beside == pytest.approx(alone, rel=0.02)


@pytest.mark.parametrize("rest", [0.7, 0.9, 2.0])
def test_on_a_busy_core_it_keeps_its_least(rest: float) -> None:
    assert told_on(Core(rest), 0.04) == pytest.approx(0.04 / LEAST_SHARE, rel=0.02)


@pytest.mark.parametrize("cost_s", [0.1, 3.0])
def test_it_is_never_slower_than_the_slowest(cost_s: float) -> None:
    assert told_on(Core(0.7), cost_s) == SLOWEST_TICK_S


def test_time_that_nobody_seems_to_use_is_not_taken() -> None:
    beat = Beat(0.0, used=lambda: (0.0, 0.0))
    Core().tell(beat, 0.2)
    assert beat.share <= CORE_SHARE


def test_it_follows_what_changes_within_seconds() -> None:
    core = Core(0.3)
    beat = Beat(0.0, used=core.used)
    calm = core.tell(beat, 0.045, for_s=5)
    core.rest = 0.6
    busy = core.tell(beat, 0.045, for_s=3)
    assert calm < 0.09
    assert busy > 1.5 * calm


def test_two_big_rooms_settle_side_by_side() -> None:
    core = Core(0.2)
    beats = [Beat(0.0, used=core.used) for _ in range(2)]
    ticks = [[core.tell(beat, 0.03, for_s=0.1) for beat in beats] for _ in range(200)]
    assert ticks[-1] == pytest.approx(ticks[-2], rel=0.05)


def test_while_people_rush_in_it_has_a_fifth() -> None:
    def first(cost_s: float) -> float:
        beat = Beat(0.0, used=lambda: (0.0, 0.0))
        for _ in range(100):
            tick_s = beat.told(0.0, cost_s, 1, is_rushed=True)
        return round(tick_s, 3)

    assert [first(cost_s) for cost_s in (0.001, 0.1, 3.0)] == [TICK_S, 0.5, SLOWEST_RUSHED_TICK_S]


def test_what_is_used_grows_with_work() -> None:
    before = core_used()
    sum(range(300_000))
    assert all(new > old for new, old in zip(core_used(), before, strict=True))
