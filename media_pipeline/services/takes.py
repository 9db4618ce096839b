"""Every write about recordings and takes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from core.clock import now
from core.outbox import publish
from media_pipeline.events import RecordingSealed, TakeResumed, TakeStarted, TakeStopped
from media_pipeline.ingest import layout
from media_pipeline.ingest.errors import (
    BadProtocol,
    ServerStops,
    ShowIsOver,
    SomebodyBroadcasts,
    TakeIsOver,
)
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.playlists import TakeSegments

KEPT_FOR = timedelta(seconds=6)
KEEP_EVERY_S = 1.0


class Kept(Enum):
    """What the process that receives a take learns when it says that it still does."""

    YES = "yes"
    LOST = "lost"  # somebody else has sealed it
    SHOW_IS_OVER = "show is over"  # let the camera go and seal the recording


def recording_of(show_id: uuid.UUID, *, is_public: bool) -> Recording:
    """The show's recording, made the first time it is asked for."""
    return Recording.objects.get_or_create(show_id=show_id, defaults={"is_public": is_public})[0]


def open_take(recording: Recording, *, take_id: uuid.UUID, mime: str) -> Take:
    """A new take at the end of the recording's timeline.

    Raises `ShowIsOver`, `TakeIsOver` for an id that was used before, `BadProtocol` for one that
    belongs to another recording. While another process receives a take of it: `ServerStops` for
    that take, whose process may be gone without a word, and else `SomebodyBroadcasts`.
    """
    if recording.state != RecordingState.LIVE:
        raise ShowIsOver
    _take_over(recording, take_id)
    if known := Take.objects.filter(public_id=take_id).first():
        if known.recording_id != recording.pk:
            raise BadProtocol
        raise TakeIsOver(duration_s=known.duration_s)
    last = recording.takes.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    try:
        return recording.takes.create(
            public_id=take_id, position=position, mime=mime[:100], kept_until=now() + KEPT_FOR
        )
    except IntegrityError as error:  # the same id twice at once: the other one has it
        raise TakeIsOver from error


def _take_over(recording: Recording, take_id: uuid.UUID) -> None:
    """Seal what processes that are gone left open here."""
    if kept := kept_takes().filter(recording=recording).first():
        raise ServerStops if kept.public_id == take_id else SomebodyBroadcasts
    for left in recording.takes.filter(state=TakeState.OPEN).select_related("recording"):
        _seal_left(left)


def kept_takes() -> QuerySet[Take]:
    """The takes that a living process receives."""
    return Take.objects.filter(state=TakeState.OPEN, kept_until__gt=now())


def shows_filmed_since(moment: datetime) -> QuerySet[Take, uuid.UUID]:
    """The shows whose camera was received at that moment or later, by whatever process."""
    recent = Q(state=TakeState.OPEN, kept_until__gt=now()) | Q(sealed_at__gte=moment)
    return Take.objects.filter(recent).values_list("recording__show_id", flat=True)


def keep(take: Take) -> Kept:
    """Say that this process still receives the take; every `KEEP_EVERY_S`."""
    mine = Take.objects.filter(pk=take.pk, state=TakeState.OPEN)
    if not mine.update(kept_until=now() + KEPT_FOR):
        return Kept.LOST
    asked = Recording.objects.filter(pk=take.recording_id, end_asked_at__isnull=False)
    return Kept.SHOW_IS_OVER if asked.exists() else Kept.YES


def ask_to_end(show_id: uuid.UUID) -> bool:
    """Ask the process that receives the show's camera to end it; whether there is one."""
    Recording.objects.filter(show_id=show_id, end_asked_at=None).update(end_asked_at=now())
    return kept_takes().filter(recording__show_id=show_id).exists()


def take_started(take: Take, at: datetime) -> None:
    """The first segment is on disk; its media zero was at wall time `at`."""
    with transaction.atomic():
        if Take.objects.filter(pk=take.pk, started_at=None).update(started_at=at):
            publish(TakeStarted(_show_id(take), take.public_id, at))


def take_grown(take: Take, *, duration_s: float, bytes_received: int, next_chunk: int) -> None:
    """How far an open take has come, for whoever looks at the row."""
    Take.objects.filter(pk=take.pk, state=TakeState.OPEN).update(
        duration_s=duration_s, bytes_received=bytes_received, next_chunk=next_chunk
    )


