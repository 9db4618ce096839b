"""One suite for both carriers: worker processes that ask the database, and a fleet on Celery with a
real Redis. Words that come twice or never, workers that stop and that are killed."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from core.clock import now
from core.models import OutboxFact, ScheduledWork
from livecommerce.wiring import PERIODIC
from media_pipeline import carriers, celery_carrier, ffmpeg, jobs, worker
from media_pipeline.events import ClipReady
from media_pipeline.models import Asset, AssetState, Job, JobState, Recording
from media_pipeline.services import clips
from tests import world as world_module
from tests.livecommerce.command import Running, command, environment
from tests.media_pipeline.footage import Footage, recording_of
from tests.redis_server import RedisServer, redis_server
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.ffmpeg, pytest.mark.process]

PATIENCE_S = 40
SLOW = """#!/bin/sh
# The real program, once nobody holds it up; `started` says that it was called.
touch {folder}/started
while [ -e {folder}/hold ]; do sleep 0.05; done
exec {program} "$@"
"""


class Fleet:
    """Workers of one carrier, on the tests' own database, whose ffmpeg can be held up."""

    def __init__(self, carrier: str, folder: Path, broker: RedisServer | None) -> None:
        self.carrier = carrier
        self.broker = broker
        self.folder = folder
        self._ending = ExitStack()
        self._steady: Running | None = None
        program = folder / "ffmpeg"
        program.write_text(SLOW.format(folder=folder, program=ffmpeg.ffmpeg_path()))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "ffprobe").symlink_to(ffmpeg.ffprobe_path())

    def start(self) -> Running:
        """Another worker process, ready."""
        env = environment(
            django_settings.DATA_ROOT,
            DATABASE_URL=f"sqlite:///{connection.settings_dict['NAME']}",
            LIVECOMMERCE_CARRIER=self.carrier,
            LIVECOMMERCE_CELERY_BROKER=self.broker.url if self.broker else "",
            LIVECOMMERCE_FFMPEG=str(self.folder / "ffmpeg"),
        )
        running = self._ending.enter_context(Running(command("worker"), env))
        running.wait_for("worker is ready")
        return running

    def worker(self) -> Running:
        """A worker that a test leaves as it is; the next one may use it too."""
        if self._steady is None or self._steady.process.poll() is not None:
            self._steady = self.start()
        return self._steady

    def has_worker(self) -> bool:
        return self._steady is not None and self._steady.process.poll() is None

    def stop(self) -> None:
        """Nobody runs jobs any more."""
        self._ending.close()
        self._steady = None

    def hold(self) -> None:
        """Let ffmpeg begin and come no further; see `is_held`."""
        (self.folder / "started").unlink(missing_ok=True)
        (self.folder / "hold").touch()

    def is_held(self) -> bool:
        return (self.folder / "started").exists()

    def let_go(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)


@pytest.fixture(scope="module", params=["database", "celery"])
def any_fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("slow")
    with ExitStack() as ending:
        broker = ending.enter_context(redis_server()) if request.param == "celery" else None
        fleet = Fleet(request.param, folder, broker)
        ending.callback(fleet.stop)
        yield fleet


@pytest.fixture
def fleet(any_fleet: Fleet, settings: Any) -> Iterator[Fleet]:
    """This process enqueues as a web process does: it tells the carrier."""
    settings.CARRIER = any_fleet.carrier
    if any_fleet.broker is not None:
        celery_carrier.app.conf.broker_url = any_fleet.broker.url
    carriers.connect()
    any_fleet.let_go()
    yield any_fleet
    jobs.listeners.clear()
    any_fleet.let_go()
    # What follows a clip would hold up the next test's worker in place of that test's clip.
    if any_fleet.has_worker():
        until(lambda: not Job.objects.filter(state__in=jobs.OPEN).exists())


@pytest.fixture
def recording() -> Recording:
    return recording_of(world().show, Footage())


def world() -> World:
    return world_module.build()


def clip_of(recording: Recording, start_s: float = 0) -> Asset:
    """A clip that somebody asks for."""
    return clips.make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=start_s,
        end_s=start_s + 1,
        title="Apples",
        actor=world_module.User.objects.get(username="zhang"),
    )


def until(true: Callable[[], bool], within_s: float = PATIENCE_S) -> float:
    """Wait for it to come true, and say how many seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + within_s, list(Job.objects.values())
        time.sleep(0.02)
    return time.monotonic() - began


def job_of(clip: Asset) -> Job:
    job = clips.job_of(clip)
    assert job
    return job


def is_ready(clip: Asset) -> bool:
    return Asset.objects.get(pk=clip.pk).state == AssetState.READY


def times_published(clip: Asset) -> int:
    facts = OutboxFact.objects.filter(type=ClipReady.name)
    return sum(str(clip.public_id) in str(fact.data) for fact in facts)


def held_processes(fleet: Fleet) -> list[int]:
    """Process ids of the fleet's ffmpeg that are held up."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(fleet.folder / "ffmpeg").encode() in line:
            found.append(int(entry.name))
    return found


