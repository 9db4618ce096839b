"""Taking a recording away: its rows and every file that was made of it."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from core.errors import Conflict
from media_pipeline.ingest import layout
from media_pipeline.long_films import place
from media_pipeline.models import AssetKind, Job, LongFilm, Recording, Upload
from media_pipeline.services.recordings import downloads_folder
from media_pipeline.storage import storage


def remove_recording(show_id: uuid.UUID) -> bool:
    """Remove what was filmed of a show; `False` if there is nothing.

    Rows go first, in one transaction: files without rows are only lost space, rows without files
    would be broken pages. Raises `Conflict` if one of its clips is a lesson.
    """
    recording = Recording.objects.filter(show_id=show_id).first()
    if recording is None:
        return False
    folders = _folders(recording)
    subjects = [recording.public_id, *recording.assets.values_list("public_id", flat=True)]
    folders += map(place, LongFilm.objects.filter(job__subject_id__in=subjects))
    subjects += recording.caption_tracks.values_list("public_id", flat=True)
    try:
        with transaction.atomic():
            Job.objects.filter(subject_id__in=subjects).delete()
            Upload.objects.filter(show_id=show_id).delete()
            recording.delete()
    except ProtectedError as error:
        raise Conflict(_("A lesson was made of this show; remove the lesson first.")) from error
    for folder in folders:
        storage().delete_folder(folder)
    return True


def _folders(recording: Recording) -> list[str]:
    clips = recording.assets.filter(kind=AssetKind.CLIP)
    return [
        layout.recording_key(recording.public_id, is_public=recording.is_public),
        downloads_folder(recording),
        *(f"private/takes/{take.public_id}" for take in recording.takes.all()),
        *(
            f"{visibility}/clips/{clip.public_id}"
            for clip in clips
            for visibility in ("public", "private")
        ),
    ]
