"""One broadcaster at a time: another phone takes over; and a phone that tries its uplink."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.clock import now
from core.realtime.db import run_in_db
from media_pipeline.ingest import broadcast
from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.connection import Connection
from media_pipeline.ingest.desk import Desk, desk
from media_pipeline.ingest.errors import ServerStops, SomebodyBroadcasts
from media_pipeline.ingest.layout import recording_folder, recording_key
from media_pipeline.ingest.patience import Patience
from media_pipeline.models import Recording, Take
from media_pipeline.services import takes
from streams import ingest_probe
from streams.models import Show
from streams.services import ingest_keys
from tests.streams.camera import Camera, camera, chunks, refusal
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def show(world: World) -> Show:
    return world.show


async def take_over(phone: Camera, show: Show, take: uuid.UUID) -> None:
    frame = {"take": str(take), "key": ingest_keys.issue(show), "take_over": True}
    await phone.socket.send(json.dumps({"hello": frame}))


async def try_uplink(phone: Camera, key: str | None) -> dict[str, Any]:
    await phone.socket.send(json.dumps({"probe": {"key": key}}))
    return await phone.answer()


def seconds_of(take: uuid.UUID) -> float:
    return Take.objects.get(public_id=take).duration_s


async def test_the_phone_that_is_taken_over_sends_the_rest_of_its_take_first(
    site: str, show: Show, recorder_film: Path
) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, first)
        half = await old.film(recorder_film, last=20)
        await take_over(new, show, second)
        assert (await old.answer())["leave"]["code"] == "taken_over"
        await old.film(recorder_film, first=half)
        assert await old.seal() == pytest.approx(6, abs=0.2)
        assert (await new.answer())["ready"]["take"] == str(second)
        await new.film(recorder_film)
        await new.seal()
    assert await run_in_db(seconds_of, first) == pytest.approx(6, abs=0.2)
    assert await run_in_db(seconds_of, second) == pytest.approx(6, abs=0.2)


async def test_a_phone_that_does_not_leave_is_let_go(
    site: str, show: Show, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "LEAVE_WITHIN_S", 0.3)
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, uuid.uuid4())
        await old.film(recorder_film)
        await take_over(new, show, uuid.uuid4())
        assert "leave" in await old.answer()
        assert await refusal(old, await old.answer()) == ("taken_over", 4409)
        assert "ready" in await new.answer()


async def test_without_asking_nobody_is_taken_over(
    site: str, show: Show, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as old, camera(site, show.public_id) as new:
        await old.hello(show, uuid.uuid4())
        answer = await new.hello(show, uuid.uuid4())
        assert await refusal(new, answer) == ("already_broadcasting", 4409)
        await old.film(recorder_film)


@pytest_asyncio.fixture
async def other_desk() -> AsyncIterator[Desk]:
    """Another web process's, on the same database and data folder."""
    other = Desk(Patience(silent_s=0.4))
    yield other
    await other.stop()


async def connect(desk: Desk, show: Show, take: uuid.UUID, **more: bool) -> Connection:
    return await desk.connect(
        show.public_id, is_public=True, take_id=take, mime="video/x-matroska", **more
    )


def film_of(path: Path, first: int = 0, last: int | None = None) -> list[Chunk]:
    return [Chunk(n, n * 50.0, payload) for n, payload in chunks(path)][first:last]


async def test_a_phone_at_another_process_is_taken_over_as_well(
    site: str, show: Show, recorder_film: Path, other_desk: Desk
) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    async with camera(site, show.public_id) as old:
        await old.hello(show, first)
        half = await old.film(recorder_film, last=20)
        with pytest.raises(SomebodyBroadcasts):
            await connect(other_desk, show, second)
        begun = time.monotonic()
        coming = asyncio.create_task(connect(other_desk, show, second, take_over=True))
        assert (await old.answer())["leave"]["code"] == "taken_over"
        await old.film(recorder_film, first=half)
        assert await old.seal() == pytest.approx(6, abs=0.2)
        new = await coming
        assert time.monotonic() - begun < broadcast.LEFT_WITHIN_S  # 2 s where nothing else runs
    await new.append(film_of(recorder_film))
    assert await new.seal() == pytest.approx(6, abs=0.2)
    assert await run_in_db(seconds_of, first) == pytest.approx(6, abs=0.2)
    recording = await run_in_db(Recording.objects.get, show_id=show.public_id)
    folder = recording_folder(recording_key(recording.public_id, is_public=recording.is_public))
    replay = (folder / "replay.m3u8").read_text()
    assert [name in replay for name in (str(first), str(second))] == [True, True]


async def comes_back_to(desk: Desk, show: Show, take: uuid.UUID) -> Connection:
    async with asyncio.timeout(10):
        while True:
            try:
                return await connect(desk, show, take)
            except ServerStops:  # the other process may still have it
                await asyncio.sleep(0.05)


async def test_a_take_that_went_on_at_another_process_is_let_alone_by_the_first(
    site: str,
    show: Show,
    recorder_film: Path,
    other_desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(takes, "KEPT_FOR", timedelta(seconds=2))
    take = uuid.uuid4()
    here = await connect(other_desk, show, take)
    half = await here.append(film_of(recorder_film, last=30))
    # Its phone has changed networks; the connection stays open as if nothing were.
    there = await comes_back_to(desk, show, take)
    assert there.next == half
    async with asyncio.timeout(20):
        assert isinstance(await here.refused, ServerStops)
    with pytest.raises(ServerStops):
        await here.append(film_of(recorder_film, first=half))
    await there.append(film_of(recorder_film, first=half))
    await other_desk.stop()
    assert await there.seal() == pytest.approx(6, abs=0.1)


async def test_a_phone_tries_its_uplink_and_learns_the_time(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        told = (await try_uplink(phone, ingest_keys.issue(show)))["probe"]
        assert told["server_ms"] == pytest.approx(now().timestamp() * 1000, abs=5000)
        for sent in range(16_000, ingest_probe.MAX_BYTES + 16_000, 16_000):
            await phone.socket.send(bytes(16_000))
            assert (await phone.answer())["got"]["bytes"] == sent
        assert await phone.close_code() == 1000


async def test_only_who_may_broadcast_may_try_the_uplink(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        assert await refusal(phone, await try_uplink(phone, None)) == ("sign_in_required", 4401)
