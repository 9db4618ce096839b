"""What viewers of a live picture are given, and what they are spared."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.realtime.sockets import AsgiSocket
from media_pipeline.live import audience, frames
from media_pipeline.live.audience import Viewer, leave
from media_pipeline.live.feed import Feed, Feeds
from media_pipeline.live.pace import Pace
from media_pipeline.live.parts import Part
from tests.realtime import until


class Wire:
    """The server's side of a socket, which can be blocked as a slow network blocks it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.parts: list[bytes] = []
        self.said: list[str] = []
        self.walls_ms: list[float] = []
        self.drifts: list[float] = []
        """In ms, as told with a take and whenever it is another."""
        self.socket = AsgiSocket(self.send)
        self.socket.release()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        if "bytes" in message:
            self.parts.append(message["bytes"][9:])
            if message["bytes"][0] != frames.INIT:
                self.walls_ms.append(frames.HEAD.unpack(message["bytes"][:9])[1])
        else:
            frame = json.loads(message["text"])
            self.said += frame
            self.drifts += [frame["take"]["drift_ms"]] if "take" in frame else []
            self.drifts += [frame["drift"]["ms"]] if "drift" in frame else []


def film(seconds: float, *, size: int = 0, first: int = 0, key_every: int = 10) -> list[Part]:
    """Parts of 100 ms, with a key frame each second."""
    numbers = range(first, first + round(seconds * 10))
    return [
        Part(b"%04d" % n + bytes(size), round(n * 0.1, 3), 0.1, n % key_every == 0) for n in numbers
    ]


def begin(feed: Feed, ago_s: float = 0.0) -> None:
    feed.begin(uuid.uuid4(), b"init", "video/mp4", datetime.now(UTC) - timedelta(seconds=ago_s))


def push(feed: Feed, parts: list[Part]) -> None:
    for part in parts:
        feed.push(part)


def numbers(wire: Wire) -> list[int]:
    return [int(part[:4]) for part in wire.parts if part != b"init"]


