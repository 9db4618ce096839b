"""A recording in the bucket: it moves there after its show, and everything goes on from there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from media_pipeline import jobs, serving
from media_pipeline.ingest import layout
from media_pipeline.models import Asset, Job, JobState, Recording
from media_pipeline.selectors import playback
from media_pipeline.services import settling
from media_pipeline.services.archiving import ARCHIVE_RECORDING, archive_left, enqueue_archiving
from media_pipeline.services.clips import make_clip
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.services.removal import remove_recording
from media_pipeline.services.settling import set_public
from media_pipeline.services.takes import playable_takes
from media_pipeline.storage import storage
from media_pipeline.storage_s3 import S3Storage
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_job, run_waiting
from tests.media_pipeline.footage import Footage, folder_of, frame_numbers, recording_of
from tests.media_pipeline.s3_relay import Relay, relay
from tests.media_pipeline.stores import new_bucket
from tests.media_pipeline.test_passages import removed
from tests.s3_server import S3Server
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def wire(s3: S3Server) -> Iterator[Relay]:
    with relay(s3.address) as found:
        yield found


@pytest.fixture(autouse=True)
def bucket(s3: S3Server, wire: Relay, settings: Any, tmp_path: Path) -> S3Storage:
    """The product keeps its media in a bucket of this server."""
    found = new_bucket(s3, wire.address)
    settings.DATA_ROOT = tmp_path
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = found.name, found.endpoint_url
    settings.S3_REGION, settings.S3_PUBLIC_URL = found.region, ""
    settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = found.key_id, found.secret
    remote = storage().remote
    assert remote is not None
    return remote


@pytest.fixture
def recording(world: World) -> Recording:
    found = recording_of(world.show, Footage(seconds=4))
    folder = layout.recording_folder(folder_of(found))
    layout.write_playlists(folder, playable_takes(found), ended=True)
    return found


def on_disk() -> list[str]:
    files = (path for path in storage().root.rglob("*") if path.is_file())
    return sorted(path.relative_to(storage().root).as_posix() for path in files)


def moved(recording: Recording) -> None:
    enqueue_archiving(recording.public_id)
    run_waiting()
    assert on_disk() == []


def got(url: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=serving.application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.get(url, headers=headers)

    return asyncio.run(ask())


def frames_played(url: str, tmp_path: Path) -> set[int]:
    """The numbers of the frames that a player sees from this address of a playlist of takes."""
    playlist = got(url).text
    base = url.rpartition("/")[0]
    init, seen = b"", set[int]()
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-MAP:"):
            init = got(f"{base}/{line.split(chr(34))[1]}").content
        elif line and not line.startswith("#"):
            path = tmp_path / "played.mp4"
            path.write_bytes(init + got(f"{base}/{line}").content)
            seen |= set(frame_numbers(path))
    return seen


def test_a_recording_moves_and_is_played_and_cut_from_the_bucket(
    recording: Recording, world: World, tmp_path: Path
) -> None:
    replay = f"/media/{folder_of(recording)}/replay.m3u8"
    before = frames_played(replay, tmp_path)
    moved(recording)
    assert frames_played(replay, tmp_path) == before == set(range(40))
    clip = make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=1,
        end_s=3,
        title="from the bucket",
        actor=world.zhang,
    )
    run_waiting()
    clip.refresh_from_db()
    with storage().local_path(clip.download_key) as path:
        assert set(frame_numbers(path)) == set(range(10, 30))
    assert on_disk() == []


def test_renditions_are_made_into_the_bucket_and_then_its_takes_move(recording: Recording) -> None:
    enqueue_processing(recording.public_id)
    run_waiting()
    asset = Asset.objects.get(recording=recording)
    assert not [name for name in on_disk() if "/r/" in name]
    moved(recording)
    found = playback(recording.show_id)
    assert found
    assert found.replay_url
    assert "#EXT-X-STREAM-INF" in got(found.replay_url).text
    poster = got(found.poster_url or "")
    assert (poster.status_code, poster.headers["content-type"]) == (200, "image/jpeg")
    assert asset.poster_key.startswith(folder_of(recording))


def test_a_worker_that_is_killed_at_any_moment_loses_nothing(
    recording: Recording, wire: Relay, tmp_path: Path
) -> None:
    """Each attempt is cut off one request later than the one before, until one gets through."""
    replay = f"/media/{folder_of(recording)}/replay.m3u8"
    enqueue_archiving(recording.public_id)
    for number in range(100):
        run_until_request(wire, number * 3)
        assert frames_played(replay, tmp_path) == set(range(40))
        if not on_disk():
            break
        Job.objects.update(state=JobState.QUEUED, attempts=0, run_after=None, leased_until=None)
    assert number > 2
    assert on_disk() == []


def run_until_request(wire: Relay, number: int) -> None:
    """As far as a worker gets that loses its bucket for good after so many requests."""
    wire.fail("refuse", 10_000, after=number)
    lease = jobs.claim([ARCHIVE_RECORDING])
    assert lease
    run_job(lease, TASKS[ARCHIVE_RECORDING], threading.Event())
    wire.fail("", 0)


def test_a_passage_is_taken_out_of_what_is_in_the_bucket(
    recording: Recording, world: World, tmp_path: Path
) -> None:
    enqueue_processing(recording.public_id)
    run_waiting()
    moved(recording)
    old = storage().keys(folder_of(recording))
    removed(recording, world, 1.2, 1.8)
    run_waiting()
    left = {*range(10), *range(20, 40)}
    replay = f"/media/{folder_of(recording)}/replay.m3u8"
    assert frames_played(replay, tmp_path) == left
    Job.objects.filter(kind=ARCHIVE_RECORDING).update(run_after=None)
    run_waiting()
    assert on_disk() == []
    assert frames_played(replay, tmp_path) == left
    assert frames_stored(recording, tmp_path) == left
    # What is left of a take that was cut in two has new addresses.
    assert got(next(f"/media/{key}" for key in old if key.endswith("00001.m4s"))).status_code == 404


def frames_stored(recording: Recording, tmp_path: Path) -> set[int]:
    """What all segments show that are in the storage, whether a playlist names them or not."""
    seen = set[int]()
    for key in storage().keys(folder_of(recording)):
        if key.endswith(".m4s") and "/r/" not in key:
            path = tmp_path / "stored.mp4"
            init = storage().read(f"{key.rpartition('/')[0]}/init.mp4")
            path.write_bytes(init + storage().read(key))
            seen |= set(frame_numbers(path))
    return seen


def test_a_hidden_show_is_at_none_of_its_old_addresses(recording: Recording) -> None:
    moved(recording)
    keys = storage().keys(folder_of(recording))
    set_public(recording.show_id, is_public=False)
    run_waiting()
    assert [got(f"/media/{key}").status_code for key in keys] == [404] * len(keys)
    found = playback(recording.show_id)
    assert found
    assert found.replay_url
    assert got(found.replay_url).status_code == 200


def test_a_removed_recording_leaves_nothing_in_the_bucket(
    recording: Recording, bucket: S3Storage
) -> None:
    enqueue_processing(recording.public_id)
    run_waiting()
    moved(recording)
    remove_recording(recording.show_id)
    assert [*bucket.keys("public/recordings"), *bucket.keys("private/downloads")] == []
    assert list(bucket.unfinished()) == []


def test_what_was_filmed_before_there_was_a_bucket_moves_too(recording: Recording) -> None:
    assert archive_left() == 1
    assert archive_left() == 0, "it waits for its worker"
    run_waiting()
    assert on_disk() == []
    assert archive_left() == 0


def test_a_change_that_waits_keeps_the_disk_s_copy(recording: Recording, world: World) -> None:
    """Both at once would each believe the other one has the files."""
    jobs.enqueue(settling.SETTLE_RECORDING, recording.public_id)
    enqueue_archiving(recording.public_id)
    lease = jobs.claim([ARCHIVE_RECORDING])
    assert lease
    run_job(lease, TASKS[ARCHIVE_RECORDING], threading.Event())
    assert on_disk()


def test_addresses_lead_browsers_to_the_bucket_where_they_can_reach_it(
    recording: Recording, settings: Any, s3: S3Server
) -> None:
    settings.S3_PUBLIC_URL = s3.url
    moved(recording)
    folder = folder_of(recording)
    assert got(f"/media/{folder}/replay.m3u8").status_code == 200
    segment = next(key for key in storage().keys(folder) if key.endswith(".m4s"))
    answer = got(f"/media/{segment}")
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(s3.url)
    film = httpx.get(answer.headers["location"], headers={"range": "bytes=4-7"}, trust_env=False)
    assert (film.status_code, film.content) == (206, b"moof")


def test_parts_of_files_and_known_versions_are_passed_on(recording: Recording) -> None:
    moved(recording)
    segment = next(key for key in storage().keys(folder_of(recording)) if key.endswith(".m4s"))
    url = f"/media/{segment}"
    part = got(url, range="bytes=4-7")
    assert (part.status_code, part.content) == (206, b"moof")
    whole = got(url)
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    assert got(url, **{"if-none-match": whole.headers["etag"]}).status_code == 304
    assert got(url, range="bytes=99999999-").status_code == 416
    assert got(f"{url}x").status_code == 404


def test_a_bucket_that_is_away_is_told_to_players(
    recording: Recording, wire: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(recording)
    wire.fail("500", 10_000)
    answer = got(f"/media/{folder_of(recording)}/replay.m3u8")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
