"""A show that is filmed while the line is cut, the encoder killed and the server killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from core.realtime.db import run_in_db
from media_pipeline.models import Recording, Take
from orders.models import Offer
from streams.broadcast import Summary
from streams.models import Show
from streams.services import ingest_keys
from tests.chaos.live_camera import WatchedCamera, send
from tests.chaos.live_end import end_and_wait, replay_of
from tests.chaos.live_film import Shape
from tests.chaos.live_truth import Pin
from tests.chaos.proxy import FaultProxy
from tests.chaos.stage import low_port
from tests.server import Served, serving
from tests.story.people import Person

WITHIN_S = 60.0
LOOK_EVERY_S = 0.02
ENCODER_MARK = "-itsoffset"
"""Of a take's encoder alone: those that make smaller pictures have no such argument."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens `at_s` seconds after the camera's first chunk was acknowledged.

    `pin`, `cut` (reset all connections, and any new one for `for_s` seconds), `kill_encoder` or
    `kill_server` (and start it again).
    """

    at_s: float
    what: str
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """A film and what happens while it is sent."""

    film_s: float
    acts: tuple[Act, ...]
    shape: Shape


FULL = Script(
    60.0,
    (
        Act(4, "pin"),
        Act(7, "cut"),
        Act(12, "pin"),
        Act(15, "cut", 1.0),
        Act(19, "kill_encoder"),
        Act(23, "pin"),
        Act(26, "cut", 3.0),
        Act(27, "pin"),
        Act(33, "kill_server"),
        Act(42, "pin"),
        Act(45, "cut"),
        Act(48, "kill_encoder"),
        Act(51, "cut", 2.0),
        Act(56, "pin"),
    ),
    Shape(640, 360),
)
SHORT = Script(
    16.0,
    (
        Act(1.5, "pin"),
        Act(2.5, "cut"),
        Act(4.0, "kill_encoder"),
        Act(5.5, "cut", 0.7),
        Act(7.0, "pin"),
        Act(8.0, "kill_server"),
        Act(12.5, "pin"),
    ),
    Shape(320, 180),
)


@dataclass
class Played:
    """What there is to be judged when the show is over."""

    playlist: str
    playlist_url: str
    takes: int
    recordings: int
    replay_ready_s: float
    summary: Summary
    cameras: list[WatchedCamera]
    pins: list[Pin]
    cuts: list[tuple[float, float]]
    done: list[dict[str, Any]]


@dataclass
class Stage:
    """The server, the line to it, and the host, who pins from another line."""

    served: Served
    proxy: FaultProxy
    zhang: Person
    offers: list[str]
    show_id: uuid.UUID
    key: str
    pinned_at: list[tuple[float, float]] = field(default_factory=list)
    cuts: list[tuple[float, float]] = field(default_factory=list)
    done: list[dict[str, Any]] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        answer = self.zhang.get(url)
        assert answer.is_success, f"{url}: {answer.status_code}"
        return answer.content

    async def act(self, act: Act) -> None:
        began = time.time()
        await getattr(self, act.what)(act)
        ended = time.time()
        if act.what != "pin":
            self.cuts.append((began, ended))
        self.done.append({"what": act.what, "at": began, "took_s": round(ended - began, 2)})

    async def pin(self, act: Act) -> None:
        offer = self.offers[len(self.pinned_at) % len(self.offers)]
        async with self.zhang.room(str(self.show_id)) as room:
            began = time.time()
            await room.command("product.pin", offer_id=offer)
            self.pinned_at.append((began, time.time()))

    async def cut(self, act: Act) -> None:
        await until(lambda: self.proxy.links, "a connection to be cut")
        self.proxy.refuse()
        self.proxy.cut()
        await asyncio.sleep(act.for_s)
        self.proxy.let_pass()

    async def kill_encoder(self, act: Act) -> None:
        await until(lambda: encoders(self.served.process.pid), "an encoder to be killed")
        for pid in encoders(self.served.process.pid):
            os.kill(pid, signal.SIGKILL)

    async def kill_server(self, act: Act) -> None:
        self.served.kill()
        await asyncio.to_thread(self.served.start)


def encoders(server: int) -> list[int]:
    """The processes that encode a take for this server."""
    threads = Path(f"/proc/{server}/task").iterdir()
    children = (pid for one in threads for pid in (one / "children").read_text().split())
    return [int(pid) for pid in children if ENCODER_MARK in _command(pid)]


def _command(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except FileNotFoundError:  # it has ended meanwhile
        return []


async def play(stage: Stage, film: Path, script: Script) -> Played:
    """Film the show, break what the script says, end it, and fetch the replay's playlist."""
    way = f"http://127.0.0.1:{stage.proxy.port}"
    sending = asyncio.create_task(send(film, show_id=stage.show_id, key=stage.key, url=way))
    try:
        await _go_through(stage, script, sending)
        summary = await asyncio.wait_for(sending, WITHIN_S + script.film_s)
    finally:
        sending.cancel()
    ready_s = await asyncio.to_thread(end_and_wait, stage.zhang, stage.show_id)
    url, playlist = await asyncio.to_thread(replay_of, stage.zhang, stage.show_id)
    return Played(
        playlist=playlist,
        playlist_url=url,
        takes=await run_in_db(Take.objects.count),
        recordings=await run_in_db(Recording.objects.count),
        replay_ready_s=ready_s,
        summary=summary,
        cameras=list(WatchedCamera.all),
        pins=await asyncio.to_thread(pins_told, stage),
        cuts=stage.cuts,
        done=stage.done,
    )


