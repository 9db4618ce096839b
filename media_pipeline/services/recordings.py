"""Writes about finished recordings: the job that makes renditions, and what it made."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict, NotFound
from core.outbox import publish
from media_pipeline import jobs, sound, storyboard
from media_pipeline.events import RecordingProcessed
from media_pipeline.jobs import Lease, Priority
from media_pipeline.models import (
    Asset,
    AssetKind,
    AssetState,
    Job,
    Recording,
    RecordingState,
    Rendition,
    Upload,
)
from media_pipeline.renditions import MASTER, POSTER, Made
from media_pipeline.storage import storage

PROCESS_RECORDING = "process_recording"


def enqueue_processing(recording_id: uuid.UUID) -> Job:
    """Have the recording's renditions made; asking again changes nothing.

    Somebody waits for the replay of a show; a film from a gallery is one of many.
    """
    recording = Recording.objects.filter(public_id=recording_id)
    is_film = Upload.objects.filter(show_id__in=recording.values("show_id")).exists()
    priority = Priority.BACK_CATALOGUE if is_film else Priority.REPLAY
    return jobs.enqueue(PROCESS_RECORDING, recording_id, priority=priority)


def downloads_folder(recording: Recording) -> str:
    """Where a recording's MP4 lies: never public, since it is for the seller."""
    return f"private/downloads/{recording.public_id}"


def publish_processed(
    lease: Lease,
    recording: Recording,
    folder: str,
    made: Sequence[Made],
    poster: bytes,
    download_key: str,
    *,
    has_sound: bool,
) -> Asset:
    """Finish the job and show what it stored under `folder`; raises `jobs.LeaseLost`."""
    poster_key = f"{folder}/{POSTER}"
    storage().write(poster_key, poster)  # it may take a while: not inside of the transaction
    with transaction.atomic():
        jobs.finish(lease)
        asset, _created = Asset.objects.update_or_create(
            kind=AssetKind.RECORDING,
            recording=recording,
            defaults={
                "is_public": recording.is_public,
                "state": AssetState.READY,
                "start_s": 0,
                "end_s": recording.duration_s,
                "duration_s": made[0].duration_s,
                "width": made[0].size.width,
                "height": made[0].size.height,
                "master_key": f"{folder}/{MASTER}",
                "download_key": download_key,
                "poster_key": poster_key,
                "storyboard_key": f"{folder}/{storyboard.FILE}",
                "waveform_key": f"{folder}/{sound.WAVE_FILE}" if has_sound else "",
            },
        )
        replace_renditions(asset, folder, made)
        publish(RecordingProcessed(recording.show_id, recording.public_id, asset.public_id))
    return asset


def locked_ready(recording_id: uuid.UUID) -> Recording:
    """The recording, ours until commit; raises `NotFound`, `Conflict` before it is whole."""
    recording = Recording.objects.select_for_update().filter(public_id=recording_id).first()
    if recording is None:
        raise NotFound(_("There is no such recording."))
    if recording.state != RecordingState.READY:
        raise Conflict(_("The recording is not complete yet. End the show first."))
    return recording


def replace_renditions(asset: Asset, folder: str, made: Sequence[Made]) -> None:
    """The rows that tell what `folder` holds, as ffprobe found it."""
    asset.renditions.all().delete()
    Rendition.objects.bulk_create(
        Rendition(
            asset=asset,
            name=one.name,
            key=f"{folder}/{one.path}",
            width=one.size.width,
            height=one.size.height,
            video_codec="h264",
            audio_codec="aac",
            bits_per_second=one.average_bits_per_second,
            duration_s=one.duration_s,
        )
        for one in made
    )
