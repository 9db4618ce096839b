"""What of a clip goes over a weak network: a small film, its sound alone, and a small poster.

They are made of the clip's own file, beside it, so that they go with it when it is taken back.
"""

from __future__ import annotations

from django.db import transaction

from media_pipeline import jobs
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import Asset, AssetKind, AssetState, Job, Rendition
from media_pipeline.services.clips import MAKE_LIGHT, clip_folder

LIGHT, SOUND, THUMB = "light", "sound", "thumb"
# Clips of earlier versions are given theirs bit by bit: nobody waits for these.
AT_ONCE = 50


def light_folder(clip: Asset, lease: Lease) -> str:
    """Of its own for each attempt."""
    return f"{clip_folder(clip)}/light-{lease.epoch}"


def key_of(clip: Asset, name: str) -> str:
    """Where the `LIGHT` or the `SOUND` form is; empty while there is none."""
    return next((one.key for one in clip.renditions.all() if one.name == name), "")


def publish_light(lease: Lease, clip: Asset, made: list[Rendition]) -> None:
    """Finish the job and name the files; `LeaseLost` if the clip is not what they were made of."""
    with transaction.atomic():
        jobs.finish(lease)
        current = Asset.objects.select_for_update().filter(pk=clip.pk).first()
        if (
            current is None
            or current.state != AssetState.READY
            or current.download_key != clip.download_key
        ):
            raise LeaseLost(f"clip {clip.public_id} is not what this was made of")
        Rendition.objects.filter(asset=clip, name__in=(LIGHT, SOUND, THUMB)).delete()
        Rendition.objects.bulk_create(made)


def make_missing() -> int:
    """Ask for these forms of clips that were made before there were any; how many."""
    made = Rendition.objects.filter(name=LIGHT).values("asset")
    asked = Job.objects.filter(kind=MAKE_LIGHT).values("subject_id")
    clips = Asset.objects.filter(kind=AssetKind.CLIP, state=AssetState.READY)
    waiting = clips.exclude(pk__in=made).exclude(public_id__in=asked).order_by("-pk")[:AT_ONCE]
    for clip in waiting:
        jobs.enqueue(MAKE_LIGHT, clip.public_id, priority=jobs.Priority.BACK_CATALOGUE)
    return len(waiting)