def without_schedule() -> None:
    """What is sent again would hide that a word did not come."""
    [again] = [one for one in PERIODIC if one.run is carriers.send_again]
    later = now() + timedelta(hours=1)
    ScheduledWork.objects.update_or_create(name=again.name, defaults={"next_run_at": later})


def test_a_worker_hears_of_a_job_and_does_it_once(fleet: Fleet, recording: Recording) -> None:
    without_schedule()
    fleet.worker()
    clip = clip_of(recording)
    until(lambda: is_ready(clip))
    assert (job_of(clip).attempts, times_published(clip)) == (1, 1)


def test_a_word_that_comes_again_and_again_changes_nothing(
    fleet: Fleet, recording: Recording
) -> None:
    fleet.worker()
    clip = clip_of(recording)
    for _ in range(5):
        jobs._told(job_of(clip).pk)
    until(lambda: is_ready(clip))
    later = clip_of(recording, start_s=1)  # brought after all of them
    jobs._told(job_of(clip).pk)
    until(lambda: is_ready(later))
    assert (job_of(clip).lease_epoch, times_published(clip)) == (1, 1)


def test_what_no_worker_ever_heard_of_is_found_by_the_schedule(
    fleet: Fleet, recording: Recording
) -> None:
    fleet.stop()
    clip = clip_of(recording)
    if fleet.broker is not None:
        fleet.broker.flush()
        # The word is lost, and as long ago as a word may take.
        Job.objects.update(sent_at=now() - celery_carrier.SEND_AGAIN_AFTER)
    fleet.worker()
    until(lambda: is_ready(clip))


def test_a_cancel_stops_ffmpeg_within_two_seconds(fleet: Fleet, recording: Recording) -> None:
    fleet.worker()
    fleet.hold()
    clip = clip_of(recording)
    until(fleet.is_held)
    assert held_processes(fleet)
    jobs.cancel(job_of(clip), None)
    assert until(lambda: not held_processes(fleet)) < 2
    assert job_of(clip).state == JobState.CANCELLED
    assert times_published(clip) == 0


def test_sigterm_hands_back_within_five_seconds(fleet: Fleet, recording: Recording) -> None:
    leaving = fleet.worker()
    fleet.hold()
    clip = clip_of(recording)
    until(fleet.is_held)
    asked = time.monotonic()
    leaving.process.send_signal(signal.SIGTERM)
    assert leaving.process.wait(10) == 0, leaving.rest()
    assert time.monotonic() - asked < worker.STOP_WITHIN_S
    job = job_of(clip)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert held_processes(fleet) == []
    fleet.let_go()
    fleet.worker()
    until(lambda: is_ready(clip))
    assert (job_of(clip).attempts, times_published(clip)) == (1, 1)


def test_what_a_killed_worker_left_is_done_by_another(fleet: Fleet, recording: Recording) -> None:
    killed = fleet.worker()
    fleet.hold()
    clip = clip_of(recording)
    until(fleet.is_held)
    killed.process.kill()
    killed.process.wait()
    for pid in held_processes(fleet):
        os.kill(pid, signal.SIGKILL)
    fleet.let_go()
    # As if the lease had run out, and the word was sent long ago.
    long_ago = now() - timedelta(minutes=1)
    Job.objects.update(leased_until=long_ago, sent_at=long_ago)
    fleet.worker()
    until(lambda: is_ready(clip))
    assert (job_of(clip).attempts, times_published(clip)) == (2, 1)


def test_two_workers_share_the_work_and_do_nothing_twice(
    fleet: Fleet, recording: Recording
) -> None:
    without_schedule()
    fleet.worker()
    fleet.start()
    asked = [clip_of(recording, start_s=0.25 * number) for number in range(8)]
    until(lambda: all(is_ready(clip) for clip in asked))
    assert {job_of(clip).lease_epoch for clip in asked} == {1}
    assert {times_published(clip) for clip in asked} == {1}


def test_a_broker_that_is_away_keeps_nobody_waiting_and_loses_nothing(
    fleet: Fleet, recording: Recording
) -> None:
    if fleet.broker is None:
        return  # the database is the broker, and without it nobody asks for anything
    fleet.worker()
    fleet.broker.kill()
    asked = time.monotonic()
    clip = clip_of(recording)
    assert time.monotonic() - asked < 2 * celery_carrier.SEND_WITHIN_S
    assert job_of(clip).sent_at is None
    fleet.broker.start()
    until(lambda: is_ready(clip))
