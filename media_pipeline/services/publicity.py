"""Whose files are served to everybody: moving what belongs to a recording in the storage.

The first part of a key says who may read it, so a show that is not public any more has its files
moved, and their old addresses die with that. Whoever may watch gets signed ones.
"""

from __future__ import annotations

from django.db.models import F, Value
from django.db.models.functions import Concat, Substr

from media_pipeline import jobs
from media_pipeline.models import Asset, AssetKind, AssetState, Recording, Rendition
from media_pipeline.services.archiving import ARCHIVE_RECORDING
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.storage import storage, visibility

KEYS = ("master_key", "download_key", "poster_key", "storyboard_key", "waveform_key")


def change_rows(recording: Recording, *, is_public: bool) -> None:
    """Let the rows name the files where they are to be; in a transaction."""
    recording.is_public = is_public
    recording.save(update_fields=["is_public"])
    assets = recording.assets.all()
    for field in KEYS:
        _rename(assets, field, is_public=is_public)
    _rename(Rendition.objects.filter(asset__in=assets), "key", is_public=is_public)
    assets.update(is_public=is_public)
    _start_again(recording)


def _rename(rows: object, field: str, *, is_public: bool) -> None:
    """Only of what follows the show: downloads and clips are private anyway."""
    old, new = visibility(not is_public), visibility(is_public)
    found = rows.filter(**{f"{field}__startswith": f"{old}/recordings/"})  # type: ignore[attr-defined]
    found.update(**{field: Concat(Value(new), Substr(F(field), len(old) + 1))})


def _start_again(recording: Recording) -> None:
    """What is being made would be stored where it must not be."""
    jobs.withdraw(ARCHIVE_RECORDING, [recording.public_id])
    if jobs.is_open(PROCESS_RECORDING, recording.public_id):
        jobs.restart(PROCESS_RECORDING, recording.public_id)
    waiting = Asset.objects.filter(recording=recording, state=AssetState.WAITING)
    # They read the recording's files, which are elsewhere in a moment.
    for clip in waiting.filter(kind=AssetKind.CLIP).values_list("public_id", flat=True):
        jobs.restart(MAKE_CLIP, clip)


def place_files(recording: Recording) -> None:
    """Move the files to where the rows say that they are; nothing to do is no error."""
    name, is_public = f"recordings/{recording.public_id}", recording.is_public
    source, target = f"{visibility(not is_public)}/{name}", f"{visibility(is_public)}/{name}"
    storage().move_folder(source, target)
