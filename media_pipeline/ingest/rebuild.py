"""A take that nobody will continue: what was acknowledged of it becomes segments after all."""

from __future__ import annotations

import logging
from datetime import datetime

from media_pipeline.ingest import layout
from media_pipeline.ingest.chunks import ChunkFile
from media_pipeline.ingest.files import in_files
from media_pipeline.ingest.live_take import LiveTake
from media_pipeline.models import Take

log = logging.getLogger(__name__)


async def rebuild(take: Take) -> datetime | None:
    """Make segments of all the take's chunks, those that are there already excepted.

    Returns the wall time at which the first begins, `None` where there is none. The caller has
    claimed the take; `take.recording` is loaded. What cannot be played is left as it is.
    """
    recording = take.recording
    key = layout.recording_key(recording.public_id, is_public=recording.is_public)
    folder = layout.recording_folder(key) / str(take.public_id)
    chunks = layout.chunks_folder(take.public_id)
    if not (chunks / "chunks.bin").is_file():
        return None
    await in_files(folder.mkdir, parents=True, exist_ok=True)
    live = LiveTake(
        folder,
        await in_files(ChunkFile, chunks),
        _nobody_hears,
        sound_will_do=take.mime.startswith("audio/"),
        started_at=take.started_at,
    )
    await live.close()
    if (why := await live.run()) is not None:
        log.warning("take %s could not be rebuilt whole: %s", take.public_id, why)
    return live.started_at


async def _nobody_hears() -> None:
    pass
