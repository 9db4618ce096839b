"""A worker for `tests.chaos.pipeline`: the product's own, with a journal, a short lease and, as the
negative control, without the conditions that keep zombies out: the job's and the clip's.

    python -m tests.chaos.pipeline_worker JOURNAL LEASE_S [--broken]
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

PAUSE = timedelta(seconds=0.2)
# Killed a hundred times by us, a job is no crasher.
ATTEMPTS = 10_000


def main(journal: Path, lease_s: float, *, broken: bool) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
    django.setup()
    from livecommerce.wiring import PERIODIC
    from media_pipeline import jobs, worker
    from media_pipeline.models import Asset, AssetState, Job

    jobs.LEASE, jobs.FIRST_PAUSE = timedelta(seconds=lease_s), PAUSE / 4**3
    jobs.MAX_ATTEMPTS = ATTEMPTS
    original = worker.run_job
    lock = threading.Lock()

    def note(what: str, **more: int) -> None:
        line = {"t": time.time(), "pid": os.getpid(), "what": what, **more}
        with lock, journal.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def run_job(lease: Any, task: Any, stop: threading.Event) -> None:
        note("begin", job=lease.job_id, epoch=lease.epoch)
        original(lease, task, stop)
        note("end", job=lease.job_id, epoch=lease.epoch)

    def believe_everybody(lease: Any, **values: Any) -> None:
        Job.objects.filter(pk=lease.job_id).update(**values)
        if values.get("state") == jobs.JobState.DONE:
            waits = Asset.objects.filter(public_id=lease.subject_id)
            waits.update(state=AssetState.WAITING)

    def fail(lease: Any, reason: str, *, again: bool, fault: str = "") -> bool:
        """Pauses as short as the first: this is no place to wait for hours."""
        given_up = not again
        values = jobs._ended(jobs.JobState.FAILED) if given_up else jobs._waiting()
        jobs._change(lease, error=reason, fault=fault, **values)
        return given_up

    worker.run_job = run_job
    jobs.fail = fail
    if broken:
        jobs._change = believe_everybody
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    note("ready")
    worker.run_worker(stop, PERIODIC)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), broken="--broken" in sys.argv)
