"""Clips: parts of a recording that become assets of their own.

A clip's files are never at a public address, whoever may watch the show: only so is it gone from
everywhere at once when its seller takes it back (`media_pipeline.services.consents`).
"""

from __future__ import annotations

import uuid

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict
from core.outbox import publish
from core.text import clean_line
from media_pipeline import jobs
from media_pipeline.clip_wishes import Wish, checked, single, wish_of
from media_pipeline.events import ClipReady
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import (
    Asset,
    AssetKind,
    AssetState,
    Job,
    Recording,
    Rendition,
)
from media_pipeline.renditions import CLIP, POSTER, Made
from media_pipeline.services.editions import RecordingChanged
from media_pipeline.services.recordings import locked_ready, replace_renditions
from media_pipeline.storage import storage

MAKE_CLIP = "make_clip"
MAKE_LIGHT = "make_clip_light"


def make_clip(
    *,
    recording_id: uuid.UUID,
    edition: int,
    start_s: float,
    end_s: float,
    title: str,
    actor: User,
) -> Asset:
    """As `join_clip`: one part, upright, of the middle of the picture."""
    return join_clip(
        recording_id=recording_id,
        edition=edition,
        wish=single(start_s, end_s),
        title=title,
        actor=actor,
    )


def join_clip(
    *, recording_id: uuid.UUID, edition: int, wish: Wish, title: str, actor: User
) -> Asset:
    """A clip of the recording as it is wished (seconds of `edition`), made by a job.

    The same person asking for the same again, e.g. by a second tap, gets the same clip.
    Whoever calls decides who may. Raises `NotFound`, `Conflict` while the recording is not
    complete, `RecordingChanged` for an edition that is over, and `InvalidInput` for parts outside
    of it, more than once in it, or not 1 to 180 s together.
    """
    with transaction.atomic():
        # One lock for all clips of a recording: of two equal requests the later finds the first's.
        recording = locked_ready(recording_id)
        _require_edition(recording, edition)
        title = clean_line(title, "title", longest=120)
        wish = checked(wish, recording.duration_s)
        wanted = Asset(
            kind=AssetKind.CLIP,
            recording=recording,
            is_public=recording.is_public,
            title=title,
            start_s=wish.hull.start_s,
            end_s=wish.hull.end_s,
            wish=msgspec.to_builtins(wish),
            created_by=actor,
        )
        return _known_clip(wanted) or _add_clip(wanted, actor)


def rename(clip: Asset, title: str) -> None:
    """Give the clip another title; lessons and consents keep what they were given.

    Whoever calls decides who may. Raises `InvalidInput`.
    """
    clip.title = clean_line(title, "title", longest=120)
    clip.save(update_fields=["title"])


def _known_clip(wanted: Asset) -> Asset | None:
    """The clip that is just as wanted; one that came to nothing may be tried again."""
    same = Asset.objects.filter(
        kind=wanted.kind,
        recording=wanted.recording,
        title=wanted.title,
        start_s=wanted.start_s,
        end_s=wanted.end_s,
        created_by=wanted.created_by,
    ).exclude(state__in=(AssetState.FAILED, AssetState.WITHDRAWN))
    wish = wish_of(wanted)
    return next((clip for clip in same.order_by("pk") if wish_of(clip) == wish), None)


def _add_clip(wanted: Asset, owner: User) -> Asset:
    wanted.save(force_insert=True)
    jobs.enqueue(MAKE_CLIP, wanted.public_id, owner=owner, priority=jobs.Priority.CLIP)
    return wanted


def job_of(asset: Asset) -> Job | None:
    """The job that makes the clip, for its progress."""
    return jobs.job_of(MAKE_CLIP, asset.public_id)


def clip_folder(asset: Asset) -> str:
    return f"private/clips/{asset.public_id}"


def delete_files(clip_id: uuid.UUID) -> None:
    """All that is stored of a clip, also where clips of public shows were kept in earlier times."""
    for visibility in ("public", "private"):
        storage().delete_folder(f"{visibility}/clips/{clip_id}")


def publish_clip(lease: Lease, asset: Asset, folder: str, made: Made) -> None:
    """Finish the job and show the clip stored under `folder`; raises `jobs.LeaseLost`."""
    with transaction.atomic():
        jobs.finish(lease)
        shown = Asset.objects.filter(pk=asset.pk, state=AssetState.WAITING).update(
            state=AssetState.READY,
            error="",
            duration_s=made.duration_s,
            width=made.size.width,
            height=made.size.height,
            download_key=f"{folder}/{CLIP}",
            poster_key=f"{folder}/{POSTER}",
        )
        if not shown:
            raise LeaseLost(f"clip {asset.public_id} is not waited for any more")
        replace_renditions(asset, folder, [made])
        jobs.restart(MAKE_LIGHT, asset.public_id, priority=jobs.Priority.CLIP)
        recording = asset.recording
        publish(ClipReady(recording.show_id, recording.public_id, asset.public_id))


def clip_failed(asset_id: uuid.UUID, reason: str) -> None:
    """Tell on the asset itself that it will not come, and why."""
    Asset.objects.filter(public_id=asset_id, state=AssetState.WAITING).update(
        state=AssetState.FAILED, error=reason[:300]
    )


def clip_again(asset_id: uuid.UUID) -> None:
    """It is made after all: the asset waits anew. `Conflict` for one that was taken back."""
    if Asset.objects.filter(public_id=asset_id, state=AssetState.WITHDRAWN).exists():
        raise Conflict(_("This clip was taken back. It is made anew when its seller agrees to it."))
    Asset.objects.filter(public_id=asset_id, state=AssetState.FAILED).update(
        state=AssetState.WAITING, error=""
    )


def hide_public() -> int:
    """Move clips of earlier versions away from their public addresses; how many.

    Files go first: what dies in between is found again by its row.
    """
    found = Asset.objects.filter(kind=AssetKind.CLIP, download_key__startswith="public/")
    for clip in found:
        storage().move_folder(f"public/clips/{clip.public_id}", clip_folder(clip))
        with transaction.atomic():
            for row, names in ((clip, ("download_key", "poster_key")), *_keys_of(clip)):
                for name in names:
                    value = getattr(row, name).replace("public/", "private/", 1)
                    setattr(row, name, value)
                row.save(update_fields=names)
    return len(found)


def _keys_of(clip: Asset) -> list[tuple[Rendition, tuple[str, ...]]]:
    return [(rendition, ("key",)) for rendition in clip.renditions.all()]


def _require_edition(recording: Recording, edition: int) -> None:
    if recording.edition != edition:
        raise RecordingChanged(
            _(
                "The recording has changed since this page was opened, and other moments are at"
                " these times now. Look for the part again."
            )
        )
