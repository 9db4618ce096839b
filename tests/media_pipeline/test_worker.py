from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import InterfaceError, connections

from core.ids import new_id
from core.schedule import Periodic
from media_pipeline import jobs, worker
from media_pipeline.ffmpeg import MediaFailed, SourceUnreadable
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import Asset, AssetState, Job, JobFault, JobState
from media_pipeline.services import clips
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.storage import NoSuchFile
from media_pipeline.tasks import TASKS, Task
from media_pipeline.work import Work
from tests import world as world_module
from tests.media_pipeline.footage import Footage, recording_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "press_apples"
ENDLESS = ["-re", "-f", "lavfi", "-i", "color=size=16x16:rate=5", "-f", "null", "-"]
PATIENCE_S = 20


def until(true: Callable[[], bool]) -> None:
    """Wait for it to come true, and fail if it does not."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


class Told:
    """Remembers what a task was told when its job was given up."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def __call__(self, subject_id: uuid.UUID, reason: str) -> None:
        self.reasons.append(reason)


def run_once(run: Callable[[Work], None], told: Told | None = None) -> Job:
    """One attempt of a task at a new job."""
    job = jobs.enqueue(KIND, new_id())
    worker.run_job(claimed(), Task(run, told or Told()), threading.Event())
    return Job.objects.get(pk=job.pk)


def claimed(kind: str = KIND) -> Lease:
    lease = jobs.claim([kind])
    assert lease
    return lease


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def world() -> World:
    return world_module.build()


@pytest.mark.ffmpeg
def test_a_worker_makes_the_clip_that_was_asked_for(world: World, stop: threading.Event) -> None:
    recording = recording_of(world.show, Footage())
    asset = clips.make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=0,
        end_s=2,
        title="Apples",
        actor=world.zhang,
    )
    running = threading.Thread(target=worker.run_worker, args=(stop,))
    running.start()
    until(lambda: Asset.objects.get(pk=asset.pk).state == AssetState.READY)
    stop.set()
    running.join(worker.STOP_WITHIN_S)
    assert not running.is_alive()


def test_a_worker_runs_the_periodic_work(stop: threading.Event) -> None:
    swept = threading.Event()

    def run() -> None:
        worker.run_worker(stop, [Periodic("sweep", 60, swept.set)])
        connections.close_all()

    running = threading.Thread(target=run)
    running.start()
    assert swept.wait(PATIENCE_S)
    stop.set()
    running.join()


