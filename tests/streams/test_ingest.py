"""Cameras at the door: real sockets, real ffmpeg."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
import time_machine
from django.db import DatabaseError, connection
from django.db.utils import ConnectionHandler

from core.clock import now
from core.ids import new_id
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from media_pipeline import ffmpeg
from media_pipeline.ingest.desk import desk
from media_pipeline.ingest.encoder import Encoder
from media_pipeline.ingest.errors import refusal_for
from media_pipeline.ingest.layout import chunks_folder, recording_folder, recording_key
from media_pipeline.ingest.patience import Patience
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.probe import OUR_FORMATS, probe
from media_pipeline.selectors import playback
from media_pipeline.services.takes import LEFT_FOR
from streams.models import Show, ShowState
from streams.services import ingest_keys, shows
from tests.realtime import until, until_in_db
from tests.streams.camera import CHUNK, camera, chunks, refusal
from tests.world import PASSWORD, World

ONE_INTERRUPTION = ["show.started", "show.interrupted", "show.resumed"]

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def show(world: World) -> Show:
    return world.show


@pytest.fixture
def short_patience() -> Iterator[None]:
    before, desk.patience = desk.patience, Patience(0.4, 1.6, 0.5)
    yield
    desk.patience = before


def state_of(show: Show) -> str:
    show.refresh_from_db()
    return show.state


def take_row(take: uuid.UUID) -> Take:
    return Take.objects.select_related("recording").get(public_id=take)


def is_sealed(take: uuid.UUID) -> bool:
    return take_row(take).state != TakeState.OPEN


def is_kept_whole(take: uuid.UUID, film: Path) -> bool:
    """Whether the take's bytes on disk are those that were sent."""
    return (chunks_folder(take) / "chunks.bin").read_bytes() == film.read_bytes()


async def folder_of(show: Show) -> Path:
    recording = await run_in_db(Recording.objects.get, show_id=show.public_id)
    return recording_folder(recording_key(recording.public_id, is_public=recording.is_public))


async def films_a_second(site: str, show: Show, film: Path) -> Path:
    """The show stays usable: another camera films, and what it filmed is there."""
    async with camera(site, show.public_id) as good:
        await good.hello(show, uuid.uuid4())
        await good.film(film)
        assert await good.seal() == pytest.approx(6, abs=0.2)
    return (await folder_of(show)) / "live.m3u8"


