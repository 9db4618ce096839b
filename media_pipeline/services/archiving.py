"""Moving a recording to the bucket after its show, and fetching it back to change it.

While a show runs everything of it is on this machine's disk. Afterwards a job copies it to the
bucket, and only when all of it is there, by name and size, the disk's copy goes; who reads looks on
the disk first, so nobody notices. It may be killed at any moment and begins anew.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from media_pipeline import jobs
from media_pipeline.ffmpeg import MediaCancelled
from media_pipeline.ingest import layout
from media_pipeline.models import Job, JobState, Recording, RecordingState
from media_pipeline.storage import storage, work_folder
from media_pipeline.work import Work

if TYPE_CHECKING:
    from media_pipeline.storage_s3 import S3Storage

ARCHIVE_RECORDING, SETTLE_RECORDING = "archive_recording", "settle_recording"
PRIORITY = jobs.Priority.BESIDE
AT_ONCE = 8
SETTLED_FOR = timedelta(seconds=60)
"""After a change of a recording's files: who copied the old ones has noticed by then."""
LOOK_AT_MOST = 100


def enqueue_archiving(recording_id: uuid.UUID, *, after: timedelta = timedelta(0)) -> None:
    """Have a finished recording moved to the bucket, if there is one."""
    if storage().remote is not None:
        jobs.restart(ARCHIVE_RECORDING, recording_id, priority=PRIORITY, after=after)


def archive(work: Work) -> None:
    """Copy what is on the disk, look whether all of it has arrived, and only then delete it."""
    recording = Recording.objects.get(public_id=work.lease.subject_id)
    remote = storage().remote
    if remote is not None and _is_settled(recording):
        folders = _folders(recording)
        for number, folder in enumerate(folders):
            _copy(work, remote, folder, number / len(folders), 1 / len(folders))
        _let_go(work, remote, recording, folders)
    jobs.finish(work.lease)


def _is_settled(recording: Recording) -> bool:
    """Whether its show is over and no change of its files is under way, or failed."""
    unsettled = Job.objects.filter(kind=SETTLE_RECORDING, subject_id=recording.public_id)
    is_changing = unsettled.exclude(state=JobState.DONE).exists()
    return recording.state != RecordingState.LIVE and not is_changing


def _folders(recording: Recording) -> list[str]:
    """What of a recording is written to the disk while its show runs."""
    takes = recording.takes.values_list("public_id", flat=True)
    return [_place(recording), *(f"private/takes/{take}" for take in takes)]


def _place(recording: Recording) -> str:
    return layout.recording_key(recording.public_id, is_public=recording.is_public)


def _copy(work: Work, remote: S3Storage, folder: str, begin: float, share: float) -> None:
    local = storage().local
    there = {one.key: one.size for one in remote.stored(folder)}
    wanted = [one.key for one in local.stored(folder) if there.get(one.key) != one.size]

    def bring(key: str) -> None:
        if work.stop.is_set():
            raise MediaCancelled(_("The work was stopped."))
        work.require_held()  # who takes the job over writes to the same place
        remote.copy_in(key, local.path(key))
        work.progress += share / len(wanted)

    work.progress = begin
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="archive") as threads:
        list(threads.map(bring, wanted))


def _let_go(work: Work, remote: S3Storage, recording: Recording, folders: Sequence[str]) -> None:
    """Delete the disk's copy. Who changes a recording withdraws this job under the same lock, so
    that never both believe the other one has the files."""
    with transaction.atomic():
        locked = Recording.objects.select_for_update().get(pk=recording.pk)
        jobs.heartbeat(work.lease, work.progress)
        if locked.is_public == recording.is_public and _is_settled(locked):
            for folder in folders:
                if _is_level(remote, folder):
                    storage().local.delete_folder(folder)


def _is_level(remote: S3Storage, folder: str) -> bool:
    """Whether the bucket has every file that the disk has."""
    there = {one.key: one.size for one in remote.stored(folder)}
    return all(there.get(one.key) == one.size for one in storage().local.stored(folder))


def fetch(recording: Recording) -> None:
    """Have a recording's takes on the disk alone, to be changed there; it may be done again.

    What was made of them goes from the bucket too: it shows what the takes do not hold any more.
    """
    remote = storage().remote
    if remote is None:
        return
    for take in recording.takes.values_list("public_id", flat=True):
        _fetch_folder(remote, f"{_place(recording)}/{take}")
    # Only now: until all of it is on the disk, the bucket's is the only copy.
    remote.delete_folder(_place(recording))


def _fetch_folder(remote: S3Storage, folder: str) -> None:
    """Whole or not at all; a folder on the disk may already be the changed one."""
    local, keys = storage().local, remote.keys(folder)
    if not keys or local.path(folder).exists():
        return
    with TemporaryDirectory(prefix="fetch-", dir=work_folder()) as place:
        whole = Path(place) / "whole"
        whole.mkdir()

        def get(key: str) -> None:
            path = whole / key.removeprefix(f"{folder}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with remote.local_path(key) as copy:
                shutil.copyfile(copy, path)

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as threads:
            list(threads.map(get, keys))
        local.write_folder(folder, whole)


def archive_left() -> int:
    """Have moved what was not: the bucket was away, or is new in the settings; how many."""
    if storage().remote is None:
        return 0
    left = list(_on_disk())[:LOOK_AT_MOST]
    for recording_id in left:
        enqueue_archiving(recording_id)
    return len(left)


def _on_disk() -> Iterator[uuid.UUID]:
    """Recordings on the disk whose show is over and with which nobody is busy."""
    busy = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    done = Recording.objects.exclude(state=RecordingState.LIVE)
    done = done.exclude(public_id__in=busy.values("subject_id"))
    for visibility in ("public", "private"):
        folder = storage().root / visibility / "recordings"
        names = os.listdir(folder) if folder.is_dir() else []
        yield from done.filter(public_id__in=_ids(names)).values_list("public_id", flat=True)


def _ids(names: Sequence[str]) -> list[uuid.UUID]:
    """Those names that are ids; hidden ones are on their way out."""
    return [uuid.UUID(name) for name in names if not name.startswith(".")]
