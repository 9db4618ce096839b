"""What can be watched of a show."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.clock import now
from media_pipeline.clock import Drift, Filmed, MediaClock
from media_pipeline.ingest import layout
from media_pipeline.live import low_shelf
from media_pipeline.models import Asset, AssetKind, AssetState, Recording, RecordingState, TakeState
from media_pipeline.storage import storage


@dataclass(frozen=True, slots=True)
class Playback:
    """Addresses of a show's video, and the clock between wall time and its seconds.

    While the state is `live`, `live_url` may name a playlist that is not there yet: it appears
    with the first segment. In the state `empty` nothing was recorded, or all of it was removed.
    Seconds are those of the `edition`: another has other moments at them.
    """

    state: Literal["live", "ready", "empty"]
    recording_id: uuid.UUID
    edition: int
    live_url: str | None
    replay_url: str | None
    poster_url: str | None
    duration_s: float
    clock: MediaClock
    storyboard_url: str | None = None


def playback(show_id: uuid.UUID) -> Playback | None:
    """How to watch the show; `None` before its camera was ever on."""
    recording = Recording.objects.filter(show_id=show_id).first()
    if recording is None:
        return None
    key = layout.recording_key(recording.public_id, is_public=recording.is_public)
    clock = media_clock(recording)
    live = recording.state == RecordingState.LIVE
    empty = recording.state == RecordingState.EMPTY
    return Playback(
        state="live" if live else "empty" if empty else "ready",
        recording_id=recording.public_id,
        edition=recording.edition,
        live_url=storage().url(_live_key(key)) if live else None,
        replay_url=None if empty else storage().url(_replay_key(recording, key)),
        poster_url=_poster_url(recording),
        duration_s=clock.duration_s if live else recording.duration_s,
        clock=clock,
        storyboard_url=_storyboard_url(recording),
    )


def _live_key(key: str) -> str:
    """The list of all renditions once there are some beside the source."""
    master = f"{key}/{low_shelf.FOLDER}/{low_shelf.MASTER}"
    return master if storage().local.size(master) is not None else f"{key}/{layout.LIVE}"


def _replay_key(recording: Recording, key: str) -> str:
    """The renditions once they are made, the live segments until then."""
    processed = recording.assets.filter(kind=AssetKind.RECORDING, state=AssetState.READY).exclude(
        master_key=""
    )
    asset: Asset | None = processed.order_by("-created_at").first()
    return asset.master_key if asset else f"{key}/{layout.REPLAY}"


def _poster_url(recording: Recording) -> str | None:
    whole = recording.assets.filter(kind=AssetKind.RECORDING).exclude(poster_key="")
    asset: Asset | None = whole.order_by("-created_at").first()
    return storage().url(asset.poster_key) if asset else None


def _storyboard_url(recording: Recording) -> str | None:
    """Small pictures to seek by; recordings of before this was made have none."""
    ready = recording.assets.filter(kind=AssetKind.RECORDING, state=AssetState.READY)
    asset: Asset | None = ready.exclude(storyboard_key="").order_by("-created_at").first()
    return storage().url(asset.storyboard_key) if asset else None


def recording_key(show_id: uuid.UUID) -> str:
    """The folder of the show's recording in the storage; raises `Recording.DoesNotExist`."""
    recording = Recording.objects.get(show_id=show_id)
    return layout.recording_key(recording.public_id, is_public=recording.is_public)


def media_clock(recording: Recording) -> MediaClock:
    """The recording's clock; an open take reaches to this moment."""
    return MediaClock.of(_filmed(recording))


def _filmed(recording: Recording) -> Iterator[Filmed]:
    moment = now()
    for take in recording.takes.filter(started_at__isnull=False).order_by("position"):
        assert take.started_at is not None  # noqa: S101 - the filter says so
        drift = Drift.of(take.drift)
        if take.state == TakeState.OPEN and take.late_since is None:
            running_s = (moment - take.started_at).total_seconds()
            running_s -= drift.at(running_s)
            yield Filmed(take.started_at, max(take.duration_s, running_s), drift)
        elif take.duration_s:
            yield Filmed(take.started_at, take.duration_s, drift)
