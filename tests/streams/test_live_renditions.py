"""Sound and stills beside a camera of this site: found by players, told in the studio, and gone
with the show."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from core.realtime import tickets
from core.realtime.db import run_in_db
from media_pipeline import ffmpeg
from media_pipeline.ingest.desk import desk
from media_pipeline.live.feed import feeds
from media_pipeline.selectors import playback, recording_key
from media_pipeline.storage import storage
from streams.client import RoomClient
from tests.media_pipeline import live_parts
from tests.realtime import until
from tests.streams.camera import CHUNK, Camera, camera
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


def studio(site: str, world: World) -> RoomClient:
    ticket = tickets.issue(world.zhang.public_id)
    client = RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)
    client.url = client.url.replace("/ws/shows/", "/ws/studio/")
    return client


@asynccontextmanager
async def filming(phone: Camera) -> AsyncIterator[None]:
    """The camera films as long as this lasts."""
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "error", *live_parts.picture("320x180")]
    stream = ["-live", "1", "-cluster_time_limit", "100", "-flush_packets", "1", "-f", "matroska"]
    process = await asyncio.create_subprocess_exec(
        *line, *stream, "-", stdout=asyncio.subprocess.PIPE
    )
    sending = asyncio.create_task(send(process, phone))
    try:
        yield
    finally:
        process.kill()
        await process.wait()
        await sending


async def send(process: asyncio.subprocess.Process, phone: Camera) -> None:
    assert process.stdout is not None
    number, began = 0, time.monotonic()
    while payload := await process.stdout.read(CHUNK):
        await phone.send(number, payload, offset_ms=1000 * (time.monotonic() - began))
        assert "ack" in await phone.answer()
        number += 1


async def test_sound_and_stills_come_with_the_camera_and_go_with_the_show(
    site: str, world: World
) -> None:
    show = world.show
    async with studio(site, world) as console, camera(site, show.public_id) as phone:
        assert console.snapshot["renditions"] == "off"
        await phone.hello(show, uuid.uuid4())
        async with filming(phone):
            told = await console.event("renditions.changed")
            assert told["data"] == {"state": "not_needed"}  # it is smaller than 360p
            await until(lambda: feeds.renditions(show.public_id) == ["source", "audio"])
            await until(lambda: feeds.poster(show.public_id))
            folder = storage().path(await run_in_db(recording_key, show.public_id)) / "live"
            master = folder / "master.m3u8"
            await until(lambda: master.exists() and "audio.m3u8" in master.read_text())

            found = await run_in_db(playback, show.public_id)
            assert found is not None
            assert found.live_url is not None
            async with httpx.AsyncClient(base_url=f"http://{site}") as web:
                listed = (await web.get(found.live_url)).text.splitlines()
                for name in ("../live.m3u8", "audio.m3u8", "poster.jpg"):
                    answer = await web.get(httpx.URL(found.live_url).join(name))
                    assert (name, answer.status_code) == (name, 200)
            assert answer.headers["cache-control"].endswith("max-age=2")
            assert [line for line in listed if line[0] != "#"] == ["../live.m3u8", "audio.m3u8"]

        await desk.end_show(show.public_id, is_public=True)
        assert not folder.exists()
        assert feeds.renditions(show.public_id) == []
        await console.event("renditions.changed", after=told["seq"])
    async with studio(site, world) as console:
        assert console.snapshot["renditions"] == "off"
