"""The worker process: claims jobs, and runs the periodic work that is due.

The caller's thread runs the schedule. Some threads run jobs of every kind, as many as the machine
has room for, and one only what somebody waits for; during a job another keeps its lease. Which job
may be run a thread finds out by itself (here), or is told by a carrier (`celery_worker`).
A stop ends ffmpeg and hands the job back; the next worker begins it anew.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import Error as DatabaseAway
from django.db import close_old_connections, connections, transaction
from django.utils.translation import gettext as _

from core.schedule import Periodic, run_due
from media_pipeline import jobs
from media_pipeline.ffmpeg import MediaCancelled, MediaError, SourceUnreadable
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import JobFault
from media_pipeline.room import jobs_at_once
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.settling import SETTLE_RECORDING
from media_pipeline.storage import NoSuchFile, StorageDown, sweep_work
from media_pipeline.tasks import TASKS, Task
from media_pipeline.work import PartFailed, Work

log = logging.getLogger(__name__)

LOOK_FOR_JOBS_S = 0.5
# Half of the time in which ffmpeg is to stop after somebody has cancelled.
HEARTBEAT_S = 1.0
SCHEDULE_S = 1.0
STOP_WITHIN_S = 5.0
# Of that, what is left for handing back what a stop does not reach, such as a long upload.
HAND_BACK_S = 1.0
# Somebody waits for these: they must not wait behind a recording that takes minutes.
QUICK_TASKS = {kind: TASKS[kind] for kind in (MAKE_CLIP, SETTLE_RECORDING)}

_running: set[Lease] = set()
"""What this process works on."""


def run_worker(stop: threading.Event, periodic: Sequence[Periodic] = ()) -> None:
    """Work until `stop` is set; returns within `STOP_WITHIN_S` of that."""
    sweep_work()
    lanes: list[Mapping[str, Task]] = [TASKS] * jobs_at_once() + [QUICK_TASKS]
    runners = [
        threading.Thread(target=run_jobs, args=(stop, tasks), name=f"jobs {number}", daemon=True)
        for number, tasks in enumerate(lanes)
    ]
    for runner in runners:
        runner.start()
    run_schedule(stop, periodic)
    end_by = time.monotonic() + STOP_WITHIN_S - HAND_BACK_S
    for runner in runners:
        runner.join(max(0.0, end_by - time.monotonic()))
    hand_back_all()


def run_schedule(stop: threading.Event, periodic: Sequence[Periodic]) -> None:
    """Run the periodic work that is due, until `stop` is set."""
    while not stop.wait(SCHEDULE_S):
        close_old_connections()
        try:
            run_due(periodic)
        except DatabaseAway:  # locked or away for now: it is still due a second later
            log.warning("cannot look for periodic work", exc_info=True)
            connections.close_all()


def hand_back_all() -> None:
    """Give up what is still being worked on here: the process ends, and its threads with it."""
    for lease in list(_running):
        with contextlib.suppress(LeaseLost, DatabaseAway):
            jobs.hand_back(lease)


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
    except DatabaseAway:  # locked or away for now: the next look will tell
        log.warning("cannot look for jobs", exc_info=True)
        connections.close_all()
        return False
    if lease:
        run_job(lease, tasks[lease.kind], stop)
    return lease is not None


def run_job(lease: Lease, task: Task, stop: threading.Event) -> None:
    """Run one claimed job to its end, whatever that is; never raises for what the job did."""
    work = Work(lease, run_part=_run_part)
    log.info("%s of %s: attempt %d", lease.kind, lease.subject_id, lease.attempt)
    _running.add(lease)
    try:
        with _kept(work, stop):
            _attempt(work, task)
    except LeaseLost:
        log.warning("%s of %s is somebody else's now", lease.kind, lease.subject_id)
    except DatabaseAway:
        log.exception("%s of %s: the database went away", lease.kind, lease.subject_id)
        connections.close_all()
        said = _("The database did not answer.")
        _fail_if_possible(lease, task, said, JobFault.DATABASE)
    except Exception:  # the worker's outermost loop: a fault in one task must not stop the others
        log.exception("%s of %s failed", lease.kind, lease.subject_id)
        _fail_if_possible(lease, task, _("Something went wrong on our side."), JobFault.OURS)
    finally:
        _running.discard(lease)


def _run_part(lease: Lease, stop: threading.Event) -> None:
    """For a job that waits for its parts, in a thread of its own."""
    try:
        run_job(lease, TASKS[lease.kind], stop)
    finally:
        connections.close_all()


def _attempt(work: Work, task: Task) -> None:
    """Run the task and write down how it ended."""
    lease = work.lease
    try:
        if lease.is_crasher:
            said = _("The work stopped unexpectedly several times.")
            _fail(lease, task, said, JobFault.CRASH, again=False)
        else:
            task.run(work)
    except MediaCancelled:
        # Set by a stop, or by the keeper of the lease; in the second case this raises LeaseLost.
        jobs.hand_back(lease)
    except SourceUnreadable as error:
        _tell(lease, error)
        _fail(lease, task, error.message, JobFault.SOURCE, again=False)
    except NoSuchFile as error:
        _tell(lease, error)
        said = _("Part of the recording is missing.")
        _fail(lease, task, said, JobFault.MISSING, again=False)
    except PartFailed as error:  # which was tried often enough
        _fail(lease, task, error.message, JobFault(error.fault), again=False)
    except StorageDown as error:
        log.warning("%s of %s: %s", lease.kind, lease.subject_id, error)
        said = _("The storage for films does not answer.")
        _fail(lease, task, said, JobFault.STORAGE, again=True)
    except MediaError as error:
        _tell(lease, error)
        _fail(lease, task, error.message, JobFault.TROUBLE, again=True)


def _tell(lease: Lease, error: MediaError | NoSuchFile) -> None:
    detail = error.detail if isinstance(error, MediaError) else str(error)
    log.error("%s of %s: %s: %s", lease.kind, lease.subject_id, error, detail)


def _fail(lease: Lease, task: Task, reason: str, fault: JobFault, *, again: bool) -> None:
    with transaction.atomic():
        if jobs.fail(lease, reason, again=again, fault=fault):
            task.given_up(lease.subject_id, reason)


def _fail_if_possible(lease: Lease, task: Task, reason: str, fault: JobFault) -> None:
    """After a fault of ours. If even that cannot be written, the lease runs out by itself."""
    with contextlib.suppress(LeaseLost, DatabaseAway):
        _fail(lease, task, reason, fault, again=True)


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
        due_at = time.monotonic() + HEARTBEAT_S
        while not done.wait(0.1):
            is_due = time.monotonic() >= due_at
            if stop.is_set() or (is_due and not _beat(work)):
                work.stop.set()
                return
            if is_due:
                due_at = time.monotonic() + HEARTBEAT_S
    finally:
        connections.close_all()


def _beat(work: Work) -> bool:
    """Renew the lease; whether the work may go on. A busy database costs one beat of thirty."""
    try:
        work.beat()
    except LeaseLost:
        return False
    except DatabaseAway:
        log.warning("a heartbeat was missed", exc_info=True)
        connections.close_all()
    return True
