"""What is made beside a live picture, by real encoders; how much room there is, is made up."""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from media_pipeline.ingest.boxes import Init
from media_pipeline.live.feed import Feeds
from media_pipeline.live.low import Renditions, Shop, ShowRenditions, State
from media_pipeline.live.low_judge import Judge, Limits, Load, Verdict
from media_pipeline.live.low_rendition import LowRendition
from media_pipeline.live.low_shelf import Shelf
from media_pipeline.live.parts import Part
from media_pipeline.playlists import parse_segments
from media_pipeline.probe import probe
from media_pipeline.storage import storage
from tests.media_pipeline.live_parts import filming
from tests.realtime import until

CALM = Load(cores=4, free_cores=2, loop_lag_s=0)
BUSY = Load(cores=4, free_cores=0, loop_lag_s=0.5)
# The machine of the tests may be slow: only what is made up is judged.
AT_ONCE = Limits(lag_s=60, calm_s=0, trial_s=0, patience_s=0)
WITHIN_S = 40.0


class Machine:
    """As busy as a test says."""

    def __init__(self) -> None:
        self.now = CALM

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def load(self) -> Load:
        return self.now


@dataclass
class Stand:
    """One show with its feeds, and what its studio heard."""

    machine: Machine = field(default_factory=Machine)
    feeds: Feeds = field(default_factory=Feeds)
    show_id: uuid.UUID = field(default_factory=uuid.uuid4)
    heard: list[State] = field(default_factory=list)

    def __post_init__(self) -> None:
        shop = Shop(self.feeds, self.hear, self.key_of, limits=AT_ONCE, gauge=self.machine)
        self.made = self.feeds.follower = Renditions(shop)
        self.source = self.feeds.feed(self.show_id)

    def hear(self, show_id: uuid.UUID, state: State) -> None:
        self.heard.append(state)

    async def key_of(self, show_id: uuid.UUID) -> str:
        return f"public/recordings/{show_id}"

    @property
    def folder(self) -> Path:
        return storage().path(f"public/recordings/{self.show_id}/live")

    @property
    def show(self) -> ShowRenditions:
        found = self.made.of(self.show_id)
        assert found is not None
        return found

    def offered(self, *renditions: str) -> bool:
        return self.feeds.renditions(self.show_id) == list(renditions)

    def pid(self, name: str) -> int:
        """The encoder of a rendition; 0 while there is none."""
        show = self.made.of(self.show_id)
        one: LowRendition | None = getattr(show.take, name) if show and show.take else None
        return one.encoder.pid if one and one.encoder else 0

    def segments(self, name: str) -> int:
        path = self.folder / f"{name}.m3u8"
        return len(parse_segments(path.read_text())) if path.exists() else 0


@pytest_asyncio.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    yield stand
    await stand.made.stop()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def kilobits_per_s(folder: Path, name: str) -> float:
    segments = parse_segments((folder / f"{name}.m3u8").read_text())
    total = sum((folder / segment.name).stat().st_size for segment in segments)
    return 8 * total / 1000 / sum(segment.duration_s for segment in segments)


async def test_sound_stills_and_a_small_picture_come_beside_a_large_one(stand: Stand) -> None:
    async with filming(stand.source, size="1280x720"):
        await until(lambda: stand.offered("source", "low", "audio"), WITHIN_S)
        await until(lambda: stand.segments("low") >= 2, WITHIN_S)
        await until(lambda: stand.feeds.poster(stand.show_id), WITHIN_S)
        await until(lambda: "low.m3u8" in (stand.folder / "master.m3u8").read_text(), WITHIN_S)
        low, audio = stand.pid("low"), stand.pid("audio")
        assert os.getpriority(os.PRIO_PROCESS, low) == os.getpriority(os.PRIO_PROCESS, audio) == 10
    await until(lambda: not is_running(low) and not is_running(audio))
    picture = probe(stand.folder / "low.m3u8", formats="hls,mov,mp4").picture
    assert (picture.width, picture.height) == (640, 360)
    assert kilobits_per_s(stand.folder, "low") <= 400
    assert kilobits_per_s(stand.folder, "audio") <= 48
    assert Image.open(stand.folder / "poster.jpg").size == (640, 360)
    assert stand.heard[-2:] == [State.LOW, State.OFF]
    assert stand.feeds.poster(stand.show_id) is None