def take_away(take: Take) -> None:
    """Nothing comes any more from the camera of an open take."""
    _tell(take, TakeStopped(_show_id(take), take.public_id, now(), sealed=False))


def take_back(take: Take) -> None:
    """The camera's pictures come again after `take_away`."""
    _tell(take, TakeResumed(_show_id(take), take.public_id, now()))


def _tell(take: Take, fact: TakeStopped | TakeResumed) -> None:
    """Only of a take with a picture: nobody was told of the others."""
    with transaction.atomic():
        if Take.objects.filter(pk=take.pk, state=TakeState.OPEN, started_at__isnull=False).exists():
            publish(fact)


def take_stopped(take: Take) -> None:
    """A sealed take was the last for now: nothing is said where another one is on the air."""
    on_air = Take.objects.filter(
        recording_id=take.recording_id, state=TakeState.OPEN, started_at__isnull=False
    )
    with transaction.atomic():
        if not on_air.exists():
            publish(TakeStopped(_show_id(take), take.public_id, now(), sealed=True))


def seal_take(take: Take, *, error: str = "", quietly: bool = False) -> None:
    """Close a take as far as it can be played from disk; sealing it again changes nothing.

    `quietly` leaves it to `take_stopped` to tell of it.
    """
    folder = layout.recording_folder(_key(take.recording)) / str(take.public_id)
    duration_s = sum(segment.duration_s for segment in layout.segments_on_disk(folder))
    moment = now()
    with transaction.atomic():
        sealed = Take.objects.filter(pk=take.pk, state=TakeState.OPEN).update(
            state=TakeState.SEALED if duration_s else TakeState.FAILED,
            duration_s=duration_s,
            sealed_at=moment,
            error=error[:300],
        )
        if sealed and not quietly:
            publish(TakeStopped(_show_id(take), take.public_id, moment, sealed=True))


def seal_left_open(*, alone: bool = True) -> int:
    """Seal the takes that a stopped server left open, from what is on disk; how many.

    Unless this process is alone, those that another one receives are left to it.
    """
    left = Take.objects.filter(state=TakeState.OPEN).select_related("recording")
    if not alone:
        left = left.filter(Q(kept_until=None) | Q(kept_until__lte=now()))
    found = list(left)
    for take in found:
        _seal_left(take)
    return len(found)


def _seal_left(take: Take) -> None:
    _start_if_playable(take)
    seal_take(take)


def _start_if_playable(take: Take) -> None:
    """A crash between the first segment and its row must not lose the take's place in time."""
    folder = layout.recording_folder(_key(take.recording)) / str(take.public_id)
    if take.started_at is None and layout.segments_on_disk(folder):
        take_started(take, take.created_at)


def playable_takes(recording: Recording) -> list[TakeSegments]:
    """The recording's takes that have segments, in the order of its timeline."""
    folder = layout.recording_folder(_key(recording))
    takes = [
        TakeSegments(
            str(take.public_id),
            take.started_at or take.created_at,
            layout.segments_on_disk(folder / str(take.public_id)),
        )
        for take in recording.takes.order_by("position")
    ]
    return [take for take in takes if take.segments]


def seal_recording(show_id: uuid.UUID, *, is_public: bool) -> Recording:
    """Close the recording of a show that is over, all of whose takes are sealed.

    Afterwards its replay can be watched, or it is known to be empty; either way no take can be
    added. The files are final before the row says so. Doing it again changes nothing.
    """
    recording = recording_of(show_id, is_public=is_public)
    if recording.state != RecordingState.LIVE:
        return recording
    takes = playable_takes(recording)
    if takes:
        layout.write_playlists(layout.recording_folder(_key(recording)), takes, ended=True)
    _mark_sealed(recording, takes)
    recording.refresh_from_db()
    return recording


def _mark_sealed(recording: Recording, takes: Sequence[TakeSegments]) -> None:
    duration_s = sum(take.duration_s for take in takes)
    with transaction.atomic():
        sealed = Recording.objects.filter(pk=recording.pk, state=RecordingState.LIVE).update(
            state=RecordingState.READY if takes else RecordingState.EMPTY,
            duration_s=duration_s,
            sealed_at=now(),
        )
        if sealed and takes:
            publish(RecordingSealed(recording.show_id, recording.public_id, duration_s))


def _key(recording: Recording) -> str:
    return layout.recording_key(recording.public_id, is_public=recording.is_public)


def _show_id(take: Take) -> uuid.UUID:
    return take.recording.show_id
