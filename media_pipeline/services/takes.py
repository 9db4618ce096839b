"""Every write about recordings and takes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from core.clock import now
from core.outbox import publish
from media_pipeline.clock import STEADY, Drift, Filmed
from media_pipeline.events import RecordingSealed, TakeResumed, TakeStarted, TakeStopped
from media_pipeline.ingest import layout
from media_pipeline.ingest.errors import (
    BadProtocol,
    ServerStops,
    ShowIsOver,
    SomebodyBroadcasts,
    TakeIsOver,
    TakenOver,
)
from media_pipeline.ingest.rebuild import rebuild
from media_pipeline.live import low_shelf
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.playlists import Segment, TakeSegments
from media_pipeline.storage import storage

KEPT_FOR = timedelta(seconds=6)
KEEP_EVERY_S = 1.0
LEFT_FOR = timedelta(seconds=180)
"""So long a take whose process is gone waits for its camera, as `Patience.sealed_after_s` for one
whose process lives. A camera that comes back with another take does not wait for it."""
NOBODY = uuid.UUID(int=0)
REBUILT_WITHIN = timedelta(minutes=5)
LATE_UNTIL = timedelta(minutes=10)
"""The replay of a show that is over waits so long for what its phone kept, while that comes."""
LATE_BACK_WITHIN = timedelta(seconds=10)
"""So soon a phone that sends it has to be back, where the show is over."""


class Kept(Enum):
    """What the process that receives a take learns when it says that it still does."""

    YES = "yes"
    LOST = "lost"  # somebody else has it, or has sealed it
    LEAVE = "leave"  # another process waits with the camera that is to go on with the show
    LATE = "late"  # its phone sends the rest as what it kept, perhaps to another process
    SHOW_IS_OVER = "show is over"  # let the camera go and seal the recording


def recording_of(show_id: uuid.UUID, *, is_public: bool) -> Recording:
    """The show's recording, made the first time it is asked for."""
    return Recording.objects.get_or_create(show_id=show_id, defaults={"is_public": is_public})[0]


def open_take(recording: Recording, *, take_id: uuid.UUID, mime: str) -> Take:
    """A new take at the end of the recording's timeline, or one that a gone process left open.

    Other takes that were left open have been finished (`finish_left`). Raises `ShowIsOver`,
    `TakeIsOver` for an id that was used before, `BadProtocol` for one that belongs to another
    recording. While another process receives a take of it: `ServerStops` for that take, whose
    process may be gone without a word, and else `SomebodyBroadcasts`.
    """
    # Anew: the show may have ended since the camera was let in.
    if not goes_on(recording.pk):
        raise ShowIsOver
    if kept := kept_takes().filter(recording=recording).first():
        raise ServerStops if kept.public_id == take_id else SomebodyBroadcasts
    if known := Take.objects.filter(public_id=take_id).select_related("recording").first():
        return _continued(known, recording)
    try:
        return recording.takes.create(
            public_id=take_id,
            position=next_position(recording),
            mime=mime[:100],
            kept_until=now() + KEPT_FOR,
        )
    except IntegrityError as error:  # the same id twice at once: the other one has it
        raise TakeIsOver from error


def next_position(recording: Recording) -> int:
    """The end of the recording's timeline."""
    last: int | None = recording.takes.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _continued(take: Take, recording: Recording) -> Take:
    if take.recording_id != recording.pk:
        raise BadProtocol
    if take.state != TakeState.OPEN:
        raise TakeIsOver(duration_s=take.duration_s)
    if take.late_since and recording.takes.filter(position__gt=take.position).exists():
        raise TakenOver  # others filmed since; its phone may send what it kept
    if not claim(take, KEPT_FOR):
        raise ServerStops
    Take.objects.filter(pk=take.pk).update(late_since=None)
    take.late_since = None
    return take


def claim(take: Take, how_long: timedelta) -> bool:
    """Take over what nobody receives; `False` where somebody else was faster."""
    moment = now()
    free = Q(kept_until=None) | Q(kept_until__lte=moment)
    left = Take.objects.filter(free, pk=take.pk, state=TakeState.OPEN)
    take.kept_until = moment + how_long
    return left.update(kept_until=take.kept_until) == 1


def _held(take: Take) -> QuerySet[Take]:
    """The take if it is still this process's: nobody has renewed its lease but us."""
    return Take.objects.filter(pk=take.pk, state=TakeState.OPEN, kept_until=take.kept_until)


