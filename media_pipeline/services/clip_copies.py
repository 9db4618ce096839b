"""Copies of clips to take away, with the title and the products written into the picture.

Whoever asks says what is written and when, since products are not this app's matter. In the page's
player the same is drawn over the video, and the clip itself stays clean.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict
from media_pipeline import jobs
from media_pipeline.clip_cards import CardText
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import Asset, AssetState, ClipCopy, Job

MAKE_COPY = "make_clip_copy"
COPY = "copy.mp4"


def ask_for_copy(clip: Asset, cards: Sequence[CardText], *, actor: User) -> ClipCopy:
    """The copy with these cards, made by a job; the one that is there if nothing else is written.

    Whoever calls decides who may. Raises `Conflict` for a clip that is not ready.
    """
    wanted = msgspec.to_builtins(list(cards))
    with transaction.atomic():
        locked = Asset.objects.select_for_update().get(pk=clip.pk)
        if locked.state != AssetState.READY:
            raise Conflict(_("The clip is not ready yet. Try again in a moment."))
        copy, is_new = ClipCopy.objects.get_or_create(clip=locked, defaults={"cards": wanted})
        if not is_new and copy.cards == wanted and copy.state != AssetState.FAILED:
            return copy
        copy.cards, copy.state, copy.error = wanted, AssetState.WAITING, ""
        copy.save(update_fields=["cards", "state", "error"])
        jobs.enqueue(MAKE_COPY, locked.public_id, owner=actor, priority=jobs.Priority.CLIP)
        if not is_new:
            jobs.restart(MAKE_COPY, locked.public_id, priority=jobs.Priority.CLIP)
    return copy


def copy_of(clip: Asset) -> ClipCopy | None:
    return ClipCopy.objects.filter(clip=clip).first()


def job_of_copy(clip: Asset) -> Job | None:
    """The job that makes the copy, for its progress."""
    return jobs.job_of(MAKE_COPY, clip.public_id)


def copy_folder(clip: Asset, lease: Lease) -> str:
    """Beside the clip, so that it goes with it; of its own for each attempt."""
    return f"private/clips/{clip.public_id}/copy-{lease.epoch}"


def publish_copy(lease: Lease, clip: Asset, key: str) -> None:
    """Finish the job and name the file; raises `jobs.LeaseLost`, also if nobody waits for it."""
    with transaction.atomic():
        jobs.finish(lease)
        waiting = ClipCopy.objects.filter(clip=clip, state=AssetState.WAITING)
        if not waiting.update(state=AssetState.READY, key=key):
            raise LeaseLost(f"nobody waits for a copy of {clip.public_id}")


def copy_failed(clip_id: uuid.UUID, reason: str) -> None:
    """Tell that it will not come, and why."""
    waiting = ClipCopy.objects.filter(clip__public_id=clip_id, state=AssetState.WAITING)
    waiting.update(state=AssetState.FAILED, error=reason[:300])


def copy_again(clip_id: uuid.UUID) -> None:
    """It is made after all."""
    failed = ClipCopy.objects.filter(clip__public_id=clip_id, state=AssetState.FAILED)
    failed.update(state=AssetState.WAITING, error="")
