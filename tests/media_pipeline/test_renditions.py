from __future__ import annotations

import pytest

from core.ids import new_id
from core.models import OutboxFact
from livecommerce.wiring import HANDLERS
from media_pipeline import jobs, tasks
from media_pipeline.events import RecordingSealed
from media_pipeline.ffmpeg import SourceUnreadable
from media_pipeline.jobs import LeaseLost
from media_pipeline.models import Asset, AssetState, Job, JobState, Recording
from media_pipeline.probe import OUR_FORMATS, probe
from media_pipeline.recipes import Size
from media_pipeline.renditions import segment_rates
from media_pipeline.selectors import playback
from media_pipeline.services.recordings import PROCESS_RECORDING, enqueue_processing
from media_pipeline.storage import storage
from media_pipeline.work import OutputWrong, Wanted, Work, checked
from streams.camera_handlers import process_recording
from tests.media_pipeline.footage import (
    FPS,
    Footage,
    folder_of,
    frame_numbers,
    recording_of,
    take_folder,
    take_ids,
)
from tests.world import World

pytestmark = pytest.mark.ffmpeg


def claimed(recording: Recording) -> Work:
    enqueue_processing(recording.public_id)
    lease = jobs.claim([PROCESS_RECORDING])
    assert lease
    return Work(lease)


def processed(recording: Recording) -> Asset:
    tasks.process_recording(claimed(recording))
    return Asset.objects.get(recording=recording)


def test_a_recording_becomes_renditions_a_download_and_a_poster(world: World) -> None:
    recording = recording_of(world.show, Footage())
    asset = processed(recording)
    assert asset.state == AssetState.READY
    assert asset.duration_s == pytest.approx(recording.duration_s, abs=0.5)
    sizes = {(r.name, r.width, r.height) for r in asset.renditions.all()}
    assert sizes == {("144p", 256, 144)}  # so modest that it is copied, and needs no lower one
    keys = [asset.master_key, asset.download_key, asset.poster_key]
    for key in (*keys, asset.storyboard_key, asset.waveform_key):
        assert storage().size(key)
    found = playback(recording.show_id)
    assert found
    assert (found.storyboard_url or "").endswith("/storyboard.vtt")


def test_every_rendition_is_what_its_row_says(world: World) -> None:
    asset = processed(recording_of(world.show, Footage()))
    for row in asset.renditions.all():
        with storage().local_path(row.key) as playlist:
            found = probe(playlist, formats=OUR_FORMATS)
        assert (found.picture.width, found.picture.height) == (row.width, row.height)
        assert (found.picture.codec, found.audio and found.audio.codec) == ("h264", "aac")
        assert found.duration_s == pytest.approx(4, abs=0.5)


def test_the_master_playlist_names_the_renditions(world: World) -> None:
    asset = processed(recording_of(world.show, Footage()))
    lines = storage().read(asset.master_key).decode().splitlines()
    folder = asset.master_key.rpartition("/")[0]
    named = {f"{folder}/{line}" for line in lines if not line.startswith("#")}
    rows = set(asset.renditions.values_list("key", flat=True))
    assert named == {*rows, f"{folder}/audio/audio.m3u8"}
    assert sum('CODECS="avc1.' in line for line in lines) == len(rows)


def test_the_download_of_one_take_is_a_copy_of_its_frames(world: World) -> None:
    asset = processed(recording_of(world.show, Footage()))
    with storage().local_path(asset.download_key) as path:
        assert frame_numbers(path) == list(range(4 * FPS))


def test_takes_of_other_shapes_join_on_one_timeline(world: World) -> None:
    recording = recording_of(
        world.show, Footage(), Footage(144, 256, seconds=2), Footage(seconds=2, sound=False)
    )
    asset = processed(recording)
    assert (asset.width, asset.height) == (256, 144)
    assert asset.duration_s == pytest.approx(8, abs=0.5)
    with storage().local_path(asset.download_key) as path:
        frames = frame_numbers(path)
    assert frames[4 * FPS : 6 * FPS] == list(range(2 * FPS))
    assert frames[6 * FPS : 8 * FPS] == list(range(2 * FPS))


