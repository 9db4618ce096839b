from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from core import schedule
from core.clock import now
from core.models import ScheduledWork
from core.realtime.db import with_fresh_connections
from core.schedule import Periodic, run_due


class Sweep:
    def __init__(self, name: str = "sweep", broken: bool = False) -> None:
        self.runs = 0
        self.broken = broken
        self.work = Periodic(name, every_s=60, run=self)

    def __call__(self) -> None:
        self.runs += 1
        if self.broken:
            raise RuntimeError("no broom")


def test_work_runs_when_it_is_due_and_not_before(db: None) -> None:
    sweep = Sweep()
    start = now()
    for after_s, runs in ((0, 1), (59, 1), (61, 2), (100, 2), (122, 3)):
        with time_machine.travel(start + timedelta(seconds=after_s)):
            run_due([sweep.work])
        assert sweep.runs == runs, f"after {after_s} s"


def test_after_a_long_pause_it_runs_once_not_once_for_every_time_missed(db: None) -> None:
    sweep = Sweep()
    run_due([sweep.work])
    with time_machine.travel(now() + timedelta(hours=5)):
        run_due([sweep.work])
        run_due([sweep.work])
    assert sweep.runs == 2


def test_a_failing_job_says_why_and_stops_no_other(db: None) -> None:
    broken, fine = Sweep("broken", broken=True), Sweep("fine")
    assert run_due([broken.work, fine.work]) == ["fine"]
    assert ScheduledWork.objects.get(name="broken").last_error == "RuntimeError: no broom"
    assert ScheduledWork.objects.get(name="fine").last_error == ""


def test_a_job_that_recovers_forgets_its_error(db: None) -> None:
    sweep = Sweep(broken=True)
    run_due([sweep.work])
    sweep.broken = False
    with time_machine.travel(now() + timedelta(minutes=2)):
        assert run_due([sweep.work]) == ["sweep"]
    assert ScheduledWork.objects.get().last_error == ""


def _run_in_four_threads(work: Periodic) -> None:
    start = threading.Barrier(4)

    def run(_number: int) -> None:
        start.wait()
        with_fresh_connections(lambda: run_due([work]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))


def test_of_four_processes_one_runs_it(transactional_db: None) -> None:
    sweep = Sweep()
    _run_in_four_threads(sweep.work)
    assert sweep.runs == 1


def test_without_the_lease_all_of_them_run_it(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""
    sweep = Sweep()
    monkeypatch.setattr(schedule, "_take", lambda work: True)
    _run_in_four_threads(sweep.work)
    assert sweep.runs == 4