def test_a_clip_does_not_wait_behind_a_long_recording(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, cut, finish = threading.Event(), threading.Event(), threading.Event()

    def long(work: Work) -> None:
        begun.set()
        finish.wait(PATIENCE_S)

    monkeypatch.setitem(TASKS, PROCESS_RECORDING, Task(long, Told()))
    for tasks in (TASKS, worker.QUICK_TASKS):
        monkeypatch.setitem(tasks, MAKE_CLIP, Task(lambda work: cut.set(), Told()))

    def run() -> None:
        worker.run_worker(stop)
        connections.close_all()

    jobs.enqueue(PROCESS_RECORDING, new_id())
    running = threading.Thread(target=run)
    running.start()
    assert begun.wait(PATIENCE_S)
    jobs.enqueue(MAKE_CLIP, new_id())
    was_cut = cut.wait(PATIENCE_S / 2)
    stop.set()
    finish.set()
    running.join()
    assert was_cut


@pytest.mark.ffmpeg
def test_a_stop_ends_ffmpeg_and_hands_the_job_back_in_time(stop: threading.Event) -> None:
    job = jobs.enqueue(KIND, new_id())
    begun = threading.Event()

    def endless(work: Work) -> None:
        begun.set()
        work.run(ENDLESS, output_s=100, until=1)

    running = threading.Thread(target=worker.run_jobs, args=(stop, {KIND: Task(endless, Told())}))
    running.start()
    assert begun.wait(PATIENCE_S)
    asked = time.monotonic()
    stop.set()
    running.join()
    assert time.monotonic() - asked < worker.STOP_WITHIN_S
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


@pytest.mark.ffmpeg
def test_work_whose_lease_is_gone_is_stopped_and_leaves_the_job_alone(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.1)
    job = jobs.enqueue(KIND, new_id())
    lease = claimed()

    def endless(work: Work) -> None:
        jobs.hand_back(lease)
        claimed()
        work.run(ENDLESS, output_s=100, until=1)

    worker.run_job(lease, Task(endless, Told()), stop)
    job.refresh_from_db()
    assert (job.state, job.lease_epoch) == (JobState.RUNNING, lease.epoch + 1)


@pytest.mark.ffmpeg
def test_a_cancel_stops_ffmpeg_within_two_seconds(stop: threading.Event) -> None:
    job = jobs.enqueue(KIND, new_id())
    begun, told = threading.Event(), Told()

    def endless(work: Work) -> None:
        begun.set()
        work.run(ENDLESS, output_s=100, until=1)

    lease = claimed()
    running = threading.Thread(target=worker.run_job, args=(lease, Task(endless, told), stop))
    running.start()
    assert begun.wait(PATIENCE_S)
    asked = time.monotonic()
    jobs.cancel(job, None)
    running.join()
    assert time.monotonic() - asked < 2
    assert state_of(job) == JobState.CANCELLED


def test_what_a_stop_does_not_reach_is_handed_back_all_the_same(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload to a slow storage, say: the thread ends with the process."""
    begun, finish = threading.Event(), threading.Event()

    def deaf(work: Work) -> None:
        begun.set()
        finish.wait(PATIENCE_S)

    monkeypatch.setitem(TASKS, PROCESS_RECORDING, Task(deaf, Told()))
    job = jobs.enqueue(PROCESS_RECORDING, new_id())

    def run() -> None:
        worker.run_worker(stop)
        connections.close_all()

    running = threading.Thread(target=run)
    running.start()
    assert begun.wait(PATIENCE_S)
    asked = time.monotonic()
    stop.set()
    running.join()
    assert time.monotonic() - asked < worker.STOP_WITHIN_S
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    finish.set()


def test_a_database_that_went_away_ends_neither_the_worker_nor_the_job() -> None:
    def run(work: Work) -> None:
        raise InterfaceError("the connection is closed")

    job = run_once(run)
    assert (job.state, job.fault) == (JobState.QUEUED, JobFault.DATABASE)


def test_who_stood_still_for_too_long_writes_nothing_that_others_share() -> None:
    """The whole process may have been frozen: its own clock says so, and the database decides."""
    jobs.enqueue(KIND, new_id())
    stale = Work(claimed())
    jobs.hand_back(stale.lease)
    claimed()
    stale.require_held()  # heard of a moment ago: nobody can have it yet
    stale.held_at -= jobs.LEASE.total_seconds()
    with pytest.raises(LeaseLost):
        stale.require_held()


def test_progress_is_seen_while_the_work_goes_on(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.1)
    job = jobs.enqueue(KIND, new_id())

    def half_done(work: Work) -> None:
        work.progress = 0.5
        until(lambda: Job.objects.get(pk=job.pk).progress == 0.5)
        jobs.finish(work.lease)

    worker.run_job(claimed(), Task(half_done, Told()), stop)
    assert state_of(job) == JobState.DONE


def test_an_unreadable_source_is_given_up_at_once_with_its_reason() -> None:
    def run(work: Work) -> None:
        raise SourceUnreadable("This video cannot be read.", "moov atom not found")

    told = Told()
    job = run_once(run, told)
    assert (job.state, job.error) == (JobState.FAILED, "This video cannot be read.")
    assert told.reasons == ["This video cannot be read."]


def test_a_lost_file_is_given_up_in_words() -> None:
    def run(work: Work) -> None:
        raise NoSuchFile("public/recordings/r1/init.mp4")

    job = run_once(run)
    assert job.state == JobState.FAILED
    assert "public/" not in job.error


def test_what_may_help_is_tried_again_and_nobody_is_told_yet() -> None:
    def run(work: Work) -> None:
        raise MediaFailed("The video program stopped with an error.")

    told = Told()
    assert run_once(run, told).state == JobState.QUEUED
    assert told.reasons == []


def test_a_fault_in_a_task_does_not_stop_the_worker() -> None:
    def run(work: Work) -> None:
        raise ZeroDivisionError

    job = run_once(run)
    assert job.state == JobState.QUEUED
    assert "Zero" not in job.error


def test_a_job_that_takes_workers_down_is_not_run_again() -> None:
    job = jobs.enqueue(KIND, new_id())
    Job.objects.filter(pk=job.pk).update(attempts=jobs.MAX_ATTEMPTS)
    ran: list[Work] = []
    worker.run_job(claimed(), Task(ran.append, Told()), threading.Event())
    assert ran == []
    assert state_of(job) == JobState.FAILED


@pytest.mark.ffmpeg
def test_a_clip_that_is_given_up_says_so_on_the_asset(world: World) -> None:
    recording = recording_of(world.show, Footage())
    asset = clips.make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=0,
        end_s=2,
        title="Apples",
        actor=world.zhang,
    )
    recording.takes.all().delete()
    worker.run_job(claimed(MAKE_CLIP), TASKS[MAKE_CLIP], threading.Event())
    asset.refresh_from_db()
    assert asset.state == AssetState.FAILED
    assert asset.error
