"""The player's own account of what was played, in the browser that runs it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import courses
from courses.intervals import merge, missing
from tests.story.browser import chromium

pytestmark = pytest.mark.browser

SOURCE = (Path(courses.__file__).parent / "static/courses/watched.js").read_text()
LOAD = """async (source) => {
  const blob = new Blob([source], {type: "text/javascript"});
  window.watched = await import(URL.createObjectURL(blob));
}"""
# Each step is [method, milliseconds since the last step, ...arguments].
PLAY = """(steps) => {
  let now = 0;
  const tracker = new watched.PlayedTracker(() => now, () => false);
  const taken = [];
  const pairs = (played) => watched.merge(played.map((one) => [one.start_s, one.end_s]));
  for (const [method, wait, ...rest] of steps) {
    now += wait;
    if (method === "rate") tracker.how(false, rest[0]);
    else if (method === "take") taken.push(pairs(tracker.take()));
    else tracker[method](...rest);
  }
  return [...taken, pairs(tracker.take())];
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.evaluate(LOAD, SOURCE)
        yield page


def played(page: Page, *steps: list[Any]) -> list[Any]:
    result: list[Any] = page.evaluate(PLAY, list(steps))
    return result


def stretch(dice: random.Random) -> list[float]:
    return sorted(round(dice.uniform(0, 60), 2) for _ in range(2))


def test_merging_agrees_with_the_server(page: Page) -> None:
    dice = random.Random(7)
    sets = [[stretch(dice) for _ in range(dice.randint(0, 9))] for _ in range(300)]
    answers = page.evaluate("(sets) => sets.map((one) => watched.merge(one))", sets)
    assert answers == [[list(edges) for edges in merge(one)] for one in sets]


def test_what_is_missing_agrees_with_the_server(page: Page) -> None:
    one = [[0.5, 3], [7, 20]]
    gaps = page.evaluate("(one) => watched.missing(one, 20)", one)
    assert gaps == [list(gap) for gap in missing(one, 20)]


def test_playing_is_counted(page: Page) -> None:
    steps = [["start", 0, 2.0], ["sample", 250, 2.25], ["sample", 250, 2.5], ["stop", 100, 2.6]]
    assert played(page, *steps) == [[[2, 2.6]]]


def test_a_jump_is_not_counted_even_if_the_player_does_not_announce_it(page: Page) -> None:
    steps = [["start", 0, 0], ["sample", 1000, 1], ["sample", 250, 30], ["stop", 1000, 31]]
    assert played(page, *steps) == [[[0, 1], [30, 31]]]


def test_an_announced_jump_ends_the_stretch_where_it_was_last_seen(page: Page) -> None:
    steps = [["start", 0, 0], ["sample", 1000, 1], ["stop", 100], ["start", 100, 9]]
    assert played(page, *steps, ["stop", 1000, 10]) == [[[0, 1], [9, 10]]]


def test_going_back_is_not_playing_backwards(page: Page) -> None:
    steps = [["start", 0, 10], ["sample", 1000, 11], ["sample", 200, 4], ["stop", 500, 4.5]]
    assert played(page, *steps) == [[[4, 4.5], [10, 11]]]


def test_faster_play_covers_more(page: Page) -> None:
    steps = [["rate", 0, 1.5], ["start", 0, 0], ["sample", 2000, 3], ["stop", 0]]
    assert played(page, *steps) == [[[0, 3]]]


def test_a_stalled_player_covers_nothing(page: Page) -> None:
    assert played(page, ["start", 0, 5], ["sample", 9000, 5], ["stop", 0]) == [[]]


def test_a_stretch_that_is_told_goes_on(page: Page) -> None:
    steps = [["start", 0, 0], ["sample", 1000, 1], ["take", 0], ["sample", 1000, 2]]
    assert played(page, *steps) == [[[0, 1]], [[1, 2]]]


def test_how_it_was_played_is_told_by_the_stretch(page: Page) -> None:
    told = page.evaluate(
        """() => {
          let now = 0, hidden = false;
          const tracker = new watched.PlayedTracker(() => now, () => hidden);
          tracker.start(0);
          now = 1000, tracker.sample(1);
          tracker.how(true);
          now = 2000, tracker.sample(2);
          hidden = true, tracker.how(true);
          now = 3000, tracker.sample(3);
          const counted = watched.merge(tracker.played);
          return [counted, ...tracker.take().map((one) => [one.start_s, one.muted, one.hidden])];
        }"""
    )
    assert told == [[[0, 2]], [0, False, False], [1, True, False], [2, True, True]]
