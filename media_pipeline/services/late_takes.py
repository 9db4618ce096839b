"""Takes of which a phone sends what it kept, while viewers see something newer, or nothing more.

Such a take is open and `late_since` says so: no viewer waits for it, and nobody is told of it. What
came of it is rebuilt when its phone has sent all, or does not come back (`takes.seal_left_open`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from core.clock import now
from media_pipeline.ingest.errors import (
    BadProtocol,
    ServerStops,
    ShowIsOver,
    TakeIsOver,
    TakenOver,
)
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.services import takes
from media_pipeline.services.takes import Kept


@dataclass(frozen=True, slots=True)
class KeptTake:
    """What a phone says of a take that it still has something of."""

    take_id: uuid.UUID
    mime: str

    @classmethod
    def of(cls, take: Take) -> KeptTake:
        return cls(take.public_id, take.mime)


def set_aside(recording: Recording, kept: Sequence[KeptTake]) -> None:
    """Have no viewer wait for these takes of one phone, the oldest first.

    One that is not known yet gets its place on the timeline now, before what is filmed from here
    on. Raises `BadProtocol` for one of another recording.
    """
    for one in kept:
        known = Take.objects.filter(public_id=one.take_id).first()
        if known is None:
            _add(recording, one)
        elif known.recording_id != recording.pk:
            raise BadProtocol
        else:
            open_one = Take.objects.filter(pk=known.pk, state=TakeState.OPEN, late_since=None)
            open_one.update(late_since=now(), leave_asked_at=None)


def _add(recording: Recording, kept: KeptTake) -> None:
    """Nothing is added to a show that is over: its replay may be made already."""
    if not takes.goes_on(recording.pk):
        return
    moment = now()
    try:
        with transaction.atomic():
            recording.takes.create(
                public_id=kept.take_id,
                position=takes.next_position(recording),
                mime=kept.mime[:100],
                late_since=moment,
                kept_until=moment,
            )
    except IntegrityError as error:  # another connection was faster: the phone comes again
        raise ServerStops from error


def check_not_replaced(take_id: uuid.UUID) -> None:
    """Raises `TakenOver` where the show went on without this take while its phone was away."""
    take = Take.objects.filter(public_id=take_id, late_since__isnull=False).first()
    if take and take.recording.takes.filter(position__gt=take.position).exists():
        raise TakenOver


def receive(recording: Recording, take_id: uuid.UUID) -> Take:
    """A late take, for the process to which its phone sends the rest.

    Raises `TakeIsOver` for one that is complete, `ShowIsOver` for one that came too late, and
    `ServerStops` while another process has it.
    """
    take = Take.objects.filter(public_id=take_id).select_related("recording").first()
    if take is None or take.recording.state != RecordingState.LIVE:
        raise ShowIsOver
    if take.state != TakeState.OPEN:
        raise TakeIsOver(duration_s=take.duration_s)
    if not takes.claim(take, takes.KEPT_FOR):
        raise ServerStops
    return take


def keep(take: Take) -> Kept:
    """Say that this process still receives it; every `takes.KEEP_EVERY_S`."""
    kept = takes.keep(take)
    if kept is not Kept.LATE:
        return kept
    asked = Take.objects.filter(pk=take.pk, leave_asked_at__isnull=False).exists()
    return Kept.SHOW_IS_OVER if asked else Kept.LATE
