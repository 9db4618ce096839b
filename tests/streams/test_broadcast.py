"""`livecommerce broadcast`, the function behind it: a real file through the real door."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ids import new_id
from core.realtime.db import run_in_db
from livecommerce.broadcasting import failure
from media_pipeline.ffmpeg import SourceUnreadable
from media_pipeline.ingest.desk import desk
from media_pipeline.ingest.errors import TakeIsOver
from media_pipeline.ingest.patience import Patience
from media_pipeline.models import Recording, Take, TakeState
from media_pipeline.selectors import playback
from streams.broadcast import (
    BroadcastFailed,
    BroadcastRefused,
    Progress,
    Summary,
    broadcast,
    ingest_url,
)
from streams.broadcast_source import VideoFile, camera_arguments
from streams.models import Show, ShowState
from streams.services import ingest_keys
from tests.films import AAC, H264, draw
from tests.network import wire
from tests.realtime import until, until_in_db
from tests.world import World

PACE = 8.0

serving = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def show(world: World) -> Show:
    return world.show


@pytest.fixture
def short_patience() -> Iterator[None]:
    before, desk.patience = desk.patience, Patience(0.4, 1.0, 0.5)
    yield
    desk.patience = before


def state_of(show: Show) -> str:
    show.refresh_from_db()
    return show.state


def sealed_takes(show: Show) -> list[Take]:
    return list(
        Take.objects.filter(recording__show_id=show.public_id, state=TakeState.SEALED)
        .select_related("recording")
        .order_by("position")
    )


class TestThroughTheDoor:
    pytestmark = serving

    async def test_a_phones_film_is_recorded_whole(self, site: str, show: Show, film: Path) -> None:
        told: list[Progress] = []
        summary = await broadcast(
            film,
            show_id=show.public_id,
            key=ingest_keys.issue(show),
            url=f"http://{site}",
            pace=PACE,
            on_progress=told.append,
        )
        assert summary.duration_s == pytest.approx(20, abs=0.2)
        assert (summary.takes, summary.reconnects) == (1, 0)
        assert told[-1].confirmed_bytes == summary.bytes_sent > 100_000
        assert told[-1].waiting_bytes == 0
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)

    async def test_at_its_own_pace_it_is_live_within_seconds(
        self, site: str, show: Show, film: Path
    ) -> None:
        work = asyncio.create_task(start(site, show, film, pace=1.0))
        await until_in_db(lambda: state_of(show) == ShowState.LIVE, deadline_s=6)
        found = await run_in_db(playback, show.public_id)
        assert found is not None
        assert 0 < found.duration_s < 6
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        [take] = await run_in_db(sealed_takes, show)
        assert 0 < take.duration_s < 8

    async def test_a_loop_goes_on_after_the_end_of_the_file(
        self, site: str, show: Show, tmp_path: Path
    ) -> None:
        short = draw(tmp_path / "short.mp4", *H264, *AAC, duration_s=2)
        summary = await start(site, show, short, loop=True, duration_s=5)
        assert summary.duration_s == pytest.approx(5, abs=0.3)

    async def test_a_lost_connection_is_taken_up_where_it_was(
        self, site: str, show: Show, film: Path
    ) -> None:
        told: list[Progress] = []
        async with wire(site) as network:
            at = network.address
            work = asyncio.create_task(start(at, show, film, pace=4.0, on_progress=told.append))
            await until(lambda: told and told[-1].confirmed_bytes > 50_000)
            network.cut()
            summary = await work
        assert summary.reconnects >= 1
        assert summary.takes == 1
        assert summary.duration_s == pytest.approx(20, abs=0.2)

    async def test_a_lost_take_is_followed_by_a_new_one(
        self, site: str, show: Show, film: Path
    ) -> None:
        work = asyncio.create_task(start(site, show, film, pace=4.0))
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        holder = desk.broadcast_of(show.public_id)
        assert holder is not None
        assert holder.take is not None
        await holder.take.close(TakeIsOver())
        summary = await work
        assert summary.takes == 2
        first, second = await run_in_db(sealed_takes, show)
        assert summary.duration_s == pytest.approx(first.duration_s + second.duration_s)
        assert 19 < summary.duration_s < 23  # it goes on at the key frame before the loss
        assert summary.lost_s == 0

    async def test_a_network_that_is_away_for_long_loses_nothing_of_the_film(
        self, site: str, show: Show, film: Path, short_patience: None
    ) -> None:
        told: list[Progress] = []
        async with wire(site) as network:
            at = network.address
            work = asyncio.create_task(start(at, show, film, pace=4.0, on_progress=told.append))
            await until_in_db(lambda: state_of(show) == ShowState.LIVE)
            network.is_down = True
            network.cut()
            await until_in_db(lambda: sealed_takes(show))
            network.is_down = False
            summary = await work
        first, second = await run_in_db(sealed_takes, show)
        assert summary.duration_s == pytest.approx(first.duration_s + second.duration_s)
        assert 19 < summary.duration_s < 23
        received = first.bytes_received + second.bytes_received
        assert 0.9 * received < summary.bytes_sent <= received
        assert (summary.takes, summary.lost_s) == (2, 0)

    async def test_a_server_that_stays_away_says_how_much_was_lost(
        self, site: str, show: Show, film: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streams.broadcast.GIVE_UP_S", 0.5)
        async with wire(site) as network:
            work = asyncio.create_task(start(network.address, show, film, pace=4.0))
            await until_in_db(lambda: state_of(show) == ShowState.LIVE)
            network.is_down = True
            network.cut()
            with pytest.raises(BroadcastFailed, match="cannot be reached") as failed:
                await work
        summary = failed.value.summary
        assert summary is not None
        assert summary.lost_s > 3
        assert summary.duration_s + summary.lost_s == pytest.approx(20, abs=0.5)
        assert "s of the film are not in the recording" in failure(failed.value)

    async def test_an_unknown_show_is_refused_with_a_reason(
        self, site: str, show: Show, film: Path
    ) -> None:
        with pytest.raises(BroadcastRefused, match="no such show") as refused:
            await broadcast(
                film, show_id=new_id(), key=ingest_keys.issue(show), url=f"http://{site}"
            )
        assert refused.value.close == 4404

    async def test_a_wrong_key_is_refused_with_a_reason(
        self, site: str, show: Show, film: Path
    ) -> None:
        with pytest.raises(BroadcastRefused, match="key is wrong") as refused:
            await broadcast(film, show_id=show.public_id, key="x", url=f"http://{site}")
        assert refused.value.close == 4401
        assert not await run_in_db(Recording.objects.exists)

    async def test_a_second_broadcaster_is_refused_and_the_first_goes_on(
        self, site: str, show: Show, film: Path
    ) -> None:
        first = asyncio.create_task(start(site, show, film, pace=4.0))
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        with pytest.raises(BroadcastRefused, match="Another camera") as refused:
            await start(site, show, film)
        assert refused.value.close == 4409
        assert (await first).duration_s == pytest.approx(20, abs=0.2)


async def start(site: str, show: Show, film: Path, *, pace: float = PACE, **more: Any) -> Summary:
    key = ingest_keys.issue(show)
    url = f"http://{site}"
    return await broadcast(film, show_id=show.public_id, key=key, url=url, pace=pace, **more)


async def test_a_server_that_is_not_there_is_named(film: Path) -> None:
    with pytest.raises(BroadcastFailed, match=r"127\.0\.0\.1:9"):
        await broadcast(film, show_id=uuid.uuid4(), key="", url="http://127.0.0.1:9")


async def test_a_file_without_video_is_refused_before_anything_is_sent(sound: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no picture"):
        await broadcast(sound, show_id=uuid.uuid4(), key="")


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"missing\.mp4"):
        await broadcast(tmp_path / "missing.mp4", show_id=uuid.uuid4(), key="")


async def test_garbage_is_no_video_file(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"nothing to see here" * 1000)
    with pytest.raises(SourceUnreadable):
        await broadcast(garbage, show_id=uuid.uuid4(), key="")


def test_h264_with_frequent_key_frames_is_sent_as_it_is(film: Path) -> None:
    found = VideoFile.open(film)
    assert found.copies_video
    assert found.copies_audio
    line = " ".join(camera_arguments(found, start_s=0, loop=True, duration_s=None, pace=1))
    assert "-c:v copy" in line
    assert "-stream_loop -1 -i" in line


def test_rare_key_frames_are_made_anew_since_every_viewer_would_wait_for_them(
    tmp_path: Path,
) -> None:
    rare = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "300", "-pix_fmt", "yuv420p"]
    found = VideoFile.open(draw(tmp_path / "rare.mp4", *rare, *AAC, duration_s=5))
    assert not found.copies_video
    line = camera_arguments(found, start_s=0, loop=False, duration_s=None, pace=1)
    assert "libx264" in line


def test_other_codecs_are_encoded(vp8_film: Path) -> None:
    found = VideoFile.open(vp8_film)
    assert not found.copies_video
    assert not found.copies_audio


def test_colour_that_browsers_cannot_play_is_encoded(tmp_path: Path) -> None:
    rich = [one if one != "yuv420p" else "yuv444p" for one in H264]
    assert not VideoFile.open(draw(tmp_path / "rich.mp4", *rich, duration_s=1)).copies_video


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://farm.example:8000/", "ws://farm.example:8000/ws/ingest/{id}/"),
        ("https://farm.example", "wss://farm.example/ws/ingest/{id}/"),
    ],
)
def test_the_door_is_found_from_the_servers_address(url: str, expected: str) -> None:
    show_id = uuid.uuid4()
    assert ingest_url(url, show_id) == expected.format(id=show_id)


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(BroadcastFailed, match=r"farm\.example"):
        ingest_url("farm.example", uuid.uuid4())
