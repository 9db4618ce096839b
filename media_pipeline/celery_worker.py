"""The worker process where Celery carries the jobs: it brings a number, and the row is claimed.

Celery's consumer has a thread, and a few more run what it brings. Periodic work, heartbeats, stops
and what becomes of a job are the same as without it (`worker`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from celery.exceptions import Reject
from celery.worker import state
from django.db import Error as DatabaseAway
from django.db import close_old_connections, connections

from core.schedule import Periodic
from media_pipeline import jobs, worker
from media_pipeline.celery_carrier import MAY_RUN, QUEUE, app
from media_pipeline.models import Job
from media_pipeline.room import jobs_at_once
from media_pipeline.storage import sweep_work
from media_pipeline.tasks import TASKS

log = logging.getLogger(__name__)

# A long job that this worker has no room for goes back to the queue, where others find it.
WAITS_FOR_ROOM_S = 1.0


def run_worker(stop: threading.Event, periodic: Sequence[Periodic] = ()) -> None:
    """Work until `stop` is set; returns within `worker.STOP_WITHIN_S` of that."""
    sweep_work()
    at_once = jobs_at_once()
    room = threading.BoundedSemaphore(at_once)

    @app.task(name=MAY_RUN)  # type: ignore[untyped-decorator]
    def job_may_run(job_id: int) -> None:
        if not run_if_possible(job_id, room, stop):
            raise Reject("no room for it here", requeue=True)

    # One thread more than there is room for long jobs: somebody waits for the quick ones.
    consumer = threading.Thread(target=_consume, args=(at_once + 1, stop), name="celery")
    consumer.daemon = True
    consumer.start()
    worker.run_schedule(stop, periodic)
    end_by = time.monotonic() + worker.STOP_WITHIN_S - worker.HAND_BACK_S
    state.should_stop = 0  # by which Celery's own signal handlers end a worker, too
    consumer.join(max(0.0, end_by - time.monotonic()))
    worker.hand_back_all()


def _consume(threads: int, stop: threading.Event) -> None:
    """Celery's side; a process that hears no messages is of no use, so its end is the end."""
    try:
        app.WorkController(
            pool="threads",
            concurrency=threads,
            queues=[QUEUE],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        ).start()
    finally:
        stop.set()


def run_if_possible(job_id: int, room: threading.BoundedSemaphore, stop: threading.Event) -> bool:
    """Run the job to its end if nobody else does; `False` if it should be offered to others."""
    close_old_connections()
    try:
        job = Job.objects.filter(pk=job_id).first()
        if job is None or job.kind not in TASKS or stop.is_set():
            return True
        if job.kind in worker.QUICK_TASKS:
            _claim_and_run(job, stop)
            return True
        if not room.acquire(timeout=WAITS_FOR_ROOM_S):
            return False
        try:
            _claim_and_run(job, stop)
        finally:
            room.release()
    except DatabaseAway:  # it will be sent again
        log.warning("job %d cannot be claimed", job_id, exc_info=True)
        connections.close_all()
    return True


def _claim_and_run(job: Job, stop: threading.Event) -> None:
    if lease := jobs.take(job):
        worker.run_job(lease, TASKS[lease.kind], stop)
