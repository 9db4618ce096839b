"""Which picture a phone sends over a network that gets weaker and stronger: the rule, simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import streams
from tests.story.browser import chromium

pytestmark = pytest.mark.browser

UPLINK = (Path(streams.__file__).parent / "static/studio/uplink.js").read_text()
LOAD = """async (source) => {
  const blob = new Blob([source], {type: "text/javascript"});
  Object.assign(window, await import(URL.createObjectURL(blob)));
}"""
# A phone records at its quality's bits into a queue; `spells` of [seconds, kbit/s] empty it, of
# which 0 is a network that is gone without a word and null one whose connection is known to be
# lost. Answers are [second, quality] of each change and the longest wait in seconds.
FILM = """([spells, first]) => {
  const pace = new Pace(first), meter = new UplinkMeter(), changes = [];
  let nowMs = 0, queue = [], quality = first, longestMs = 0;
  for (const [seconds, kbit] of spells) {
    for (const end = nowMs + seconds * 1000; nowMs < end; nowMs += 100) {
      const { videoBits, audioBits } = QUALITIES[quality];
      queue.push({ at: nowMs, bits: (videoBits + audioBits) / 10 });
      for (let room = (kbit ?? 0) * 100; room > 0 && queue.length; ) {
        const sent = Math.min(room, queue[0].bits);
        room -= sent;
        queue[0].bits -= sent;
        if (sent > 0) meter.add(sent / 8, nowMs);
        if (queue[0].bits <= 0) queue.shift();
      }
      const waitingMs = queue.length ? nowMs - queue[0].at : 0;
      longestMs = Math.max(longestMs, waitingMs);
      const isConnected = kbit !== null;
      const bitsPerSecond = meter.bitsPerSecond(nowMs), silentMs = meter.silentMs(nowMs);
      const next = pace.look({ nowMs, isConnected, waitingMs, bitsPerSecond, silentMs });
      if (next !== quality) changes.push([Math.round(nowMs / 1000), next]);
      quality = next;
    }
  }
  return { changes, quality, longest_s: longestMs / 1000 };
}"""
FULL, REDUCED, SMALL, SOUND = range(4)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.evaluate(LOAD, UPLINK)
        yield page


def film(page: Page, *spells: tuple[float, float | None], first: int = FULL) -> Any:
    return page.evaluate(FILM, [[list(spell) for spell in spells], first])


def test_a_good_network_is_left_alone(page: Page) -> None:
    assert film(page, (600, 3000))["changes"] == []


def test_a_weak_network_gets_the_picture_that_it_carries_within_seconds(page: Page) -> None:
    filmed = film(page, (30, 3000), (60, 500))
    assert filmed["changes"][0][0] <= 40
    assert filmed["changes"][0][1] == SMALL
    assert filmed["longest_s"] < 12


def test_where_no_picture_gets_through_the_sound_does_and_the_picture_comes_back(
    page: Page,
) -> None:
    filmed = film(page, (20, 3000), (60, 70), (120, 3000))
    assert SOUND in [quality for _second, quality in filmed["changes"]]
    assert filmed["quality"] == FULL


def test_a_network_between_two_pictures_does_not_make_it_jump(page: Page) -> None:
    """The tries to go up get rarer: half of an hour must not be spent with changing."""
    filmed = film(page, (3600, 1000))
    seconds = [second for second, _quality in filmed["changes"]]
    assert len([one for one in seconds if one < 600]) <= 14
    assert len([one for one in seconds if one > 3000]) <= 8
    assert filmed["quality"] in (FULL, REDUCED)


@pytest.mark.parametrize("gone", [0, None], ids=["without a word", "closed"])
def test_a_network_that_was_away_and_is_back_gets_the_full_picture(
    page: Page, gone: float | None
) -> None:
    assert film(page, (20, 3000), (15, gone), (60, 1900))["changes"] == []


@pytest.mark.parametrize(
    ("bits", "quality"),
    [(5_000_000, FULL), (1_000_000, REDUCED), (400_000, SMALL), (60_000, SOUND), (0, SOUND)],
)
def test_a_trial_before_the_show_tells_what_to_begin_with(
    page: Page, bits: int, quality: int
) -> None:
    assert page.evaluate("(bits) => qualityFor(bits)", bits) == quality


def test_what_was_kept_in_an_outage_is_sent_before_viewers_see_the_host_again(page: Page) -> None:
    """Looks of each half second: what waits then in ms, and whether the host is told."""
    told = page.evaluate(
        """([kept, ...waits]) => {
          const catchUp = new CatchUp();
          catchUp.begin({ nowMs: 0, waitingMs: kept });
          return waits.map((waitingMs, n) => {
            catchUp.look({ nowMs: 500 * (n + 1), waitingMs });
            return catchUp.isOn;
          });
        }""",
        [29_000, 20_000, 9_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 0],
    )
    assert told == [True] * 7 + [False] * 2
    short = (
        "() => { const it = new CatchUp(); it.begin({nowMs: 0, waitingMs: 900}); return it.isOn }"
    )
    assert not page.evaluate(short)