def let_go(take: Take) -> None:
    """This process stops: another may continue the take at once."""
    _held(take).update(kept_until=now())


def finish_left(
    recording: Recording, *, but: uuid.UUID | None = None, also_late: bool = True
) -> int:
    """Seal the recording's takes that gone processes left open, `but` one; how many.

    Late ones only where it is said: their phone may come back for them. They are rebuilt from their
    chunks first: all that was acknowledged is in them. Blocks for as long as that takes; not to be
    called in an event loop's own thread.
    """
    left = recording.takes.filter(state=TakeState.OPEN).exclude(public_id=but or NOBODY)
    if not also_late:
        left = left.filter(late_since=None)
    return _finish(list(left.select_related("recording")))


def _finish(left: Sequence[Take]) -> int:
    mine = [take for take in left if claim(take, REBUILT_WITHIN)]
    for take in mine:
        finish(take, asyncio.run(rebuild(take)))
    return len(mine)


def finish(take: Take, started_at: datetime | None) -> None:
    """Seal a take that was rebuilt. Of a late one nobody is told: it is not what is on the air."""
    is_late = take.late_since is not None
    _start_if_playable(take, started_at or take.created_at, quietly=is_late)
    seal_take(take, quietly=is_late)


def kept_takes() -> QuerySet[Take]:
    """The takes that a living process receives, and which viewers are to see."""
    return Take.objects.filter(state=TakeState.OPEN, kept_until__gt=now(), late_since=None)


def shows_filmed_since(moment: datetime) -> QuerySet[Take, uuid.UUID]:
    """The shows whose camera was received at that moment or later, by whatever process."""
    recent = Q(state=TakeState.OPEN, kept_until__gt=now()) | Q(sealed_at__gte=moment)
    return Take.objects.filter(recent, late_since=None).values_list("recording__show_id", flat=True)


def keep(take: Take) -> Kept:
    """Say that this process still receives the take; every `KEEP_EVERY_S`.

    One that was asleep for longer than its lease may find that another has taken it over.
    """
    until = now() + KEPT_FOR
    if not _held(take).update(kept_until=until):
        return Kept.LOST
    take.kept_until = until
    return _wanted(take)


def still_held(take: Take) -> Kept:
    """As `keep`, but the lease goes on running out: another process may get the take."""
    return _wanted(take) if _held(take).exists() else Kept.LOST


def _wanted(take: Take) -> Kept:
    """What other processes have asked of the one that receives the take."""
    asked = ("leave_asked_at", "late_since", "recording__end_asked_at", "recording__state")
    leave, late, end, state = Take.objects.values_list(*asked).get(pk=take.pk)
    if late is not None:
        return Kept.LATE
    if end is not None or state != RecordingState.LIVE:
        return Kept.SHOW_IS_OVER
    return Kept.YES if leave is None else Kept.LEAVE


def goes_on(recording: int) -> bool:
    """Whether nobody has ended the show, or asked for it."""
    live = Recording.objects.filter(pk=recording, state=RecordingState.LIVE)
    return live.filter(end_asked_at=None).exists()


def ask_to_end(show_id: uuid.UUID) -> bool:
    """Ask the process that receives the show's camera to end it; whether there is one."""
    Recording.objects.filter(show_id=show_id, end_asked_at=None).update(end_asked_at=now())
    return kept_takes().filter(recording__show_id=show_id).exists()


def ask_to_leave(recording: Recording, *, but: uuid.UUID) -> Take | None:
    """Ask the process that receives the recording's camera to have it leave; which take it sends.

    `None` where nobody receives anything of it but the take `but`.
    """
    found = kept_takes().filter(recording=recording).exclude(public_id=but).first()
    if found is not None:
        Take.objects.filter(pk=found.pk, leave_asked_at=None).update(leave_asked_at=now())
    return found


def is_kept(take: Take) -> bool:
    """Whether some living process still receives the take."""
    return kept_takes().filter(pk=take.pk).exists()


def take_started(take: Take, at: datetime) -> None:
    """The first segment is on disk; its media zero was at wall time `at`."""
    with transaction.atomic():
        if Take.objects.filter(pk=take.pk, started_at=None).update(started_at=at):
            publish(TakeStarted(_show_id(take), take.public_id, at))


