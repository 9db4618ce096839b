"""What this app does about facts."""

from __future__ import annotations

import uuid

from media_pipeline.events import ClipWithdrawn, RecordingProcessed, RecordingSealed
from media_pipeline.services import consents
from media_pipeline.services.archiving import enqueue_archiving
from media_pipeline.services.recordings import enqueue_processing


def process_sealed_recording(fact: RecordingSealed, fact_id: uuid.UUID) -> None:
    """A recording is complete: have its renditions made. Hearing it again changes nothing."""
    enqueue_processing(fact.recording_id)


def archive_processed_recording(fact: RecordingProcessed, fact_id: uuid.UUID) -> None:
    """Nobody needs its takes on the disk any more. Hearing it again changes nothing."""
    enqueue_archiving(fact.recording_id)


def delete_withdrawn_clip(fact: ClipWithdrawn, fact_id: uuid.UUID) -> None:
    """Whoever took it back deleted its files at once, unless the storage was away just then."""
    consents.delete_withdrawn(fact.asset_id)
