"""Files that follow what was said of a recording: at once, or when the disk lets them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.errors import Conflict
from media_pipeline import jobs
from media_pipeline.models import Asset, Job, JobState, Passage
from media_pipeline.selectors import playback
from media_pipeline.services import passages, settling
from media_pipeline.services.clips import make_clip
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.services.settling import SETTLE_RECORDING, set_public
from media_pipeline.storage import storage
from media_pipeline.worker import run_waiting
from tests.media_pipeline.footage import Footage, recording_of
from tests.media_pipeline.test_passages import frames_in_storage, removed
from tests.world import World

pytestmark = pytest.mark.ffmpeg


@pytest.fixture(autouse=True)
def _storage_of_its_own(settings: Any, tmp_path: Path) -> None:
    """These look at every file that there is."""
    settings.DATA_ROOT = tmp_path


def test_nothing_is_built_on_files_that_still_hold_what_was_removed(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """The disk was full for so long that the removal was given up; it is free again now."""
    recording = recording_of(world.show, Footage())
    with django_capture_on_commit_callbacks(execute=True):
        set_public(recording.show_id, is_public=False)

    def has_no_room(*args: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(passages, "_move", has_no_room)
        with pytest.raises(OSError, match="no space"):
            removed(recording, world, 1.2, 1.8)
    job = jobs.job_of(SETTLE_RECORDING, recording.public_id)
    assert job
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, leased_until=None)
    recording.refresh_from_db()

    with pytest.raises(Conflict):
        removed(recording, world, 2.2, 2.8)
    with pytest.raises(Conflict):
        set_public(recording.show_id, is_public=True)
    assert Passage.objects.count() == 1
    assert not storage().keys("public/recordings")

    assert settling.try_again() == 1
    assert settling.try_again() == 0
    run_waiting()
    assert frames_in_storage() == {*range(10), *range(20, 40)}
    recording.refresh_from_db()
    removed(recording, world, 2.2, 2.8)
    with django_capture_on_commit_callbacks(execute=True):
        set_public(recording.show_id, is_public=True)
    assert storage().keys("public/recordings")


def test_files_of_a_show_that_is_not_public_any_more_are_not_at_their_old_addresses(
    world: World, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    recording = recording_of(world.show, Footage())
    clip = make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=0,
        end_s=2,
        title="one",
        actor=world.zhang,
    )
    enqueue_processing(recording.public_id)
    run_waiting()
    assert storage().keys("public/recordings")
    with django_capture_on_commit_callbacks(execute=True):
        set_public(recording.show_id, is_public=False)
    assert storage().keys("public/recordings") == storage().keys("public/clips") == []
    recording.refresh_from_db()
    clip.refresh_from_db()
    whole = Asset.objects.get(recording=recording, kind="recording")
    for key in (whole.master_key, whole.poster_key, clip.download_key, whole.download_key):
        assert key.startswith("private/")
        assert storage().size(key)
    found = playback(recording.show_id)
    assert found
    assert found.replay_url
    assert found.replay_url.startswith("/media/s/")
    with django_capture_on_commit_callbacks(execute=True):
        set_public(recording.show_id, is_public=True)
    assert not storage().keys("private/recordings")
    whole.refresh_from_db()
    assert storage().size(whole.master_key)
    assert whole.download_key.startswith("private/downloads/")
    jobs.restart(settling.SETTLE_RECORDING, recording.public_id)
    lease = jobs.claim([settling.SETTLE_RECORDING])
    assert lease
    settling.settle(lease)  # once more changes nothing
    assert storage().size(whole.master_key)
