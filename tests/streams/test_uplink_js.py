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

STUDIO = Path(streams.__file__).parent / "static/studio"
UPLINK, ROOM = (STUDIO / "uplink.js").read_text(), (STUDIO / "room.js").read_text()
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
        page.evaluate(LOAD, ROOM)
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


# A line that carries `kbit` to the server, first in first out, `tripMs` each way. Now is filmed at
# a quality's bits in chunks of 100 ms; `keptBytes` of an earlier take go beside it. Answers are
# when they were all there, and how long a chunk of now was on its way at most, in seconds.
SHARE = """([kbit, tripMs, quality, keptBytes, seconds]) => {
  const meter = new UplinkMeter(), window = new SendWindow(meter), line = [], coming = [];
  const { videoBits, audioBits } = QUALITIES[quality], now = [], kept = [];
  let nowMs = 0, nowOnItsWay = 0, keptOnItsWay = 0, longestMs = 0, keptAt = null;
  const waits = () => now.length ? nowMs - now[0].filmedMs : 0;
  const beside = new Beside(() => waits() <= window.roundTripMs + 350);
  const piece = (bytes, list) => list.push({ bytes, left: bytes, filmedMs: nowMs, isSent: false });
  for (let left = keptBytes; left > 0; left -= PIECE_BYTES)
    piece(Math.min(left, PIECE_BYTES), kept);
  const put = (list, room, onItsWay) => {
    for (const one of list.filter((each) => !each.isSent)) {
      if (!room.hasRoom(onItsWay, nowMs)) return onItsWay;
      Object.assign(one, { isSent: true, sentMs: nowMs, list, room });
      line.push(one);
      onItsWay += one.bytes;
    }
    return onItsWay;
  };
  for (; nowMs < seconds * 1000; nowMs += 10) {
    if (nowMs % 100 === 0) piece((videoBits + audioBits) / 80, now);
    nowOnItsWay = put(now, window, nowOnItsWay);
    keptOnItsWay = put(kept, beside, keptOnItsWay);
    for (let room = (kbit * 10) / 8; room > 0 && line.length; ) {
      const carried = Math.min(room, line[0].left);
      room -= carried;
      line[0].left -= carried;
      if (line[0].left <= 0) coming.push({ one: line.shift(), atMs: nowMs + 2 * tripMs });
    }
    while (coming.length && coming[0].atMs <= nowMs) {
      const { one } = coming.shift();
      one.list.shift();
      if (one.list === now) nowOnItsWay -= one.bytes;
      else keptOnItsWay -= one.bytes;
      one.room.acked(one.bytes, nowMs - one.sentMs, nowMs);
      meter.add(one.bytes, nowMs);
      if (one.list === now) longestMs = Math.max(longestMs, nowMs - one.filmedMs);
      if (!kept.length) keptAt ??= nowMs / 1000;
    }
  }
  return { kept_s: keptAt, longest_s: longestMs / 1000 };
}"""


@pytest.mark.parametrize(
    ("kbit", "trip_ms", "quality", "kept_bytes", "within_s"),
    [
        (70, 50, SOUND, 60_000, 35),
        (70, 200, SOUND, 60_000, 60),
        (500, 50, SMALL, 1_500_000, 90),
        (3000, 30, FULL, 4_500_000, 40),
        (3000, 200, FULL, 4_500_000, 60),
    ],
)
def test_what_was_kept_gets_the_room_that_the_picture_of_now_leaves(
    page: Page, kbit: int, trip_ms: int, quality: int, kept_bytes: int, within_s: float
) -> None:
    shared = page.evaluate(SHARE, [kbit, trip_ms, quality, kept_bytes, within_s + 5])
    assert shared["kept_s"] is not None
    assert shared["kept_s"] < within_s
    assert shared["longest_s"] < 1.6


# Looks of each quarter second at what waits: [ms, bytes, bits a second that were acknowledged].
BEHIND = """([isConnected, silentMs, ...waits]) => {
  const newest = new NewestFirst(), bits = 1_300_000;
  return waits.map(([waitingMs, waitingBytes, bitsPerSecond], n) => newest.look(
    { nowMs: n * 250, isConnected, waitingMs, waitingBytes, bitsPerSecond, silentMs, bits }));
}"""
MUCH, LITTLE = [30_000, 4_800_000, 2_000_000], [1_200, 190_000, 2_000_000]
FAST = [30_000, 4_800_000, 40_000_000]


@pytest.mark.parametrize(
    ("looks", "begins_anew"),
    [
        ([True, 100, *[MUCH] * 8], 1),
        ([True, 100, *[MUCH] * 40], 2),  # it does not help: not all the time
        ([True, 100, *[LITTLE] * 8], 0),
        ([True, 100, *[FAST] * 8], 0),  # all of it is there in a second
        ([True, 3_000, *[MUCH] * 8], 0),  # nothing gets through, neither old nor new
        ([False, 100, *[MUCH] * 8], 0),
    ],
)
def test_the_recorder_begins_anew_where_viewers_would_wait_for_what_was_kept(
    page: Page, looks: list[Any], begins_anew: int
) -> None:
    assert sum(page.evaluate(BEHIND, looks)) == begins_anew


def test_a_better_picture_waits_until_what_was_kept_has_been_sent(page: Page) -> None:
    looked = """([isSending, bitsPerSecond]) => {
      const pace = new Pace(1);
      const look = { isConnected: true, waitingMs: 0, silentMs: 0, bitsPerSecond, isSending };
      for (let nowMs = 0; nowMs < 30_000; nowMs += 250) pace.look({ nowMs, ...look });
      return pace.quality;
    }"""
    assert page.evaluate(looked, [True, 1_500_000]) == REDUCED
    assert page.evaluate(looked, [True, 2_500_000]) == FULL
    assert page.evaluate(looked, [False, 1_500_000]) == FULL


def test_a_recorder_that_begins_anew_records_what_the_line_carries(page: Page) -> None:
    begun = "(bitsPerSecond) => new Pace(0).restart({ nowMs: 0, bitsPerSecond })"
    assert page.evaluate(begun, 300_000) == SOUND
    assert page.evaluate(begun, 900_000) == FULL
