from __future__ import annotations

import math
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest
from django.db import connection

from core.errors import Conflict, InvalidInput, NotFound
from core.models import OutboxFact
from media_pipeline import jobs, tasks
from media_pipeline.jobs import LeaseLost
from media_pipeline.models import Asset, AssetState, Job, JobState, Recording, RecordingState
from media_pipeline.probe import OUR_FORMATS, probe
from media_pipeline.services import clips
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.editions import RecordingChanged
from media_pipeline.storage import storage
from media_pipeline.work import Work
from tests.media_pipeline.footage import Footage, frame_numbers, recording_of
from tests.world import World


def empty_recording(world: World, duration_s: float = 600) -> Recording:
    """A recording of which only the row matters."""
    return Recording.objects.create(
        show_id=world.show.public_id,
        is_public=True,
        state=RecordingState.READY,
        duration_s=duration_s,
    )


def ask(
    world: World, recording: Recording, start_s: float, end_s: float, title: str = "How to graft"
) -> Asset:
    return clips.make_clip(
        recording_id=recording.public_id,
        edition=recording.edition,
        start_s=start_s,
        end_s=end_s,
        title=title,
        actor=world.zhang,
    )


def cut(world: World, recording: Recording, start_s: float, end_s: float) -> Asset:
    asset = ask(world, recording, start_s, end_s)
    lease = jobs.claim([MAKE_CLIP])
    assert lease
    tasks.make_clip(Work(lease))
    asset.refresh_from_db()
    return asset


def frames_of(asset: Asset) -> list[int]:
    with storage().local_path(asset.download_key) as path:
        return frame_numbers(path)


def test_asking_makes_a_waiting_asset_and_a_job_of_the_person(world: World) -> None:
    asset = ask(world, empty_recording(world), 10, 70, "  How to\n graft ")
    assert (asset.state, asset.title) == (AssetState.WAITING, "How to graft")
    job = clips.job_of(asset)
    assert job
    assert (job.owner, job.state) == (world.zhang, JobState.QUEUED)


def test_the_same_again_is_the_same_clip(world: World) -> None:
    recording = empty_recording(world)
    first = ask(world, recording, 10, 70)
    assert ask(world, recording, 10, 70, " How to graft ") == first
    assert ask(world, recording, 10, 71) != first
    assert ask(world, recording, 10, 70, "Grafting") != first
    assert Job.objects.count() == 3


def test_a_clip_that_came_to_nothing_can_be_asked_for_again(world: World) -> None:
    recording = empty_recording(world)
    first = ask(world, recording, 10, 70)
    clips.clip_failed(first.public_id, "the disk was full")
    assert ask(world, recording, 10, 70) != first


def test_seconds_of_a_page_that_is_not_up_to_date_make_no_clip(world: World) -> None:
    seen = empty_recording(world)
    Recording.objects.update(edition=1, duration_s=60)
    with pytest.raises(RecordingChanged):
        ask(world, seen, 10, 70)
    assert not Asset.objects.exists()


class NoLock:
    """`transaction` as it would be if asking were not one transaction."""

    @staticmethod
    def atomic() -> AbstractContextManager[Any]:
        return nullcontext()


def meet_after_looking(monkeypatch: pytest.MonkeyPatch, people: int) -> None:
    """Whoever found no such clip waits for the others, where the lock lets them come."""
    meeting = threading.Barrier(people)
    look = clips._known_clip

    def look_and_meet(wanted: Asset) -> Asset | None:
        found = look(wanted)
        with suppress(threading.BrokenBarrierError):  # the lock kept the others out
            meeting.wait(timeout=1)
        return found

    monkeypatch.setattr(clips, "_known_clip", look_and_meet)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "made"), [(True, 1), (False, 2)], ids=["locked", "negative control"]
)
def test_two_equal_requests_at_once_are_one_clip(
    world: World, monkeypatch: pytest.MonkeyPatch, is_locked: bool, made: int
) -> None:
    recording = empty_recording(world)
    meet_after_looking(monkeypatch, people=2)
    if not is_locked:
        monkeypatch.setattr(clips, "transaction", NoLock)
        manager = type(Recording.objects)
        monkeypatch.setattr(manager, "select_for_update", lambda self: self.all())

    def tap() -> None:
        try:
            ask(world, recording, 10, 70)
        finally:
            connection.close()

    taps = [threading.Thread(target=tap) for _tap in range(2)]
    for thread in taps:
        thread.start()
    for thread in taps:
        thread.join(timeout=30)
    assert (Asset.objects.count(), Job.objects.count()) == (made, made)


