"""Making a recording of an uploaded film: one take, as if it had been filmed here.

What every player can play is kept as it is; anything else is encoded once, upright and in the
screen's colours. From there on a film is a recording like any other: replay, lessons, passages.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.db import transaction

from core.clock import now
from core.ids import new_id
from core.outbox import publish
from media_pipeline import jobs
from media_pipeline.events import FilmImported, RecordingSealed
from media_pipeline.ingest import layout
from media_pipeline.ingest.segmenter import HEAD, INIT, PLAYLIST
from media_pipeline.jobs import LeaseLost
from media_pipeline.long_films import forget_of
from media_pipeline.long_sources import Lent
from media_pipeline.models import Recording, RecordingState, Take, TakeState, Upload, UploadState
from media_pipeline.playlists import Segment, TakeSegments, listing
from media_pipeline.recipes_hls import MEDIA
from media_pipeline.recipes_hls import PLAYLIST as MADE
from media_pipeline.renditions import make_best
from media_pipeline.services import uploads
from media_pipeline.sources import looked_at
from media_pipeline.storage import storage
from media_pipeline.work import Work

_RANGE = re.compile(r"(\d+)@(\d+)")


def import_upload(work: Work) -> None:
    """Look at what has arrived, and make a recording of it; `SourceUnreadable` if it is no film."""
    upload = uploads.upload_of(work.lease.subject_id)
    if upload.state == UploadState.ARRIVED:
        with work.folder() as folder:
            segments = _take_files(upload, folder, work)
            _publish(upload, folder / "take", segments, work)
        forget_of(work.lease.kind, upload.public_id)
        storage().delete_folder(upload.key.rpartition("/")[0])
    else:
        jobs.finish(work.lease)


def _take_files(upload: Upload, folder: Path, work: Work) -> list[Segment]:
    """`take/` in the folder, as the live ingest leaves one."""
    if storage().size(upload.key) is None:
        parts = uploads.parts_of(upload)
        storage().uploads.finish(upload.key, upload.storage_id, parts)
    with storage().local_path(upload.key) as path:
        # It came whole or not at all, and under this key there is never another one.
        made = make_best(looked_at(path), folder, work, Lent(upload.storage_id, upload.key))
    (folder / "take").mkdir()
    return list(_split(made, folder / "take"))


def _split(made: Path, take: Path) -> Iterator[Segment]:
    """A rendition in one file, read by ranges, as files of their own."""
    lines = (made / MADE).read_text().splitlines()
    with (made / MEDIA).open("rb") as media, (take / PLAYLIST).open("w") as listed:
        listed.write(HEAD)
        duration_s, number = 0.0, 0
        for line in lines:
            found = _RANGE.search(line)
            if line.startswith("#EXTINF:"):
                duration_s = float(line.removeprefix("#EXTINF:").rstrip(","))
            elif found and line.startswith("#EXT-X-MAP:"):
                (take / INIT).write_bytes(_bytes(media, found))
            elif found and line.startswith("#EXT-X-BYTERANGE:"):
                segment = Segment(f"{number:05d}.m4s", duration_s)
                (take / segment.name).write_bytes(_bytes(media, found))
                listed.write(listing(segment))
                number += 1
                yield segment
        listed.write("#EXT-X-ENDLIST\n")


def _bytes(media: IO[bytes], found: re.Match[str]) -> bytes:
    media.seek(int(found[2]))
    return media.read(int(found[1]))


def _publish(upload: Upload, files: Path, segments: list[Segment], work: Work) -> None:
    """The files first, under a name that only this attempt has; then everything that names them."""
    jobs.heartbeat(work.lease, work.progress)
    recording = Recording.objects.get_or_create(
        show_id=upload.show_id, defaults={"is_public": False}
    )[0]
    key = layout.recording_key(recording.public_id, is_public=False)
    take = TakeSegments(str(new_id()), now(), tuple(segments))
    storage().local.write_folder(f"{key}/{take.folder}", files)
    try:
        with transaction.atomic():
            jobs.finish(work.lease)
            _write_rows(upload, recording, take)
            layout.write_playlists(layout.recording_folder(key), [take], ended=True)
    except LeaseLost:
        storage().delete_folder(f"{key}/{take.folder}")
        raise
    for path in layout.recording_folder(key).iterdir():  # of attempts that died
        if path.is_dir() and path.name != take.folder:
            storage().local.delete_folder(f"{key}/{path.name}")


def _write_rows(upload: Upload, recording: Recording, take: TakeSegments) -> None:
    moment = take.started_at
    Take.objects.create(
        public_id=uuid.UUID(take.folder),
        recording=recording,
        position=0,
        mime="video/mp4",
        state=TakeState.SEALED,
        started_at=moment,
        sealed_at=moment,
        duration_s=take.duration_s,
        bytes_received=upload.size,
    )
    Recording.objects.filter(pk=recording.pk).update(
        state=RecordingState.READY, duration_s=take.duration_s, sealed_at=moment
    )
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.READY)
    seller_id, owner_id = upload.seller.public_id, upload.owner_id or 0
    publish(FilmImported(upload.show_id, seller_id, owner_id, upload.title, moment))
    publish(RecordingSealed(upload.show_id, recording.public_id, take.duration_s))