async def _go_through(stage: Stage, script: Script, sending: asyncio.Task[Summary]) -> None:
    """One act after the other, each at its time or as soon after it as the one before is over."""
    await until(
        lambda: sending.done() or any(one.acknowledged for one in WatchedCamera.all),
        "the first chunk to be acknowledged",
    )
    began = time.monotonic()
    for act in script.acts:
        await asyncio.sleep(max(0.0, began + act.at_s - time.monotonic()))
        if sending.done():
            break
        await stage.act(act)


@asynccontextmanager
async def on_stage(data: Path) -> AsyncIterator[Stage]:
    """The tests' world on a server of its own."""
    with serving(data, server="uvicorn", port=low_port()) as served:
        proxy = FaultProxy(("127.0.0.1", int(served.address.rpartition(":")[2])))
        await proxy.start()
        try:
            zhang = await asyncio.to_thread(Person, served.url, "zhang")
            show_id, key, offers = await run_in_db(_show)
            with contextlib.closing(zhang):
                yield Stage(served, proxy, zhang, offers, show_id, key)
        finally:
            await proxy.stop()


def _show() -> tuple[uuid.UUID, str, list[str]]:
    show = Show.objects.get()
    offers = Offer.objects.filter(show_id=show.public_id).order_by("position")
    return show.public_id, ingest_keys.issue(show), [str(one.public_id) for one in offers]


def pins_told(stage: Stage) -> list[Pin]:
    """Every pin, with its second by the replay's log and by its chapters."""
    entries = stage.zhang.do("GET", f"shows/{stage.show_id}/replay")
    logged = [one for one in entries if one["type"] == "product.pinned"]
    chapters = stage.zhang.get(f"/api/v1/shows/{stage.show_id}/chapters.vtt").text
    starts = [_seconds(found) for found in re.findall(r"([\d:.]+) -->", chapters)]
    assert len(logged) == len(stage.pinned_at), "a pin is not in the replay's log"
    found = []
    for place, (one, (began, ended)) in enumerate(zip(logged, stage.pinned_at, strict=True)):
        wall = datetime.fromisoformat(one["at"]).timestamp()
        assert began - 0.002 <= wall <= ended + 0.002, "a pin has another time than its own"
        chapter_s = starts[place] if place < len(starts) else None
        found.append(Pin(wall, (one["media_s"], chapter_s)))
    return found


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


async def until(condition: Callable[[], object], what: str) -> None:
    give_up_at = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_at, f"waited {WITHIN_S:g} s in vain for {what}"
        await asyncio.sleep(LOOK_EVERY_S)
