"""Jobs: rows that a worker claims for a while, and cannot finish once somebody else has them.

Every claim raises `lease_epoch`. Whatever a worker says later is a conditional update on the epoch
it was given: a worker that was thought dead and comes back (`LeaseLost`) changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from core.accounts.models import User
from core.clock import now
from media_pipeline.models import Job, JobState

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
FIRST_PAUSE = timedelta(seconds=5)
CANDIDATES = 5


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


def enqueue(
    kind: str, subject_id: uuid.UUID, *, owner: User | None = None, priority: int = 100
) -> Job:
    """The one job of this kind for this subject; one that had failed waits anew."""
    job, created = Job.objects.get_or_create(
        kind=kind, subject_id=subject_id, defaults={"owner": owner, "priority": priority}
    )
    if not created and _queue_again(job):
        job.refresh_from_db()
    return job


def restart(kind: str, subject_id: uuid.UUID, *, priority: int = 100) -> Job:
    """The one job of this kind for this subject, from its beginning; who runs it loses it."""
    job, created = Job.objects.get_or_create(
        kind=kind, subject_id=subject_id, defaults={"priority": priority}
    )
    if not created:
        fresh = {"attempts": 0, "run_after": None, "error": "", **_waiting()}
        Job.objects.filter(pk=job.pk).update(lease_epoch=F("lease_epoch") + 1, **fresh)
        job.refresh_from_db()
    return job


def withdraw(kind: str, subject_ids: Collection[uuid.UUID]) -> None:
    """These jobs are not to be done for now; whoever runs one loses it."""
    found = Job.objects.filter(kind=kind, subject_id__in=subject_ids)
    found.update(lease_epoch=F("lease_epoch") + 1, error="", run_after=None, **_given_up())


def is_open(kind: str, subject_id: uuid.UUID) -> bool:
    """Whether such a job waits or runs."""
    unfinished = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    return unfinished.filter(kind=kind, subject_id=subject_id).exists()


def job_of(kind: str, subject_id: uuid.UUID) -> Job | None:
    """The job of this kind for this subject, if there is one."""
    return Job.objects.filter(kind=kind, subject_id=subject_id).first()


def claim(kinds: Collection[str]) -> Lease | None:
    """The next job of these kinds for this worker, for `LEASE`; `None` if none is due.

    A job whose workers vanished is claimed again, and `Lease.is_crasher` once that is too often.
    """
    for job in candidates(kinds):
        if lease := take(job):
            return lease
    return None


def candidates(kinds: Collection[str]) -> list[Job]:
    """Jobs that could be claimed as it looks now, the most urgent first."""
    return list(_claimable().filter(kind__in=kinds).order_by("priority", "id")[:CANDIDATES])


def take(job: Job) -> Lease | None:
    """The lease of a job seen by `candidates`, unless somebody was faster."""
    moment = now()
    taken = (
        _claimable()
        .filter(pk=job.pk, lease_epoch=job.lease_epoch)
        .update(
            state=JobState.RUNNING,
            lease_epoch=F("lease_epoch") + 1,
            leased_until=moment + LEASE,
            attempts=F("attempts") + 1,
            started_at=moment,
            progress=0,
        )
    )
    if taken != 1:
        return None
    return Lease(job.pk, job.kind, job.subject_id, job.lease_epoch + 1, job.attempts + 1)


def heartbeat(lease: Lease, progress: float) -> None:
    """Keep the lease and tell how far the work is (0 to 1); raises `LeaseLost`."""
    _change(lease, leased_until=now() + LEASE, progress=min(1.0, max(0.0, progress)))


def finish(lease: Lease) -> None:
    """The work is done; call it in the transaction that stores its results.

    Raises `LeaseLost`, which must undo that transaction.
    """
    _change(
        lease,
        state=JobState.DONE,
        progress=1,
        leased_until=None,
        finished_at=now(),
        error="",
    )


def fail(lease: Lease, reason: str, *, again: bool) -> bool:
    """The attempt failed, for a `reason` that its owner can read; whether the job is given up.

    `again` says that another attempt may help; there are `MAX_ATTEMPTS`, with growing pauses.
    """
    given_up = not again or lease.attempt >= MAX_ATTEMPTS
    if given_up:
        _change(lease, error=reason[:500], **_given_up())
    else:
        pause = FIRST_PAUSE * 4 ** (lease.attempt - 1)
        _change(lease, error=reason[:500], run_after=now() + pause, **_waiting())
    return given_up


def hand_back(lease: Lease) -> None:
    """This worker is stopping: the job waits for the next one and the attempt does not count."""
    _change(lease, attempts=F("attempts") - 1, **_waiting())


def _claimable() -> models.QuerySet[Job]:
    moment = now()
    due = Q(run_after=None) | Q(run_after__lte=moment)
    abandoned = Q(leased_until__lt=moment)
    return Job.objects.filter(Q(due, state=JobState.QUEUED) | Q(abandoned, state=JobState.RUNNING))


def _queue_again(job: Job) -> bool:
    failed = Job.objects.filter(pk=job.pk, state=JobState.FAILED)
    return failed.update(attempts=0, run_after=None, error="", **_waiting()) == 1


def _waiting() -> dict[str, object]:
    return {"state": JobState.QUEUED, "leased_until": None, "progress": 0, "finished_at": None}


def _given_up() -> dict[str, object]:
    return {"state": JobState.FAILED, "leased_until": None, "finished_at": now()}


def _change(lease: Lease, **values: object) -> None:
    """Update the job if the lease still holds; raises `LeaseLost`."""
    held = Job.objects.filter(pk=lease.job_id, state=JobState.RUNNING, lease_epoch=lease.epoch)
    if held.update(**values) != 1:
        raise LeaseLost(f"{lease.kind} {lease.subject_id}")
