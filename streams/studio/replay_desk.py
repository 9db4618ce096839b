"""What the seller's page of a replay shows besides the cutting of lessons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from media_pipeline import jobs
from media_pipeline.models import Asset, AssetKind, JobState, Passage, Recording
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.storage import storage
from streams.models import Show

LONGEST_NAME = 80
STATES = {JobState.QUEUED: "waiting", JobState.RUNNING: "running", JobState.FAILED: "failed"}


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage that was removed."""

    id: UUID
    start_s: float
    end_s: float
    removed_s: float
    by: str
    at: datetime
    done: bool


@dataclass(frozen=True, slots=True)
class DownloadView:
    """The show as one file; `url` only where it is there."""

    state: str
    progress: float
    url: str | None
    file_name: str


def passage_view(passage: Passage) -> PassageView:
    return PassageView(
        id=passage.public_id,
        start_s=passage.start_s,
        end_s=passage.end_s,
        removed_s=passage.removed_s,
        by=passage.removed_by.shown_name if passage.removed_by else _("somebody who left"),
        at=passage.created_at,
        done=passage.done_at is not None,
    )


def download(show: Show) -> DownloadView:
    """The MP4 of a show, by a signed address that saves it under a name that a person finds."""
    name = file_name(show)
    recording = Recording.objects.filter(show_id=show.public_id).first()
    if recording is None:
        return DownloadView("failed", 0, None, name)
    whole = recording.assets.filter(kind=AssetKind.RECORDING).order_by("-created_at")
    asset: Asset | None = whole.exclude(download_key="").first()
    if asset is not None:
        url = f"{storage().url(asset.download_key)}?download={quote(name)}"
        return DownloadView("ready", 1, url, name)
    job = jobs.job_of(PROCESS_RECORDING, recording.public_id)
    if job is None:
        return DownloadView("waiting", 0, None, name)
    return DownloadView(STATES.get(JobState(job.state), "waiting"), job.progress, None, name)


def file_name(show: Show) -> str:
    """Title and day, without what file systems do not take: "Apples 2026-11-22.mp4"."""
    began = timezone.localtime(show.started_at or show.scheduled_at)
    return named_file(show.title, f" {began:%Y-%m-%d}")


def named_file(title: str, suffix: str = "") -> str:
    """A film's name for somebody's own disk."""
    plain = re.sub(r'[\x00-\x1f\\/:*?"<>|]+', " ", title).strip(" .")[:LONGEST_NAME]
    return f"{' '.join(plain.split()) or 'film'}{suffix}.mp4"


def ready_s(show: Show) -> float | None:
    """Seconds from the show's end until its replay could be watched."""
    recording = Recording.objects.filter(show_id=show.public_id).first()
    if recording is None or recording.sealed_at is None or show.ended_at is None:
        return None
    return max(0.0, (recording.sealed_at - show.ended_at).total_seconds())