async def test_a_newcomer_is_given_no_more_than_a_bound_and_then_waits_for_a_key_frame() -> None:
    feed, wire = Feeds().feed(uuid.uuid4()), Wire()
    begin(feed)
    push(feed, film(3, size=audience.GROUP_AT_MOST // 20, key_every=1000))
    viewer = Viewer(wire.socket)
    feed.join(viewer)
    push(feed, film(0.5, first=35))
    push(feed, film(0.2, first=40))
    await until(lambda: len(numbers(wire)) == 2)
    assert numbers(wire) == [40, 41]
    leave(viewer)


async def test_a_newcomer_is_not_shown_a_picture_that_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its old parts the player would leave HLS for a picture that does not move."""
    monkeypatch.setattr(audience, "GROUP_FRESH_S", 0.0)
    feed, wire = Feeds().feed(uuid.uuid4()), Wire()
    begin(feed)
    push(feed, film(1.5))
    viewer = Viewer(wire.socket)
    feed.join(viewer)
    push(feed, film(1, first=15))
    await until(lambda: len(numbers(wire)) == 5)
    assert numbers(wire)[0] == 20
    leave(viewer)


async def test_a_slow_viewer_goes_on_at_a_key_frame_and_nobody_else_notices() -> None:
    feed, slow, fine = Feeds().feed(uuid.uuid4()), Wire(), Wire()
    begin(feed)
    for wire in (slow, fine):
        feed.join(Viewer(wire.socket))
    slow.open.clear()
    most = 0
    for part in film(10, size=20_000):
        feed.push(part)
        await asyncio.sleep(0)
        most = max(most, slow.socket.owes())
    assert most <= audience.BEHIND_AT_MOST_S * 10 * 20_020 + audience.WAITING_BESIDES
    slow.open.set()
    await until(lambda: slow.socket.owes() == 0)
    push(feed, film(1.5, first=105, size=20_000))
    await until(lambda: numbers(slow)[-1] == 119)
    stalled = numbers(slow)
    assert stalled[:10] == list(range(10))
    assert stalled[-10:] == list(range(110, 120))  # from the key frame on, and not before
    await until(lambda: len(numbers(fine)) == 115)


async def test_what_was_kept_while_the_network_was_away_is_not_shown() -> None:
    """12 s of a take are pushed at once: the phone was away for ten. What follows is live."""
    feed, wire = Feeds().feed(uuid.uuid4()), Wire()
    begin(feed, ago_s=12)
    feed.join(Viewer(wire.socket))
    push(feed, film(12.5))
    await until(lambda: wire.parts)
    assert wire.said.count("late") == 1  # not with each part of it
    await until(lambda: numbers(wire)[-1:] == [124])
    assert numbers(wire)[0] >= 100
    assert numbers(wire)[0] % 10 == 0


async def test_viewers_learn_what_the_cameras_clock_is_off_and_their_picture_stays() -> None:
    feeds, show_id, take_id = Feeds(), uuid.uuid4(), uuid.uuid4()
    source, low, wire, late = feeds.feed(show_id), feeds.feed(show_id, "low"), Wire(), Wire()
    began_at = datetime.now(UTC)
    source.begin(take_id, b"init", "video/mp4", began_at)
    source.join(Viewer(wire.socket))
    push(source, film(0.3))
    source.drifted(540.0)
    source.drifted(540.0)
    push(source, film(0.3, first=3))
    low.begin(take_id, b"init", "video/mp4", began_at)  # its encoder was slower
    low.join(Viewer(late.socket))
    await until(lambda: len(numbers(wire)) == 6 and late.drifts)
    assert wire.drifts == [0.0, 540.0]
    assert wire.said.count("take") == 1
    assert late.drifts == [540.0]
    source.drifted(-5_000.0)  # no reason to hold the picture back
    await until(lambda: wire.drifts[-1] == late.drifts[-1] == -5_000.0)
    push(source, film(0.3, first=6))
    await until(lambda: len(numbers(wire)) == 9)
    assert wire.walls_ms[5] - wire.walls_ms[0] == pytest.approx(500 + 540, abs=1)
    source.begin(uuid.uuid4(), b"init", "video/mp4", datetime.now(UTC))
    await until(lambda: wire.drifts[-1] == 0.0)


async def test_feeds_forget_a_show_that_nobody_films_or_watches() -> None:
    feeds, wire = Feeds(), Wire()
    show_id = uuid.uuid4()
    begin(feeds.feed(show_id))
    assert feeds.renditions(show_id) == ["source"]
    viewer = Viewer(wire.socket)
    feeds.feed(show_id).join(viewer)
    feeds.feed(show_id).end()
    assert feeds.renditions(show_id) == []
    leave(viewer)
    await until(lambda: not list(feeds))


# How late is old


def held(lags: list[float], every_s: float = 0.1) -> list[bool]:
    pace = Pace()
    return [pace.is_backlog(lag_s, number * every_s) for number, lag_s in enumerate(lags)]


def test_a_stall_of_the_network_is_live_and_so_is_a_line_that_gets_slower() -> None:
    assert not any(held([0.3] * 20 + [1.2, 1.1, 1.0, 0.9] + [0.3] * 20))
    assert not any(held([0.3 + 0.04 * number for number in range(200)]))


def test_an_outage_is_held_back_until_it_has_been_caught_up() -> None:
    lags = [0.3] * 20 + [10 - 0.09 * number for number in range(108)] + [0.3] * 5
    found = held(lags, every_s=0.01)
    assert found.index(True) == 20
    assert not any(found[:20])
    assert not any(found[-5:])
    assert all(found[20:110])


def test_what_stays_late_is_as_live_as_it_gets() -> None:
    found = held([0.3] * 20 + [5.0] * 30)
    assert found[20:30] == [True] * 10
    assert not any(found[32:])