async def test_a_take_becomes_segments_and_a_playlist(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        ready = await phone.hello(show, take)
        assert ready == {"ready": {"take": str(take), "next": 0, "max_chunk_bytes": 900_000}}
        await phone.film(recorder_film)
        duration_s = await phone.seal()
        assert await phone.close_code() == 1000
    assert duration_s == pytest.approx(6, abs=0.2)
    assert is_kept_whole(take, recorder_film)
    replay = (await folder_of(show)) / "replay.m3u8"
    found = probe(replay, formats=OUR_FORMATS)
    assert found.picture.codec == "h264"
    assert found.audio is not None
    assert found.audio.codec == "aac"


async def test_the_first_segment_starts_the_show(
    site: str, show: Show, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(recorder_film)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        found = await run_in_db(playback, show.public_id)
        assert found is not None
        assert found.live_url is not None
        async with httpx.AsyncClient(base_url=f"http://{site}") as web:
            live = await web.get(found.live_url)
        assert live.headers["content-type"] == "application/vnd.apple.mpegurl"
        assert "#EXTINF" in live.text or "live.m3u8" in live.text  # there may be renditions


async def test_vp8_of_an_older_phone_becomes_h264(site: str, show: Show, vp8_film: Path) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(vp8_film)
        assert await phone.seal() == pytest.approx(4, abs=0.3)
    found = probe((await folder_of(show)) / "replay.m3u8", formats=OUR_FORMATS)
    assert found.picture.codec == "h264"


async def test_a_connection_that_comes_back_continues_its_take(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        await phone.film(recorder_film, last=10)
    async with camera(site, show.public_id) as phone:
        assert (await phone.hello(show, take))["ready"]["next"] == 10
        await phone.film(recorder_film, first=10)
        assert await phone.seal() == pytest.approx(6, abs=0.2)
    assert is_kept_whole(take, recorder_film)


async def test_a_chunk_that_is_sent_twice_is_kept_once(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        await phone.film(recorder_film, last=3)
        await phone.send(1, b"again")
        assert await phone.answer() == {"ack": {"next": 3}}
    assert (chunks_folder(take) / "chunks.bin").stat().st_size == 3 * CHUNK


async def test_a_missing_chunk_is_a_fault_of_the_protocol(
    site: str, show: Show, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.send(1, b"the first is missing")
        assert await refusal(phone, await phone.answer()) == ("bad_protocol", 4400)


async def test_a_camera_that_stays_away_interrupts_the_show_and_its_take_is_sealed(
    site: str, show: Show, recorder_film: Path, short_patience: None
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        await phone.film(recorder_film)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
    await until_in_db(lambda: is_sealed(take))
    await until_in_db(lambda: Show.objects.get(pk=show.pk).interrupted_at is not None)
    async with camera(site, show.public_id) as phone:
        answer = await phone.hello(show, take)
        assert await refusal(phone, answer) == ("take_sealed", 4412)


def is_interrupted(show: Show) -> bool:
    show.refresh_from_db()
    return show.state == ShowState.LIVE and show.interrupted_at is not None


def told(show: Show) -> list[str]:
    """What the room has been told of the show."""
    entries = LogEntry.objects.filter(topic=show.topic, type__startswith="show.")
    return list(entries.order_by("seq").values_list("type", flat=True))


async def test_a_camera_that_says_nothing_interrupts_the_show_though_it_is_connected(
    site: str, show: Show, recorder_film: Path, short_patience: None
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(recorder_film, last=30)
        await until_in_db(lambda: is_interrupted(show))
        await phone.film(recorder_film, first=30)
        await until_in_db(lambda: not is_interrupted(show))
        assert await phone.seal() == pytest.approx(6, abs=0.2)
        await until_in_db(lambda: told(show)[:3] == ONE_INTERRUPTION)


async def test_a_camera_that_says_nothing_for_long_is_told_that_its_take_is_over(
    site: str, show: Show, recorder_film: Path, short_patience: None
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        await phone.film(recorder_film)
        answer = await phone.answer()
        assert answer["error"]["duration_s"] == pytest.approx(6, abs=0.2)
        assert await refusal(phone, answer) == ("take_sealed", 4412)
    assert (await run_in_db(take_row, take)).state == TakeState.SEALED
    await until_in_db(lambda: is_interrupted(show))


async def test_a_take_that_was_sealed_interrupts_the_show_unless_another_follows(
    site: str, show: Show, recorder_film: Path, short_patience: None
) -> None:
    await films_a_second(site, show, recorder_film)
    await until_in_db(lambda: told(show) == ONE_INTERRUPTION[:2])
    assert await run_in_db(is_interrupted, show)


async def test_ending_after_the_last_take_does_not_tell_that_the_picture_is_gone(
    site: str, show: Show, world: World, recorder_film: Path
) -> None:
    await films_a_second(site, show, recorder_film)
    await until_in_db(lambda: state_of(show) == ShowState.LIVE)
    await run_in_db(shows.end_show, show.public_id, world.zhang)
    await until_in_db(lambda: Recording.objects.get(show_id=show.public_id).sealed_at is not None)
    await until_in_db(lambda: told(show)[-1] == "show.ended")
    assert await run_in_db(told, show) == ["show.started", "show.ended"]


@pytest.mark.parametrize("rubbish", [b"no video " * 100, bytes(4) + b"ftypisom" + bytes(9), b"no"])
async def test_rubbish_is_not_sealed_as_if_all_were_well(
    site: str, show: Show, rubbish: bytes
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.send(0, rubbish)
        await phone.socket.send('{"do": "seal"}')
        assert await phone.answer() == {"ack": {"next": 1}}
        assert await refusal(phone, await phone.answer()) == ("unreadable", 4415)


async def test_nothing_at_all_is_not_sealed_as_if_all_were_well(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.socket.send('{"do": "seal"}')
        assert await refusal(phone, await phone.answer()) == ("no_video", 4415)


@pytest.mark.parametrize("number", [0, 3])
async def test_one_absurd_offset_does_not_move_the_take(
    site: str, show: Show, recorder_film: Path, number: int
) -> None:
    take, began = uuid.uuid4(), now()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        for at, payload in chunks(recorder_film):
            offset_ms = 7 * 24 * 3600 * 1000.0 if at == number else at * 50
            await phone.send(at, payload, offset_ms=offset_ms)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
    started_at = (await run_in_db(take_row, take)).started_at
    assert started_at is not None
    assert abs(started_at - began) < timedelta(seconds=40)


async def test_a_new_take_goes_on_after_the_old_one_on_one_timeline(
    site: str, show: Show, recorder_film: Path
) -> None:
    for _ in range(2):
        await films_a_second(site, show, recorder_film)
    folder = await folder_of(show)
    live = (folder / "live.m3u8").read_text()
    assert live.count("#EXT-X-DISCONTINUITY\n") == 1
    assert live.count("#EXTINF") == 10
    replay = (folder / "replay.m3u8").read_text()
    assert replay.count("#EXTINF") > live.count("#EXTINF")
    found = await run_in_db(playback, show.public_id)
    assert found is not None
    assert [span.media_start_s for span in found.clock.spans] == pytest.approx([0, 6], abs=0.2)


async def test_a_second_broadcaster_is_refused_and_the_first_is_not_disturbed(
    site: str, show: Show, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as first, camera(site, show.public_id) as second:
        await first.hello(show, uuid.uuid4())
        await first.film(recorder_film, last=10)
        answer = await second.hello(show, uuid.uuid4())
        assert await refusal(second, answer) == ("already_broadcasting", 4409)
        await first.film(recorder_film, first=10)
        assert await first.seal() == pytest.approx(6, abs=0.2)


async def test_a_silent_connection_gives_way_to_the_same_persons_new_one(
    site: str, show: Show, recorder_film: Path, short_patience: None
) -> None:
    async with camera(site, show.public_id) as dead, camera(site, show.public_id) as phone:
        await dead.hello(show, uuid.uuid4())
        holder = desk.broadcast_of(show.public_id)
        assert holder is not None
        await until(lambda: holder.silent_s > 0.5)
        assert "ready" in await phone.hello(show, uuid.uuid4())
        assert await dead.close_code() == 4409


async def test_an_unknown_show_is_refused(site: str, show: Show) -> None:
    async with camera(site, new_id()) as phone:
        assert await refusal(phone, await phone.hello(show, uuid.uuid4())) == ("not_found", 4404)


async def test_a_camera_comes_back_after_the_database_was_away(site: str, show: Show) -> None:
    take, table = uuid.uuid4(), Take._meta.db_table
    await run_in_db(rename, table, "away")
    try:
        async with camera(site, show.public_id) as phone:
            answer = await phone.hello(show, take)
            assert await refusal(phone, answer) == ("restarting", 4503)
    finally:
        await run_in_db(rename, "away", table)
    async with camera(site, show.public_id) as phone:
        assert "ready" in await phone.hello(show, take)


def rename(table: str, to: str) -> None:
    with connection.schema_editor() as schema:
        schema.execute(f"ALTER TABLE {table} RENAME TO {to}")


def test_a_database_without_room_is_told_from_one_that_is_away(tmp_path: Path) -> None:
    default = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "full.sqlite3")}
    full = ConnectionHandler({"default": default})["default"]
    with full.cursor() as cursor, pytest.raises(DatabaseError) as away:
        cursor.execute("SELECT * FROM room")
    full.cursor().execute("PRAGMA max_page_count=2")
    with full.cursor() as cursor, pytest.raises(DatabaseError) as raised:
        cursor.execute("CREATE TABLE room AS SELECT zeroblob(100000)")
    full.close()
    assert refusal_for(raised.value).code == "disk_full"
    assert refusal_for(OSError(errno.ENOSPC, "full")).code == "disk_full"
    assert refusal_for(away.value).code == "restarting"


async def test_a_wrong_key_is_refused(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        answer = await phone.hello(show, uuid.uuid4(), key="made-up")
        assert await refusal(phone, answer) == ("sign_in_required", 4401)


async def test_a_key_of_another_show_is_refused(site: str, show: Show, world: World) -> None:
    def another() -> Show:
        return shows.schedule_show(
            seller=world.farm, host=world.zhang, title="Pears", scheduled_at=show.scheduled_at
        )

    other = await run_in_db(another)
    async with camera(site, show.public_id) as phone:
        answer = await phone.hello(show, uuid.uuid4(), key=ingest_keys.issue(other))
        assert await refusal(phone, answer) == ("not_allowed", 4403)


async def test_a_program_without_a_key_is_refused(site: str, show: Show) -> None:
    async with camera(site, show.public_id) as phone:
        answer = await phone.hello(show, uuid.uuid4(), key=None)
        assert await refusal(phone, answer) == ("sign_in_required", 4401)


@pytest.mark.parametrize(
    ("person", "origin", "expected"),
    [
        ("zhang", "http://{site}", None),
        ("gao", "http://{site}", ("not_allowed", 4403)),
        ("zhang", "http://elsewhere.example", ("not_allowed", 4403)),
        (None, "http://{site}", ("sign_in_required", 4401)),
    ],
)
async def test_a_browser_is_known_by_its_session_and_its_page(
    site: str, show: Show, person: str | None, origin: str, expected: tuple[str, int] | None
) -> None:
    cookie = await run_in_db(session_cookie, person) if person else "sessionid=none"
    headers = {"origin": origin.format(site=site), "cookie": cookie}
    async with camera(site, show.public_id, **headers) as phone:
        answer = await phone.hello(show, uuid.uuid4(), key=None)
        if expected is None:
            assert "ready" in answer
        else:
            assert await refusal(phone, answer) == expected


def session_cookie(username: str) -> str:
    from django.test import Client

    client = Client()
    assert client.login(username=username, password=PASSWORD)
    return f"sessionid={client.cookies['sessionid'].value}"


async def test_sound_without_a_picture_is_refused(
    site: str, show: Show, sound: Path, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(sound, last=1)
        assert await refusal(phone, await phone.answer()) == ("no_video", 4415)
    assert (await films_a_second(site, show, recorder_film)).exists()


async def test_garbage_is_refused(site: str, show: Show, recorder_film: Path) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.send(0, b"these bytes are no video" * 100)
        assert await phone.answer() == {"ack": {"next": 1}}
        assert await refusal(phone, await phone.answer()) == ("unreadable", 4415)
    assert (await films_a_second(site, show, recorder_film)).exists()


async def test_an_oversized_chunk_is_refused(site: str, show: Show, recorder_film: Path) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.send(0, bytes(900_001))
        assert await refusal(phone, await phone.answer()) == ("too_big", 4413)
    assert (await films_a_second(site, show, recorder_film)).exists()


@pytest.mark.parametrize("said", ["not json", '{"hello": {}}', '{"hello": {"take": 7}}', "[]"])
async def test_nonsense_is_answered_with_a_reason(site: str, show: Show, said: str) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.socket.send(said)
        assert await refusal(phone, await phone.answer()) == ("bad_protocol", 4400)


async def test_a_killed_encoder_is_followed_by_another_that_goes_on(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        half = await phone.film(recorder_film, last=30)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        for _ in range(2):
            killed = encoder_of(show)
            os.kill(killed.pid, signal.SIGKILL)
            await until(partial(is_another, killed, show))
        await phone.film(recorder_film, first=half)
        assert await phone.seal() == pytest.approx(6, abs=0.1)
    folder = (await folder_of(show)) / str(take)
    assert frame_times(folder) == pytest.approx([n / 30 for n in range(180)], abs=0.002)


def is_another(killed: Encoder, show: Show) -> bool:
    return encoder_of(show) is not killed


def encoder_of(show: Show) -> Encoder:
    holder = desk.broadcast_of(show.public_id)
    assert holder is not None
    assert holder.take is not None
    assert holder.take.encoder is not None
    return holder.take.encoder


def frame_times(folder: Path) -> list[float]:
    """When each picture of a take's segments is shown, in seconds, in their order."""
    files = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
    line = [ffmpeg.ffprobe_path(), "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    line += ["-show_entries", "packet=pts_time", "-i", "pipe:0"]
    whole = b"".join(file.read_bytes() for file in files)
    told = subprocess.run(line, input=whole, capture_output=True, check=True, timeout=30).stdout
    return [float(one.strip(b",")) for one in told.split()]


async def test_ending_the_show_lets_the_camera_go_and_seals_the_recording(
    site: str, show: Show, world: World, recorder_film: Path
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4())
        await phone.film(recorder_film)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        await run_in_db(shows.end_show, show.public_id, world.zhang)
        assert await refusal(phone, await phone.answer()) == ("show_ended", 4410)

    def recording() -> Recording:
        return Recording.objects.get(show_id=show.public_id)

    await until_in_db(lambda: recording().state == RecordingState.READY)
    assert (await run_in_db(recording)).duration_s == pytest.approx(6, abs=0.2)
    folder = await folder_of(show)
    assert (folder / "replay.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    replay = probe(folder / "replay.m3u8", formats=OUR_FORMATS)
    assert replay.duration_s == pytest.approx(6, abs=0.2)
    assert (folder / "live.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    async with camera(site, show.public_id) as phone:
        assert await refusal(phone, await phone.hello(show, uuid.uuid4())) == ("show_ended", 4410)


async def test_a_stopping_server_tells_cameras_to_come_back_and_continue_their_takes(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        half = await phone.film(recorder_film, last=45)
        await until_in_db(lambda: state_of(show) == ShowState.LIVE)
        await desk.stop()
        assert await refusal(phone, await phone.answer()) == ("restarting", 4503)
    await until_in_db(lambda: told(show) == ONE_INTERRUPTION[:2])
    async with camera(site, show.public_id) as phone:
        assert (await phone.hello(show, take))["ready"]["next"] == half
        await phone.film(recorder_film, first=half)
        assert await phone.seal() == pytest.approx(6, abs=0.1)
    assert is_kept_whole(take, recorder_film)
    folder = (await folder_of(show)) / str(take)
    assert frame_times(folder) == pytest.approx([n / 30 for n in range(180)], abs=0.002)
    await until_in_db(lambda: told(show) == ONE_INTERRUPTION)


async def test_what_was_acknowledged_is_in_the_replay_though_nobody_came_back(
    site: str, show: Show, recorder_film: Path
) -> None:
    take = uuid.uuid4()
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, take)
        await phone.film(recorder_film)
        await desk.stop()
    folder = (await folder_of(show)) / str(take)
    assert len(frame_times(folder)) < 180
    await run_in_db(shows.seal_leftovers)
    assert (await run_in_db(take_row, take)).state == TakeState.OPEN
    with time_machine.travel(now() + LEFT_FOR + timedelta(seconds=1), tick=True):
        await run_in_db(shows.seal_leftovers, alone=False)
    row = await run_in_db(take_row, take)
    assert row.state == TakeState.SEALED
    assert row.duration_s == pytest.approx(6, abs=0.1)
    assert frame_times(folder) == pytest.approx([n / 30 for n in range(180)], abs=0.002)


async def test_sound_alone_is_a_broadcast_where_the_camera_says_so(
    site: str, show: Show, sound: Path
) -> None:
    async with camera(site, show.public_id) as phone:
        await phone.hello(show, uuid.uuid4(), mime="audio/webm")
        await phone.film(sound)
        assert await phone.seal() == pytest.approx(2, abs=0.1)
    live = ((await folder_of(show)) / "live.m3u8").read_text()
    assert live.count("#EXTINF") >= 2