@pytest.mark.parametrize(
    ("start_s", "end_s", "title", "field"),
    [
        (-0.1, 10, "t", "start_s"),
        (math.nan, 10, "t", "start_s"),
        (math.inf, 10, "t", "start_s"),
        (0, math.nan, "t", "end_s"),
        (0, math.inf, "t", "end_s"),
        (590, 601, "t", "end_s"),
        (10, 10.9, "t", "end_s"),
        (20, 10, "t", "end_s"),
        (0, 180.1, "t", "end_s"),
        (0, 10, "   ", "title"),
        (0, 10, "t" * 121, "title"),
    ],
)
def test_a_clip_that_cannot_be_is_refused_with_the_field(
    world: World, start_s: float, end_s: float, title: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(world, empty_recording(world), start_s, end_s, title)
    assert refused.value.field == field
    assert not Asset.objects.exists()
    assert not Job.objects.exists()


def test_one_second_and_three_minutes_are_allowed(world: World) -> None:
    recording = empty_recording(world)
    ask(world, recording, 0, 1)
    ask(world, recording, 420, 600)
    assert Asset.objects.count() == 2


def test_the_players_idea_of_the_end_is_taken_back_to_ours(world: World) -> None:
    assert ask(world, empty_recording(world), 590, 600.2).end_s == 600


def test_a_show_that_still_runs_has_no_clips(world: World) -> None:
    recording = empty_recording(world)
    Recording.objects.update(state=RecordingState.LIVE)
    with pytest.raises(Conflict):
        ask(world, recording, 0, 10)
    assert not Asset.objects.exists()


def test_an_unknown_recording_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        ask(world, Recording(), 0, 5)


@pytest.mark.ffmpeg
def test_a_clip_is_cut_to_the_frame(world: World) -> None:
    asset = cut(world, recording_of(world.show, Footage()), 1.3, 3.1)
    assert frames_of(asset) == list(range(13, 31))


@pytest.mark.ffmpeg
def test_a_clip_goes_over_the_seam_of_two_takes(world: World) -> None:
    recording = recording_of(world.show, Footage(), Footage(144, 256, seconds=2, sound=False))
    asset = cut(world, recording, 3.5, 5.0)
    assert frames_of(asset) == [*range(35, 40), *range(10)]


@pytest.mark.ffmpeg
def test_a_clip_is_upright_and_has_sound_and_a_poster(world: World) -> None:
    asset = cut(world, recording_of(world.show, Footage()), 0, 2)
    with storage().local_path(asset.download_key) as path:
        found = probe(path)
    assert (found.picture.width, found.picture.height) == (asset.width, asset.height) == (80, 144)
    assert found.audio
    assert found.duration_s == pytest.approx(2, abs=0.1)
    with storage().local_path(asset.poster_key) as path:
        assert probe(path, formats=OUR_FORMATS).picture.codec == "mjpeg"


@pytest.mark.ffmpeg
def test_a_clip_can_be_played_while_it_is_downloaded(world: World) -> None:
    asset = cut(world, recording_of(world.show, Footage()), 0, 2)
    head = storage().read(asset.download_key)
    assert head.index(b"moov") < head.index(b"mdat")


@pytest.mark.ffmpeg
def test_it_is_told_that_the_clip_is_ready(world: World) -> None:
    recording = recording_of(world.show, Footage())
    asset = cut(world, recording, 0, 2)
    assert asset.state == AssetState.READY
    assert OutboxFact.objects.get(type="media.ClipReady").data == {
        "show_id": str(recording.show_id),
        "recording_id": str(recording.public_id),
        "asset_id": str(asset.public_id),
    }


@pytest.mark.ffmpeg
def test_a_clip_of_an_invited_show_is_private(world: World) -> None:
    asset = cut(world, recording_of(world.show, Footage(), is_public=False), 0, 2)
    assert asset.download_key.startswith("private/clips/")
    assert asset.poster_key.startswith("private/clips/")


@pytest.mark.ffmpeg
def test_a_worker_that_lost_its_lease_shows_no_clip(world: World) -> None:
    asset = ask(world, recording_of(world.show, Footage()), 0, 2)
    stale = jobs.claim([MAKE_CLIP])
    assert stale
    jobs.hand_back(stale)
    fresh = jobs.claim([MAKE_CLIP])
    assert fresh
    with pytest.raises(LeaseLost):
        tasks.make_clip(Work(stale))
    asset.refresh_from_db()
    assert asset.state == AssetState.WAITING
    assert storage().keys(clips.clip_folder(asset)) == []
    tasks.make_clip(Work(fresh))
    asset.refresh_from_db()
    assert asset.state == AssetState.READY