def test_a_silent_recording_gets_a_silent_sound_track(world: World) -> None:
    asset = processed(recording_of(world.show, Footage(sound=False)))
    with storage().local_path(asset.download_key) as path:
        found = probe(path)
    assert found.audio
    assert found.audio.codec == "aac"
    assert found.duration_s == pytest.approx(4, abs=0.5)


def test_it_is_told_once_that_the_recording_is_processed(world: World) -> None:
    recording = recording_of(world.show, Footage())
    asset = processed(recording)
    fact = OutboxFact.objects.get(type="media.RecordingProcessed")
    assert fact.data == {
        "show_id": str(recording.show_id),
        "recording_id": str(recording.public_id),
        "asset_id": str(asset.public_id),
    }
    assert recording_job_state(recording) == JobState.DONE


def recording_job_state(recording: Recording) -> str:
    job = jobs.job_of(PROCESS_RECORDING, recording.public_id)
    assert job
    return job.state


def test_asking_again_after_it_is_done_does_nothing(world: World) -> None:
    recording = recording_of(world.show, Footage())
    processed(recording)
    enqueue_processing(recording.public_id)
    assert jobs.claim([PROCESS_RECORDING]) is None
    assert Asset.objects.count() == 1


def test_a_worker_that_lost_its_lease_cannot_publish(world: World) -> None:
    recording = recording_of(world.show, Footage())
    stale = claimed(recording)
    jobs.hand_back(stale.lease)
    fresh = jobs.claim([PROCESS_RECORDING])
    assert fresh
    with pytest.raises(LeaseLost):
        tasks.process_recording(stale)
    assert not Asset.objects.exists()
    assert not OutboxFact.objects.filter(type="media.RecordingProcessed").exists()
    assert storage().keys(f"{folder_of(recording)}/r") == []
    tasks.process_recording(Work(fresh))
    asset = Asset.objects.get()
    assert storage().size(asset.master_key)


def test_what_a_dead_attempt_stored_is_swept(world: World) -> None:
    recording = recording_of(world.show, Footage())
    dead = claimed(recording)
    stored = f"{folder_of(recording)}/r/{dead.lease.epoch}/recording.mp4"
    storage().write(stored, b"of a worker that lost its power")
    jobs.hand_back(dead.lease)
    processed(recording)
    assert storage().size(stored) is None


def test_a_damaged_take_is_refused_and_leaves_nothing(world: World) -> None:
    recording = recording_of(world.show, Footage())
    [take_id] = take_ids(recording)
    for number in range(4):
        key = f"{folder_of(recording)}/{take_id}/{number:05d}.m4s"
        storage().write(key, b"\0" * (storage().size(key) or 1))
    with pytest.raises(SourceUnreadable):
        tasks.process_recording(claimed(recording))
    assert not Asset.objects.exists()
    assert storage().keys(f"{folder_of(recording)}/r") == []


def test_a_sealed_recording_is_processed_without_anybody_asking(world: World) -> None:
    recording = recording_of(world.show, Footage())
    sealed = RecordingSealed(recording.show_id, recording.public_id, recording.duration_s)
    assert process_recording in HANDLERS[RecordingSealed]
    for _delivery in range(2):
        process_recording(sealed, new_id())
    job = Job.objects.get()
    assert (job.kind, job.subject_id) == (PROCESS_RECORDING, recording.public_id)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("hevc", Size(256, 144), 4, "aac"),
        Wanted("h264", Size(144, 256), 4, "aac"),
        Wanted("h264", Size(256, 144), 5, "aac"),
        Wanted("h264", Size(256, 144), 4, "opus"),
        Wanted("h264", Size(256, 144), 4, None),
    ],
)
def test_an_output_that_is_not_as_planned_is_refused(wanted: Wanted) -> None:
    playlist = take_folder(Footage()) / "take.m3u8"
    checked(playlist, Wanted("h264", Size(256, 144), 4, "aac"))
    with pytest.raises(OutputWrong):
        checked(playlist, wanted)


def test_segment_rates_come_from_byte_ranges() -> None:
    playlist = "#EXTINF:2.0,\n#EXT-X-BYTERANGE:1000@0\nv\n#EXTINF:1.0,\n#EXT-X-BYTERANGE:500@1\nv\n"
    assert segment_rates(playlist) == [4000, 4000]
