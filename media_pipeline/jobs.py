"""Jobs: rows that a worker claims for a while, and cannot finish once somebody else has them.

Every claim raises `lease_epoch`. Whatever a worker says later is a conditional update on the epoch
it was given: a worker that was thought dead and comes back (`LeaseLost`) changes nothing. A job
that is cancelled or begun anew is taken from its worker by the same rule, at once.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from django.db import models, transaction
from django.db.models import F, Q

from core.accounts.models import User
from core.clock import now
from media_pipeline.models import Asset, Job, JobFault, JobState, Recording, RecordingState, Upload

LEASE = timedelta(seconds=30)
SILENT_AFTER = timedelta(seconds=8)
MAX_ATTEMPTS = 3
FIRST_PAUSE = timedelta(seconds=5)
CANDIDATES = 5
# Of a first stretch that is shorter, nothing can be told about the rest.
TELLS_AFTER_S, TELLS_AFTER = 2.0, 0.02

OPEN = (JobState.QUEUED, JobState.RUNNING)
OVER = (JobState.FAILED, JobState.CANCELLED)


class Priority(IntEnum):
    """Lower runs first: what a show on the air needs, then replays, then older films."""

    SHOW = 10
    CLIP = 50
    REPLAY = 100
    BESIDE = 150
    BACK_CATALOGUE = 200


class LeaseLost(Exception):
    """The job is not this worker's any more; it must leave everything as it is."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job until it runs out or somebody else's epoch begins."""

    job_id: int
    kind: str
    subject_id: uuid.UUID
    epoch: int
    attempt: int

    @property
    def is_crasher(self) -> bool:
        """Whether it took down its worker at every attempt: it must not take down this one."""
        return self.attempt > MAX_ATTEMPTS


listeners: list[Callable[[Job], None]] = []
"""Told, after the commit, of a job that may be run now: the carrier, if there is one."""


def enqueue(
    kind: str,
    subject_id: uuid.UUID,
    *,
    owner: User | None = None,
    priority: int = Priority.REPLAY,
    show_id: uuid.UUID | None = None,
    parent: Job | None = None,
) -> Job:
    """The one job of this kind for this subject; one that had failed waits anew.

    One that a person cancelled stays so until a person asks for it. `show_id` is found by the
    subject where that is a recording, an asset or an upload. A part ends with its `parent`.
    """
    first = _first(owner=owner, priority=priority, show_id=show_id or show_of(subject_id))
    first["parent"] = parent
    job, created = Job.objects.get_or_create(kind=kind, subject_id=subject_id, defaults=first)
    if created or _queue_again(job, JobState.FAILED):
        job.refresh_from_db()
        _tell(job)
    return job


def restart(
    kind: str,
    subject_id: uuid.UUID,
    *,
    priority: int = Priority.REPLAY,
    after: timedelta = timedelta(0),
) -> Job:
    """The one job of this kind for this subject, from its beginning; who runs it loses it."""
    due = now() + after if after else None
    first = _first(owner=None, priority=priority, show_id=show_of(subject_id))
    first["run_after"] = due
    job, created = Job.objects.get_or_create(kind=kind, subject_id=subject_id, defaults=first)
    if not created:
        anew = {**_anew(), "run_after": due}
        Job.objects.filter(pk=job.pk).update(lease_epoch=F("lease_epoch") + 1, **anew)
        _end_parts([job.pk])
        job.refresh_from_db()
    _tell(job)
    return job


def withdraw(kind: str, subject_ids: Collection[uuid.UUID]) -> None:
    """These jobs are not to be done for now; whoever runs one loses it."""
    found = Job.objects.filter(kind=kind, subject_id__in=subject_ids)
    found.update(**_withdrawn())
    _end_parts(list(found.values_list("pk", flat=True)))


def cancel(job: Job, by: User | None) -> bool:
    """Take an open job from whoever runs it; `False` if it had come to its end before."""
    open_one = Job.objects.filter(pk=job.pk, state__in=OPEN)
    ended = _ended(JobState.CANCELLED)
    if open_one.update(lease_epoch=F("lease_epoch") + 1, cancelled_by=by, **ended) != 1:
        return False
    _end_parts([job.pk])
    return True


def retry(job: Job) -> bool:
    """Let a job that failed or was cancelled wait anew; `False` if it is neither."""
    if not _queue_again(job, *OVER):
        return False
    _tell(job)
    return True


def show_of(subject_id: uuid.UUID) -> uuid.UUID | None:
    """The show to which a recording, an asset or an upload belongs."""
    recordings = Recording.objects.filter(public_id=subject_id).values_list("show_id", flat=True)
    assets = Asset.objects.filter(public_id=subject_id).values_list("recording__show_id", flat=True)
    uploads = Upload.objects.filter(public_id=subject_id).values_list("show_id", flat=True)
    return recordings.first() or assets.first() or uploads.first()


def is_open(kind: str, subject_id: uuid.UUID) -> bool:
    """Whether such a job waits or runs."""
    return Job.objects.filter(kind=kind, subject_id=subject_id, state__in=OPEN).exists()


def job_of(kind: str, subject_id: uuid.UUID) -> Job | None:
    """The job of this kind for this subject, if there is one."""
    return Job.objects.filter(kind=kind, subject_id=subject_id).first()


def remaining_s(job: Job, moment: datetime) -> float | None:
    """How long a running job still takes, as it went so far; `None` where that says nothing yet."""
    if job.state != JobState.RUNNING or job.started_at is None:
        return None
    # What was told last was true when it was told, not now.
    told_at = min(job.changed_at, moment)
    took_s = (told_at - job.started_at).total_seconds()
    if took_s < TELLS_AFTER_S or job.progress < TELLS_AFTER:
        return None
    left_s = took_s * (1 - job.progress) / job.progress
    return max(0.0, left_s - (moment - told_at).total_seconds())


def is_silent(job: Job, moment: datetime) -> bool:
    """Whether whoever runs it has said nothing for a while. The lease may yet be kept."""
    if job.state != JobState.RUNNING or job.leased_until is None:
        return False
    return moment > job.leased_until - LEASE + SILENT_AFTER


def claim(kinds: Collection[str]) -> Lease | None:
    """The next job of these kinds for this worker, for `LEASE`; `None` if none is due.

    A job whose workers vanished is claimed again, and `Lease.is_crasher` once that is too often.
    """
    for job in candidates(kinds):
        if lease := take(job):
            return lease
    return None


def claim_part(parent_id: int) -> Lease | None:
    """The next part of this job that is due, for whoever runs the job itself."""
    parts = claimable().filter(parent_id=parent_id).order_by("priority", "id")[:CANDIDATES]
    return next((lease for lease in map(take, parts) if lease), None)


def candidates(kinds: Collection[str]) -> list[Job]:
    """Jobs that could be claimed as it looks now, the most urgent first."""
    return list(claimable().filter(kind__in=kinds).order_by("priority", "id")[:CANDIDATES])


def take(job: Job) -> Lease | None:
    """The lease of a job as it was seen, unless somebody was faster."""
    moment = now()
    taken = (
        claimable()
        .filter(pk=job.pk, lease_epoch=job.lease_epoch)
        .update(
            state=JobState.RUNNING,
            lease_epoch=F("lease_epoch") + 1,
            leased_until=moment + LEASE,
            worker=this_worker(),
            attempts=F("attempts") + 1,
            started_at=moment,
            changed_at=moment,
            progress=0,
        )
    )
    if taken != 1:
        return None
    return Lease(job.pk, job.kind, job.subject_id, job.lease_epoch + 1, job.attempts + 1)


def this_worker() -> str:
    """What operators know this process by: its machine and its number there."""
    return f"{socket.gethostname()[:60]} #{os.getpid()}"


def heartbeat(lease: Lease, progress: float) -> None:
    """Keep the lease and tell how far the work is (0 to 1); raises `LeaseLost`."""
    _change(lease, leased_until=now() + LEASE, progress=min(1.0, max(0.0, progress)))


def hold(lease: Lease) -> None:
    """Make sure, right before something that others would see, that the job is still ours.

    Raises `LeaseLost`. The lease lasts from now on.
    """
    _change(lease, leased_until=now() + LEASE)


def finish(lease: Lease) -> None:
    """The work is done; call it in the transaction that stores its results.

    Raises `LeaseLost`, which must undo that transaction.
    """
    _change(lease, progress=1, error="", fault="", **_ended(JobState.DONE))


def fail(lease: Lease, reason: str, *, again: bool, fault: str = JobFault.NONE) -> bool:
    """The attempt failed, for a `reason` that its owner can read; whether the job is given up.

    `again` says that another attempt may help; there are `MAX_ATTEMPTS`, with growing pauses.
    """
    given_up = not again or lease.attempt >= MAX_ATTEMPTS
    said = {"error": reason[:500], "fault": fault}
    if given_up:
        _change(lease, **said, **_ended(JobState.FAILED))
        _end_parts([lease.job_id])
    else:
        pause = FIRST_PAUSE * 4 ** (lease.attempt - 1)
        _change(lease, **said, run_after=now() + pause, **_waiting())
    return given_up


def hand_back(lease: Lease) -> None:
    """This worker is stopping: the job waits for the next one and the attempt does not count."""
    _change(lease, attempts=F("attempts") - 1, **_waiting())
    _tell_of(lease.job_id)


def put_off(lease: Lease, pause: timedelta) -> None:
    """Leave it for now to do something else; the attempt does not count."""
    _change(lease, **{**_waiting(), "attempts": F("attempts") - 1, "run_after": now() + pause})
    _tell_of(lease.job_id)


def is_preceded(lease: Lease) -> bool:
    """Whether something more urgent than this job waits."""
    priority = Job.objects.filter(pk=lease.job_id).values("priority")
    return claimable().filter(priority__lt=models.Subquery(priority)).exists()


def claimable() -> models.QuerySet[Job]:
    """What waits and is due, and what a worker left behind."""
    moment = now()
    due = Q(run_after=None) | Q(run_after__lte=moment)
    abandoned = Q(leased_until__lt=moment)
    return Job.objects.filter(Q(due, state=JobState.QUEUED) | Q(abandoned, state=JobState.RUNNING))


def _first(*, owner: User | None, priority: int, show_id: uuid.UUID | None) -> dict[str, object]:
    """What a new job knows; one of a show that is on the air goes before all others."""
    on_air = Recording.objects.filter(state=RecordingState.LIVE)
    if show_id is not None and on_air.filter(show_id=show_id).exists():
        priority = min(priority, Priority.SHOW)
    return {"owner": owner, "priority": priority, "show_id": show_id}


def _queue_again(job: Job, *states: JobState) -> bool:
    return Job.objects.filter(pk=job.pk, state__in=states).update(**_anew()) == 1


def _tell(job: Job) -> None:
    _tell_of(job.pk)


def _tell_of(job_id: int) -> None:
    if listeners:
        transaction.on_commit(lambda: _told(job_id))


def _told(job_id: int) -> None:
    if job := Job.objects.filter(pk=job_id).first():
        for listener in listeners:
            listener(job)


def _anew() -> dict[str, object]:
    fresh = {"attempts": 0, "run_after": None, "error": "", "fault": "", "cancelled_by": None}
    return {**fresh, **_waiting()}


def _waiting() -> dict[str, object]:
    still = {"state": JobState.QUEUED, "leased_until": None, "progress": 0, "finished_at": None}
    return {**still, "sent_at": None, "changed_at": now()}


def _withdrawn() -> dict[str, object]:
    nothing_said = {"error": "", "fault": "", "run_after": None}
    return {"lease_epoch": F("lease_epoch") + 1, **nothing_said, **_ended(JobState.FAILED)}


def _end_parts(parent_ids: Collection[int]) -> None:
    """Nobody waits for what is still open of these jobs' parts; whoever runs one loses it."""
    Job.objects.filter(parent_id__in=parent_ids, state__in=OPEN).update(**_withdrawn())


def _ended(state: JobState) -> dict[str, object]:
    moment = now()
    return {"state": state, "leased_until": None, "finished_at": moment, "changed_at": moment}


def _change(lease: Lease, **values: object) -> None:
    """Update the job if the lease still holds; raises `LeaseLost`."""
    held = Job.objects.filter(pk=lease.job_id, state=JobState.RUNNING, lease_epoch=lease.epoch)
    if held.update(**{"changed_at": now(), **values}) != 1:
        raise LeaseLost(f"{lease.kind} {lease.subject_id}")
