"""Clips: parts of a recording that become assets of their own."""

from __future__ import annotations

import math
import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.outbox import publish
from core.text import clean_line
from media_pipeline import jobs
from media_pipeline.events import ClipReady
from media_pipeline.jobs import Lease
from media_pipeline.models import (
    Asset,
    AssetKind,
    AssetState,
    Job,
    Recording,
    RecordingState,
)
from media_pipeline.renditions import CLIP, POSTER, Made
from media_pipeline.services.editions import RecordingChanged
from media_pipeline.services.recordings import replace_renditions
from media_pipeline.storage import visibility

MAKE_CLIP = "make_clip"
SHORTEST_S, LONGEST_S = 1.0, 180.0
# A player's idea of the end differs from ours by less than this.
END_SLACK_S = 0.25


def make_clip(
    *,
    recording_id: uuid.UUID,
    edition: int,
    start_s: float,
    end_s: float,
    title: str,
    actor: User,
) -> Asset:
    """A clip of the recording from `start_s` to `end_s` (seconds of `edition`), cut by a job.

    The same person asking for the same again, e.g. by a second tap, gets the same clip.
    Whoever calls decides who may. Raises `NotFound`, `Conflict` while the recording is not
    complete, `RecordingChanged` for an edition that is over, and `InvalidInput` for times outside
    of it or not 1 to 180 s apart.
    """
    with transaction.atomic():
        # One lock for all clips of a recording: of two equal requests the later finds the first's.
        recording = _locked_ready_recording(recording_id)
        _require_edition(recording, edition)
        wanted = Asset(
            kind=AssetKind.CLIP,
            recording=recording,
            is_public=recording.is_public,
            title=clean_line(title, "title", longest=120),
            start_s=start_s,
            end_s=_checked_end(recording, start_s, end_s),
            created_by=actor,
        )
        return _known_clip(wanted) or _add_clip(wanted, actor)


def _known_clip(wanted: Asset) -> Asset | None:
    """The clip that is just as wanted; one that came to nothing may be tried again."""
    same = Asset.objects.filter(
        kind=wanted.kind,
        recording=wanted.recording,
        title=wanted.title,
        start_s=wanted.start_s,
        end_s=wanted.end_s,
        created_by=wanted.created_by,
    )
    return same.exclude(state=AssetState.FAILED).first()


def _add_clip(wanted: Asset, owner: User) -> Asset:
    wanted.save(force_insert=True)
    jobs.enqueue(MAKE_CLIP, wanted.public_id, owner=owner, priority=jobs.Priority.CLIP)
    return wanted


def job_of(asset: Asset) -> Job | None:
    """The job that makes the clip, for its progress."""
    return jobs.job_of(MAKE_CLIP, asset.public_id)


def clip_folder(asset: Asset) -> str:
    return f"{visibility(asset.is_public)}/clips/{asset.public_id}"


def publish_clip(lease: Lease, asset: Asset, folder: str, made: Made) -> None:
    """Finish the job and show the clip stored under `folder`; raises `jobs.LeaseLost`."""
    with transaction.atomic():
        jobs.finish(lease)
        Asset.objects.filter(pk=asset.pk).update(
            state=AssetState.READY,
            error="",
            duration_s=made.duration_s,
            width=made.size.width,
            height=made.size.height,
            download_key=f"{folder}/{CLIP}",
            poster_key=f"{folder}/{POSTER}",
        )
        replace_renditions(asset, folder, [made])
        recording = asset.recording
        publish(ClipReady(recording.show_id, recording.public_id, asset.public_id))


def clip_failed(asset_id: uuid.UUID, reason: str) -> None:
    """Tell on the asset itself that it will not come, and why."""
    Asset.objects.filter(public_id=asset_id, state=AssetState.WAITING).update(
        state=AssetState.FAILED, error=reason[:300]
    )


def clip_again(asset_id: uuid.UUID) -> None:
    """It is made after all: the asset waits anew."""
    Asset.objects.filter(public_id=asset_id, state=AssetState.FAILED).update(
        state=AssetState.WAITING, error=""
    )


def _locked_ready_recording(recording_id: uuid.UUID) -> Recording:
    recording = Recording.objects.select_for_update().filter(public_id=recording_id).first()
    if recording is None:
        raise NotFound(_("There is no such recording."))
    if recording.state != RecordingState.READY:
        raise Conflict(_("The recording is not complete yet. End the show first."))
    return recording


def _require_edition(recording: Recording, edition: int) -> None:
    if recording.edition != edition:
        raise RecordingChanged(
            _(
                "The recording has changed since this page was opened, and other moments are at"
                " these times now. Look for the part again."
            )
        )


def _checked_end(recording: Recording, start_s: float, end_s: float) -> float:
    """`end_s`, moved back to the recording's end if it is a hair beyond."""
    if not math.isfinite(start_s) or start_s < 0:
        raise InvalidInput(_("The clip must start inside the recording."), field="start_s")
    if not math.isfinite(end_s) or end_s > recording.duration_s + END_SLACK_S:
        raise InvalidInput(_("The clip must end inside the recording."), field="end_s")
    end_s = min(end_s, recording.duration_s)
    if end_s - start_s < SHORTEST_S:
        raise InvalidInput(_("A clip is at least one second long."), field="end_s")
    if end_s - start_s > LONGEST_S:
        raise InvalidInput(_("A clip is three minutes long at most."), field="end_s")
    return end_s
