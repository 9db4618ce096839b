"""What a phone kept in an outage, beside what it films now: a scripted phone, no browser."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import time
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core import signing

from core.clock import now
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from media_pipeline import ffmpeg
from media_pipeline.ingest import broadcast
from media_pipeline.ingest.desk import desk
from media_pipeline.ingest.layout import recording_folder, recording_key, segments_on_disk
from media_pipeline.ingest.patience import Patience
from media_pipeline.ingest.rebuild import rebuild
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.selectors import media_clock
from media_pipeline.services import takes
from media_pipeline.services.takes import LATE_UNTIL, LEFT_FOR
from streams.models import Show
from streams.services import shows
from tests.realtime import until_in_db
from tests.server import Served, serving
from tests.streams.camera import Camera, camera, chunks, refusal
from tests.streams.test_live import player
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]

PICTURES = [n / 30 for n in range(180)]
"""Of `recorder_film`: when each is shown, in seconds."""


@pytest.fixture
def show(world: World) -> Show:
    return world.show


def whole(film: Path) -> bytes:
    return b"".join(payload for _number, payload in chunks(film))


def takes_of(show: Show) -> list[Take]:
    return list(Take.objects.filter(recording__show_id=show.public_id).order_by("position"))


def recording_of(show: Show) -> Recording:
    return Recording.objects.get(show_id=show.public_id)


def folder_of(show: Show, take: uuid.UUID) -> Path:
    recording = recording_of(show)
    key = recording_key(recording.public_id, is_public=recording.is_public)
    return recording_folder(key) / str(take)


def pictures_in(folder: Path) -> list[float]:
    """When each picture of a take's segments is shown, in seconds, in their order."""
    files = [folder / "init.mp4", *(folder / one.name for one in segments_on_disk(folder))]
    line = [ffmpeg.ffprobe_path(), "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    line += ["-show_entries", "packet=pts_time", "-i", "pipe:0"]
    whole = b"".join(file.read_bytes() for file in files)
    told = subprocess.run(line, input=whole, capture_output=True, check=True, timeout=30).stdout
    return [float(one.strip(b",")) for one in told.split()]


def told(show: Show) -> list[str]:
    """What the room has been told of the show."""
    entries = LogEntry.objects.filter(topic=show.topic, type__startswith="show.")
    return list(entries.order_by("seq").values_list("type", flat=True))


async def has_all(show: Show, take: uuid.UUID) -> None:
    folder = await run_in_db(folder_of, show, take)
    assert pictures_in(folder) == pytest.approx(PICTURES, abs=0.002)


async def films_until_it_is_away(site: str, show: Show, take: uuid.UUID, film: Path) -> int:
    """The first chunks of a take; then the network is gone. The next chunk's number."""
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        return await phone.film(film, last=30)


async def test_viewers_see_the_present_while_what_was_kept_goes_on_beside_it(
    site: str, show: Show, recorder_film: Path
) -> None:
    first, second, present = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    half = await films_until_it_is_away(site, show, first, recorder_film)
    kept = [first, second]  # the second was begun without a network: the server knows nothing of it
    back_at = time.monotonic()
    async with camera(site, show.public_id) as live, player(site, show.public_id) as viewer:
        await live.hello(show, present, keeps=kept)
        live_at = time.monotonic()
        filming = asyncio.create_task(live.film(recorder_film, last=40))
        while not (isinstance(seen := await viewer.next(), tuple) and seen[0] == 1):
            pass
        assert time.monotonic() - back_at < 3
        at = await filming
        for take, begins_with, age_s in ((first, half, 50.0), (second, 0, 40.0)):
            async with camera(site, show.public_id) as late:
                begun_before_s = age_s - (time.monotonic() - live_at)
                answer = await late.hello(show, take, keeps=kept, age_ms=age_s * 1000)
                assert answer["ready"]["next"] == begins_with
                begins_with = await late.film(recorder_film, first=begins_with, last=-1)
                at = await live.film(recorder_film, first=at, last=at + 5)
                await late.film(recorder_film, first=begins_with)
                assert await late.seal() == pytest.approx(6, abs=0.1)
        await live.film(recorder_film, first=at)
        await live.seal()
    assert [one.public_id for one in await run_in_db(takes_of, show)] == [*kept, present]
    for take in (*kept, present):
        await has_all(show, take)
    await run_in_db(shows.end, show.public_id)
    await until_in_db(lambda: recording_of(show).state == RecordingState.READY)
    replay = ((await run_in_db(folder_of, show, first)).parent / "replay.m3u8").read_text()
    assert [replay.index(f"{take}/init.mp4") for take in (*kept, present)] == sorted(
        replay.index(f"{take}/init.mp4") for take in (*kept, present)
    )
    _first, alone, after = (await run_in_db(lambda: media_clock(recording_of(show)))).spans
    apart_s = (after.wall_start - alone.wall_start).total_seconds()
    # Its six seconds were sent faster than they run: so much earlier it may seem begun.
    assert begun_before_s - 6 <= apart_s <= begun_before_s + 1
    assert (alone.media_start_s, after.media_start_s) == pytest.approx((6, 12), abs=0.1)


async def test_the_room_hears_that_the_picture_is_back_and_nothing_of_what_was_kept(
    site: str, show: Show, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "patience", Patience(told_after_s=0.4))
    first, present = uuid.uuid4(), uuid.uuid4()
    half = await films_until_it_is_away(site, show, first, recorder_film)
    interrupted = ["show.started", "show.interrupted"]
    await until_in_db(lambda: told(show) == interrupted)
    async with camera(site, show.public_id) as late, camera(site, show.public_id) as live:
        await late.hello(show, first, keeps=[first], age_ms=9_000)
        await late.film(recorder_film, first=half)
        await late.seal()
        assert await run_in_db(told, show) == interrupted
        await live.hello(show, present)
        await live.film(recorder_film)
        await until_in_db(lambda: told(show) == [*interrupted, "show.resumed"])
        await live.seal()


async def test_what_was_kept_may_come_in_other_pieces_and_with_an_end_missing(
    site: str, show: Show, recorder_film: Path
) -> None:
    """A phone cuts what it kept anew, so that a slow line is never full of one large piece."""
    take, film = uuid.uuid4(), whole(recorder_film)
    half = await films_until_it_is_away(site, show, take, recorder_film)
    sent = sum(len(payload) for number, payload in chunks(recorder_film) if number < half)
    end = len(film) * 2 // 3
    async with camera(site, show.public_id) as late:
        await late.hello(show, take, keeps=[take], age_ms=9_000)
        for number, at in enumerate(range(sent, end, 4000), half):
            await late.send(number, film[at : min(at + 4000, end)], offset_ms=number * 50)
        await late.socket.send('{"do": "seal"}')
        while "sealed" not in (answer := await late.answer()):
            assert answer["ack"]["next"] > half
    found = pictures_in(await run_in_db(folder_of, show, take))
    assert len(found) >= 100
    assert found == pytest.approx(PICTURES[: len(found)], abs=0.002)


async def test_a_show_that_is_over_waits_for_what_its_phone_still_sends(
    site: str, show: Show, recorder_film: Path
) -> None:
    kept, last = uuid.uuid4(), uuid.uuid4()
    half = await films_until_it_is_away(site, show, kept, recorder_film)
    async with camera(site, show.public_id) as live:
        await live.hello(show, last, keeps=[kept])
        await live.film(recorder_film)
        await live.seal()
    await run_in_db(shows.end, show.public_id)
    await run_in_db(shows.seal_leftovers, alone=False)
    async with camera(site, show.public_id) as late:  # after the end, even
        assert (await late.hello(show, kept, keeps=[kept], age_ms=9_000))["ready"]["next"] == half
        await run_in_db(shows.seal_leftovers, alone=False)
        assert (await run_in_db(recording_of, show)).state == RecordingState.LIVE
        await late.film(recorder_film, first=half)
        await late.seal()
    await run_in_db(shows.seal_leftovers, alone=False)
    recording = await run_in_db(recording_of, show)
    assert (recording.state, recording.duration_s) == (RecordingState.READY, pytest.approx(12, 0.1))
    async with camera(site, show.public_id) as late:
        answer = await late.hello(show, kept, keeps=[kept])
        assert await refusal(late, answer) == ("show_ended", 4410)


async def test_a_show_that_is_over_does_not_wait_for_ever(
    site: str, show: Show, recorder_film: Path
) -> None:
    kept = uuid.uuid4()
    half = await films_until_it_is_away(site, show, kept, recorder_film)
    async with camera(site, show.public_id) as late:
        await late.hello(show, kept, keeps=[kept], age_ms=9_000)
        await late.film(recorder_film, first=half)
        await run_in_db(shows.end, show.public_id)
        await run_in_db(shows.seal_leftovers, alone=False)
        assert (await run_in_db(recording_of, show)).state == RecordingState.LIVE
        await run_in_db(Recording.objects.update, end_asked_at=now() - LATE_UNTIL)
        await run_in_db(shows.seal_leftovers, alone=False)
        assert await refusal(late, await late.answer()) == ("show_ended", 4410)
    await run_in_db(shows.seal_leftovers, alone=False)
    assert (await run_in_db(recording_of, show)).state == RecordingState.READY
    await has_all(show, kept)


async def test_a_second_process_seals_nothing_while_the_first_makes_segments(
    site: str, show: Show, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It found no segments and took the recording for an empty one."""
    kept = uuid.uuid4()
    await films_until_it_is_away(site, show, kept, recorder_film)
    await run_in_db(Recording.objects.update, end_asked_at=now() - LATE_UNTIL)
    await run_in_db(Take.objects.update, kept_until=None)
    seen: list[str] = []

    async def rebuild_meanwhile(take: Take) -> datetime | None:
        second = await run_in_db(takes.seal_recording, show.public_id, is_public=True)
        seen.append(second.state)
        return await rebuild(take)

    monkeypatch.setattr(takes, "rebuild", rebuild_meanwhile)
    await run_in_db(takes.seal_recording, show.public_id, is_public=True)
    assert seen == [RecordingState.LIVE]
    assert (await run_in_db(recording_of, show)).state == RecordingState.READY


async def test_a_phone_that_was_away_while_another_took_over_still_delivers(
    site: str, show: Show, recorder_film: Path
) -> None:
    kept, other = uuid.uuid4(), uuid.uuid4()
    half = await films_until_it_is_away(site, show, kept, recorder_film)
    async with camera(site, show.public_id) as second, camera(site, show.public_id) as again:
        await second.hello(show, other, take_over=True)
        await second.film(recorder_film, last=30)
        answer = await again.hello(show, kept)
        assert await refusal(again, answer) == ("taken_over", 4409)
        async with camera(site, show.public_id) as late:
            answer = await late.hello(show, kept, keeps=[kept], age_ms=9_000)
            assert answer["ready"]["next"] == half
            await late.film(recorder_film, first=half)
            assert await late.seal() == pytest.approx(6, abs=0.1)
        await second.film(recorder_film, first=30)
        await second.seal()
    for take in (kept, other):
        await has_all(show, take)


async def test_a_phone_with_much_to_send_is_in_nobodys_way(
    site: str, show: Show, recorder_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "LEAVE_WITHIN_S", 60.0)
    kept, other = uuid.uuid4(), uuid.uuid4()
    async with camera(site, show.public_id) as first, camera(site, show.public_id) as second:
        await first.hello(show, kept)
        half = await first.film(recorder_film, last=30)
        coming = asyncio.create_task(second.hello(show, other, take_over=True))
        assert (await first.answer())["leave"]["code"] == "taken_over"
        async with camera(site, show.public_id) as late:
            await late.hello(show, kept, keeps=[kept], age_ms=9_000)
            async with asyncio.timeout(10):
                assert (await coming)["ready"]["take"] == str(other)
            await late.film(recorder_film, first=half)
            assert await late.seal() == pytest.approx(6, abs=0.1)
    await has_all(show, kept)


async def test_nobody_is_told_of_a_take_that_was_set_aside(
    site: str, show: Show, recorder_film: Path
) -> None:
    """Its phone never comes back for it: what came is sealed, and the show goes on."""
    kept, present = uuid.uuid4(), uuid.uuid4()
    await films_until_it_is_away(site, show, kept, recorder_film)
    async with camera(site, show.public_id) as live:
        await live.hello(show, present, keeps=[kept])
        await live.film(recorder_film)
        row = Take.objects.filter(public_id=kept)
        await run_in_db(row.update, kept_until=now() - LEFT_FOR)
        await run_in_db(takes.seal_left_open, alone=False)
        states = [one.state for one in await run_in_db(takes_of, show)]
        assert states == [TakeState.SEALED, TakeState.OPEN]
        await run_in_db(shows.end, show.public_id)
        await until_in_db(lambda: told(show) == ["show.started", "show.ended"])


def live_bytes(served: Served, take: uuid.UUID) -> int:
    path = served.instance.data / f"media/private/takes/{take}/chunks.bin"
    return path.stat().st_size if path.exists() else 0


async def says_hello(
    phone: Camera, show_id: uuid.UUID, take: uuid.UUID, kept: list[uuid.UUID], age_ms: float = 0
) -> int:
    key = signing.dumps(show_id.hex, salt="streams.ingest-key")
    answer = await phone.hello(None, take, key=key, keeps=kept, age_ms=age_ms)
    at: int = answer["ready"]["next"]
    return at


@pytest.mark.process
async def test_both_takes_go_on_at_a_server_that_was_killed(
    tmp_path: Path, recorder_film: Path, world: World
) -> None:
    kept, present = uuid.uuid4(), uuid.uuid4()
    env = {"LIVECOMMERCE_SECRET_KEY": settings.SECRET_KEY}
    with serving(tmp_path / "data", env=env) as served:
        show_id = uuid.UUID(asked(served, "select public_id from streams_show"))
        async with camera(served.address, show_id) as first:
            await says_hello(first, show_id, kept, [])
            half = await first.film(recorder_film, last=20)
        async with (
            camera(served.address, show_id) as live,
            camera(served.address, show_id) as late,
        ):
            await says_hello(live, show_id, present, [kept])
            here = await live.film(recorder_film, last=30)
            assert await says_hello(late, show_id, kept, [kept], 20_000) == half
            there = await late.film(recorder_film, first=half, last=half + 15)
            served.kill()
        served.start()
        async with (
            camera(served.address, show_id) as live,
            camera(served.address, show_id) as late,
        ):
            assert await says_hello(live, show_id, present, [kept]) == here
            assert await says_hello(late, show_id, kept, [kept], 30_000) == there
            await late.film(recorder_film, first=there)
            await live.film(recorder_film, first=here)
            assert await late.seal() == pytest.approx(6, abs=0.1)
            assert await live.seal() == pytest.approx(6, abs=0.1)
        [folder] = served.instance.data.glob(f"media/*/recordings/*/{kept}")
        for take in (kept, present):
            assert live_bytes(served, take) == len(whole(recorder_film))
            assert pictures_in(folder.parent / str(take)) == pytest.approx(PICTURES, abs=0.002)


def asked(served: Served, query: str) -> str:
    with sqlite3.connect(served.instance.data / "livecommerce.sqlite3") as database:
        return str(database.execute(query).fetchone()[0])
