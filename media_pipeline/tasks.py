"""The work that jobs name.

A task makes everything in a folder of its own, checks it with ffprobe, stores it under a name that
only its lease has, and then finishes its job, writes its rows and publishes its fact in one
transaction. A worker whose lease was lost fails in that transaction and takes its files away.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from media_pipeline import jobs
from media_pipeline.captions import tracks
from media_pipeline.captions.tracks import TRANSCRIBE
from media_pipeline.captions.transcribing import transcribe
from media_pipeline.clip_light import make_light
from media_pipeline.clip_making import make_clip as make_clip
from media_pipeline.clip_making import make_copy
from media_pipeline.ffmpeg import SourceUnreadable
from media_pipeline.importing import import_upload
from media_pipeline.long_films import ENCODE_CHUNK, encode_chunk, forget_of, kept_source
from media_pipeline.long_sources import Lent, bring
from media_pipeline.models import Recording
from media_pipeline.parts import parts_between, recording_folder
from media_pipeline.pauses import FIND_PAUSES, find_pauses
from media_pipeline.probe import Probe, probe
from media_pipeline.recipes import Part
from media_pipeline.renditions import (
    DOWNLOAD,
    make_download,
    make_poster,
    make_renditions,
)
from media_pipeline.services import settling
from media_pipeline.services.archiving import ARCHIVE_RECORDING, archive
from media_pipeline.services.clip_copies import MAKE_COPY, copy_again, copy_failed
from media_pipeline.services.clips import MAKE_CLIP, MAKE_LIGHT, clip_again, clip_failed
from media_pipeline.services.recordings import (
    PROCESS_RECORDING,
    downloads_folder,
    publish_processed,
)
from media_pipeline.services.settling import SETTLE_RECORDING
from media_pipeline.services.uploads import IMPORT_UPLOAD, upload_again, upload_failed
from media_pipeline.sources import looked_at
from media_pipeline.storage import storage
from media_pipeline.work import Work, sweep_earlier, taken_away_if_lost

ALL_S = float("inf")


@dataclass(frozen=True, slots=True)
class Task:
    """What runs for a kind of job, and what is told of its end.

    `given_up` is told why nothing comes of it, `again` that a person wants it all the same, which
    raises `Conflict` where that cannot be. What people were promised is not theirs to cancel.
    """

    run: Callable[[Work], None]
    given_up: Callable[[uuid.UUID, str], None]
    again: Callable[[uuid.UUID], None] = lambda subject_id: None
    may_cancel: bool = True


def process_recording(work: Work) -> None:
    """The download, the renditions and the poster of a sealed recording."""
    recording = Recording.objects.get(public_id=work.lease.subject_id)
    place = f"{recording_folder(recording)}/r"
    folder = f"{place}/{work.lease.epoch}"
    downloads = downloads_folder(recording)
    download_key = f"{downloads}/{work.lease.epoch}/{DOWNLOAD}"
    with work.folder() as inputs, work.folder() as outputs:
        parts = parts_between(recording, 0, ALL_S, inputs)
        if not parts:
            raise SourceUnreadable(_("Nothing was recorded."))
        lent = Lent(
            f"{recording.edition}-{sum(part.path.stat().st_size for part, _found in parts)}"
        )
        found = _download(parts, outputs, work, lent)
        made = make_renditions(looked_at(outputs / DOWNLOAD), outputs, work, lent)
        poster = make_poster(outputs / DOWNLOAD, found, inputs, work).read_bytes()
        # Not a moment in the storage of what was withdrawn meanwhile.
        jobs.heartbeat(work.lease, work.progress)
        with taken_away_if_lost(folder, download_key.rpartition("/")[0]):
            storage().write_file(download_key, outputs / DOWNLOAD)
            storage().write_folder(folder, outputs)
            publish_processed(
                work.lease,
                recording,
                folder,
                made,
                poster,
                download_key,
                has_sound=found.audio is not None,
            )
    sweep_earlier(place, work.lease)
    sweep_earlier(downloads, work.lease)
    forget_of(work.lease.kind, recording.public_id)


def _download(parts: Sequence[tuple[Part, Probe]], folder: Path, work: Work, lent: Lent) -> Probe:
    """The takes as one film; as an earlier attempt has made it, where that is kept."""
    kept = kept_source(work.lease.job_id, lent.source_id)
    if not kept:
        return make_download(parts, folder, work)
    bring(kept, folder / DOWNLOAD)
    return probe(folder / DOWNLOAD)


def settle_recording(work: Work) -> None:
    """What a change of a recording's files still lacks, where whoever asked for it could not."""
    settling.settle(work.lease)
    jobs.finish(work.lease)


def nothing_to_tell(subject_id: uuid.UUID, reason: str) -> None:
    """The replay of the live segments goes on to be what people watch."""


TASKS: Mapping[str, Task] = {
    PROCESS_RECORDING: Task(process_recording, nothing_to_tell),
    MAKE_CLIP: Task(make_clip, clip_failed, clip_again),
    MAKE_COPY: Task(make_copy, copy_failed, copy_again),
    MAKE_LIGHT: Task(make_light, nothing_to_tell),
    IMPORT_UPLOAD: Task(import_upload, upload_failed, upload_again),
    ARCHIVE_RECORDING: Task(archive, nothing_to_tell, may_cancel=False),
    SETTLE_RECORDING: Task(settle_recording, nothing_to_tell, may_cancel=False),
    FIND_PAUSES: Task(find_pauses, nothing_to_tell),
    ENCODE_CHUNK: Task(encode_chunk, nothing_to_tell, may_cancel=False),
    TRANSCRIBE: Task(transcribe, tracks.given_up, tracks.again),
}