async def test_a_killed_encoder_is_followed_by_another_also_where_there_is_sound_alone(
    stand: Stand,
) -> None:
    async with filming(stand.source, size=None):
        await until(lambda: stand.segments("audio"), WITHIN_S)
        first = stand.pid("audio")
        os.kill(first, signal.SIGKILL)
        await until(lambda: stand.pid("audio") not in {0, first}, WITHIN_S)
        had = stand.segments("audio")
        await until(lambda: stand.segments("audio") > had, WITHIN_S)
    assert "#EXT-X-DISCONTINUITY\n" in (stand.folder / "audio.m3u8").read_text()
    assert stand.heard == [State.SOUND, State.OFF]
    assert stand.feeds.poster(stand.show_id) is None


async def test_a_machine_that_gets_busy_keeps_the_sound_and_loses_the_small_picture(
    stand: Stand,
) -> None:
    async with filming(stand.source, size="854x480"):
        await until(lambda: stand.segments("low"), WITHIN_S)
        low, audio = stand.pid("low"), stand.pid("audio")
        stand.machine.now = BUSY
        await until(lambda: stand.offered("source", "audio"))
        await until(lambda: not is_running(low))
        assert (stand.pid("low"), stand.pid("audio")) == (0, audio)
        assert stand.show.state is State.NO_ROOM
        await until(lambda: "low.m3u8" not in (stand.folder / "master.m3u8").read_text())
        await until(lambda: not (stand.folder / "low.m3u8").exists())
        await stand.made.stop()  # as when the server stops
        assert not is_running(audio)


class Clock:
    """Looks at a judge twice a second, of its own time."""

    def __init__(self) -> None:
        self.judge = Judge(Limits())
        self.at_s = 0.0

    def begins_within(self, seconds: float, load: Load) -> bool:
        return any(self.judge.may_begin(load, at_s) for at_s in self._looks(seconds))

    def keeps_up_for(self, seconds: float, lag_s: float, load: Load = CALM) -> bool:
        return all(self.judge.keeps_up(lag_s, load, at_s) for at_s in self._looks(seconds))

    def begun(self) -> None:
        self.judge.begun(self.at_s)

    def _looks(self, seconds: float) -> list[float]:
        """Each time that is looked at, until it is asked no more."""
        first = self.at_s
        self.at_s += seconds
        return [first + 0.5 * n for n in range(1, round(seconds / 0.5) + 1)]


def test_a_picture_that_falls_behind_is_stopped_and_left_alone_for_minutes() -> None:
    clock = Clock()
    assert clock.begins_within(4, CALM)
    clock.begun()
    assert clock.keeps_up_for(4, lag_s=3)
    assert clock.judge.verdict is Verdict.TRYING
    assert not clock.keeps_up_for(2, lag_s=3)
    assert not clock.begins_within(170, CALM)
    assert clock.begins_within(20, CALM)
    clock.begun()
    assert not clock.keeps_up_for(6, lag_s=3)
    assert not clock.begins_within(350, CALM)  # longer each time


def test_a_picture_is_shown_once_it_has_kept_up_and_short_stalls_do_not_stop_it() -> None:
    clock = Clock()
    clock.begun()
    assert clock.keeps_up_for(5.5, lag_s=0.3)
    assert clock.judge.verdict is Verdict.GOOD
    for _ in range(5):
        assert clock.keeps_up_for(4, lag_s=3)
        assert clock.keeps_up_for(1, lag_s=0.3)
    assert not clock.keeps_up_for(6, lag_s=0.3, load=BUSY)


@pytest.mark.parametrize(
    "load",
    [Load(1, 1, 0), Load(4, 0.2, 0), Load(4, 2, 0.5)],
    ids=["one core", "no idle core", "a late loop"],
)
def test_nothing_begins_without_room(load: Load) -> None:
    clock = Clock()
    assert not clock.begins_within(60, load)
    assert clock.judge.has_refused


def test_the_times_of_a_rendition_by_hls_follow_the_cameras_clock(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "low")
    shelf.begin(Init(b"head", ()), zero_ms=1_000_000.0)
    for second in range(4):
        shelf.add(Part(b"", float(second), 1.0, is_key=True), drift_ms=0.0 if second < 3 else 40.0)
    times = re.findall("DATE-TIME:(.*)Z", (tmp_path / "low.m3u8").read_text())
    assert times == [
        "1970-01-01T00:16:40.040",
        "1970-01-01T00:16:41.040",
        "1970-01-01T00:16:42.040",
    ]