def take_grown(
    take: Take,
    *,
    duration_s: float,
    bytes_received: int,
    next_chunk: int,
    started_at: datetime | None = None,
    drift: Drift = STEADY,
) -> None:
    """How far an open take has come; `started_at` and `drift` may be known better meanwhile."""
    row = Take.objects.filter(pk=take.pk, state=TakeState.OPEN)
    row.update(
        duration_s=duration_s,
        bytes_received=bytes_received,
        next_chunk=next_chunk,
        drift=drift.as_row(),
    )
    if started_at is not None:
        row.filter(started_at__isnull=False).update(started_at=started_at)


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
        recording_id=take.recording_id,
        state=TakeState.OPEN,
        started_at__isnull=False,
        late_since=None,
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
    """Seal the takes whose process is gone and whose camera has not come back; how many.

    A process that is `alone` starts: nobody receives anything, and every camera may come back from
    now on. Otherwise what living processes receive is left to them.
    """
    left = Take.objects.filter(state=TakeState.OPEN)
    if alone:
        left.filter(kept_until__isnull=False).update(kept_until=now())
    given_up = Q(kept_until=None) | Q(kept_until__lte=now() - LEFT_FOR)
    return _finish(list(left.filter(given_up).select_related("recording")))


def _start_if_playable(take: Take, at: datetime, *, quietly: bool) -> None:
    """A crash between the first segment and its row must not lose the take's place in time."""
    folder = layout.recording_folder(_key(take.recording)) / str(take.public_id)
    if take.started_at is not None or not layout.segments_on_disk(folder):
        return
    if quietly:
        Take.objects.filter(pk=take.pk, started_at=None).update(started_at=at)
    else:
        take_started(take, at)


def playable_takes(recording: Recording, *, but: uuid.UUID | None = None) -> list[TakeSegments]:
    """The recording's takes that have segments, `but` one, in the order of its timeline."""
    folder = layout.recording_folder(_key(recording))
    takes = [
        TakeSegments(
            str(take.public_id),
            take.started_at or take.created_at,
            _segments(recording, folder / str(take.public_id)),
            Drift.of(take.drift),
        )
        for take in recording.takes.exclude(public_id=but or NOBODY).order_by("position")
    ]
    return [take for take in takes if take.segments]


def _segments(recording: Recording, folder: Path) -> tuple[Segment, ...]:
    """On the disk, or in the bucket, where a recording is whole: it moves after its show."""
    found = layout.segments_on_disk(folder)
    if found or recording.state == RecordingState.LIVE or storage().remote is None:
        return found
    return layout.segments_stored(f"{_key(recording)}/{folder.name}")


def filmed(take: Take) -> Filmed:
    """When a complete take was filmed, second by second."""
    return Filmed(take.started_at or take.created_at, take.duration_s, Drift.of(take.drift))


def seal_recording(show_id: uuid.UUID, *, is_public: bool) -> Recording:
    """Close the recording of a show that is over; what gone processes left open is finished first.

    Afterwards its replay can be watched, or it is known to be empty; either way no take can be
    added. The files are final before the row says so. Doing it again changes nothing.

    While a phone still sends what it kept, or another process makes segments of a take, the
    recording stays open for a while: call it again.
    """
    recording = recording_of(show_id, is_public=is_public)
    if recording.state != RecordingState.LIVE or _waits_for_late(recording):
        return recording
    finish_left(recording)
    if recording.takes.filter(state=TakeState.OPEN).exists():
        return recording
    takes = playable_takes(recording)
    if takes:
        layout.write_playlists(layout.recording_folder(_key(recording)), takes, ended=True)
    _mark_sealed(recording, takes)
    storage().delete_folder(f"{_key(recording)}/{low_shelf.FOLDER}")
    recording.refresh_from_db()
    return recording


def _waits_for_late(recording: Recording) -> bool:
    """Whether what a phone kept may still come into a recording whose show is over."""
    moment = now()
    Recording.objects.filter(pk=recording.pk, end_asked_at=None).update(end_asked_at=moment)
    late = recording.takes.filter(state=TakeState.OPEN, late_since__isnull=False)
    if (recording.end_asked_at or moment) <= moment - LATE_UNTIL:
        late.filter(leave_asked_at=None).update(leave_asked_at=moment)
        return late.filter(kept_until__gt=moment).exists()
    return late.filter(kept_until__gt=moment - LATE_BACK_WITHIN).exists()


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
