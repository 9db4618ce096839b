"""The worker process: claims jobs, and runs the periodic work that is due.

The caller's thread runs the schedule, one thread runs jobs of every kind, one only clips, and
during a job another keeps its lease.
A stop ends ffmpeg and hands the job back; the next worker begins it anew.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import (
    DatabaseError,
    OperationalError,
    close_old_connections,
    connections,
    transaction,
)
from django.utils.translation import gettext as _

from core.schedule import Periodic, run_due
from media_pipeline import jobs
from media_pipeline.ffmpeg import MediaCancelled, MediaError, SourceUnreadable
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.settling import SETTLE_RECORDING
from media_pipeline.storage import NoSuchFile, StorageDown, sweep_work
from media_pipeline.tasks import TASKS, Task
from media_pipeline.work import Work

log = logging.getLogger(__name__)

LOOK_FOR_JOBS_S = 0.5
HEARTBEAT_S = 2.0
SCHEDULE_S = 1.0
STOP_WITHIN_S = 5.0
# Somebody waits for these: they must not wait behind a recording that takes minutes.
QUICK_TASKS = {kind: TASKS[kind] for kind in (MAKE_CLIP, SETTLE_RECORDING)}


def run_worker(stop: threading.Event, periodic: Sequence[Periodic] = ()) -> None:
    """Work until `stop` is set; returns within `STOP_WITHIN_S` of that."""
    sweep_work()
    runners = [
        threading.Thread(target=run_jobs, args=(stop, tasks), name=name, daemon=True)
        for name, tasks in (("jobs", TASKS), ("quick-jobs", QUICK_TASKS))
    ]
    for runner in runners:
        runner.start()
    while not stop.wait(SCHEDULE_S):
        _run_periodic(periodic)
    for runner in runners:
        runner.join(STOP_WITHIN_S / len(runners))


def _run_periodic(periodic: Sequence[Periodic]) -> None:
    close_old_connections()
    try:
        run_due(periodic)
    except OperationalError:  # locked or away for now: it is still due a second later
        log.warning("cannot look for periodic work", exc_info=True)


def run_jobs(stop: threading.Event, tasks: Mapping[str, Task] = TASKS) -> None:
    """Claim and run jobs until `stop` is set."""
    try:
        while not stop.is_set():
            close_old_connections()
            if not _run_next(stop, tasks):
                stop.wait(LOOK_FOR_JOBS_S)
    finally:
        connections.close_all()


def run_waiting(tasks: Mapping[str, Task] = TASKS) -> None:
    """Run the jobs that are due, here and now, until there are none: for set-up."""
    never = threading.Event()
    while _run_next(never, tasks):
        continue


def _run_next(stop: threading.Event, tasks: Mapping[str, Task]) -> bool:
    """Run the next job, if one is due and the database can be asked."""
    try:
        lease = jobs.claim(tasks.keys())
    except OperationalError:  # locked or away for now: the next look will tell
        log.warning("cannot look for jobs", exc_info=True)
        return False
    if lease:
        run_job(lease, tasks[lease.kind], stop)
    return lease is not None


def run_job(lease: Lease, task: Task, stop: threading.Event) -> None:
    """Run one claimed job to its end, whatever that is; never raises for what the job did."""
    work = Work(lease)
    log.info("%s of %s: attempt %d", lease.kind, lease.subject_id, lease.attempt)
    try:
        with _kept(work, stop):
            _attempt(work, task)
    except LeaseLost:
        log.warning("%s of %s is somebody else's now", lease.kind, lease.subject_id)
    except Exception:  # the worker's outermost loop: a fault in one task must not stop the others
        log.exception("%s of %s failed", lease.kind, lease.subject_id)
        _fail_if_possible(lease, task)


def _attempt(work: Work, task: Task) -> None:
    """Run the task and write down how it ended."""
    try:
        if work.lease.is_crasher:
            raise SourceUnreadable(_("The work stopped unexpectedly several times."))
        task.run(work)
    except MediaCancelled:
        # Set by a stop, or by the keeper of the lease; in the second case this raises LeaseLost.
        jobs.hand_back(work.lease)
    except (SourceUnreadable, NoSuchFile) as error:
        _tell(work.lease, error)
        _fail(work.lease, task, _reason(error), again=False)
    except StorageDown as error:
        log.warning("%s of %s: %s", work.lease.kind, work.lease.subject_id, error)
        _fail(work.lease, task, _("The storage for films does not answer."), again=True)
    except MediaError as error:
        _tell(work.lease, error)
        _fail(work.lease, task, error.message, again=True)


def _reason(error: SourceUnreadable | NoSuchFile) -> str:
    if isinstance(error, NoSuchFile):
        return _("Part of the recording is missing.")
    return error.message


def _tell(lease: Lease, error: MediaError | NoSuchFile) -> None:
    detail = error.detail if isinstance(error, MediaError) else str(error)
    log.error("%s of %s: %s: %s", lease.kind, lease.subject_id, error, detail)


def _fail(lease: Lease, task: Task, reason: str, *, again: bool) -> None:
    with transaction.atomic():
        if jobs.fail(lease, reason, again=again):
            task.given_up(lease.subject_id, reason)


def _fail_if_possible(lease: Lease, task: Task) -> None:
    """After a fault of ours. If even that cannot be written, the lease runs out by itself."""
    with contextlib.suppress(LeaseLost, DatabaseError):
        _fail(lease, task, _("Something went wrong on our side."), again=True)


@contextmanager
def _kept(work: Work, stop: threading.Event) -> Iterator[None]:
    """Keep the work's lease in a thread meanwhile, and stop the work when it must stop."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(work, stop, done), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(work: Work, stop: threading.Event, done: threading.Event) -> None:
    try:
        since_heartbeat_s = 0.0
        while not done.wait(0.1):
            since_heartbeat_s += 0.1
            if stop.is_set() or (since_heartbeat_s >= HEARTBEAT_S and not _beat(work)):
                work.stop.set()
                return
            since_heartbeat_s %= HEARTBEAT_S
    finally:
        connections.close_all()


def _beat(work: Work) -> bool:
    """Renew the lease; whether the work may go on. A busy database costs one beat of thirty."""
    try:
        jobs.heartbeat(work.lease, work.progress)
    except LeaseLost:
        return False
    except OperationalError:
        log.warning("a heartbeat was missed", exc_info=True)
    return True
