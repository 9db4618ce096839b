"""What this app tells the others. All of it is about one show, whose `show_id` is opaque here."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from core.outbox import Fact


class ShowFact(Fact, frozen=True):
    """A fact that is handled in order with the other facts of its show."""

    show_id: uuid.UUID

    @property
    def topic(self) -> str:
        return f"show:{self.show_id}"


class TakeStarted(ShowFact, frozen=True):
    """The first segment of a take is on disk; `at` is the wall time of its media zero."""

    name: ClassVar[str] = "media.TakeStarted"
    take_id: uuid.UUID
    at: datetime


class TakeStopped(ShowFact, frozen=True):
    """No picture comes any more: the connection is away, or (`sealed`) the take is complete."""

    name: ClassVar[str] = "media.TakeStopped"
    take_id: uuid.UUID
    at: datetime
    sealed: bool


class TakeResumed(ShowFact, frozen=True):
    """The connection came back to its take after `TakeStopped` had said that it was away."""

    name: ClassVar[str] = "media.TakeResumed"
    take_id: uuid.UUID
    at: datetime


class RecordingSealed(ShowFact, frozen=True):
    """The replay can be watched now, and will not change any more."""

    name: ClassVar[str] = "media.RecordingSealed"
    recording_id: uuid.UUID
    duration_s: float


class RecordingProcessed(ShowFact, frozen=True):
    """The recording has its renditions."""

    name: ClassVar[str] = "media.RecordingProcessed"
    recording_id: uuid.UUID
    asset_id: uuid.UUID


class FilmImported(ShowFact, frozen=True):
    """An uploaded film is a recording now; its show is to be made before anything else is told."""

    name: ClassVar[str] = "media.FilmImported"
    seller_id: uuid.UUID
    owner_id: int
    title: str
    at: datetime


class ClipReady(ShowFact, frozen=True):
    """A clip was cut and can be watched."""

    name: ClassVar[str] = "media.ClipReady"
    recording_id: uuid.UUID
    asset_id: uuid.UUID


class ClipWithdrawn(ShowFact, frozen=True):
    """Its seller took a clip back: nobody may be shown it any more."""

    name: ClassVar[str] = "media.ClipWithdrawn"
    recording_id: uuid.UUID
    asset_id: uuid.UUID


class PassageRemoved(ShowFact, frozen=True):
    """A part of the recording is gone from every file; the replay is shorter now."""

    name: ClassVar[str] = "media.PassageRemoved"
    recording_id: uuid.UUID
    duration_s: float
