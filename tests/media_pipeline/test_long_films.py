"""Jobs of a long film: workers share them, find them again after a kill, and end with them."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from core.clock import now
from core.ids import new_id
from media_pipeline import control, ffmpeg, jobs, long_films, tasks, worker
from media_pipeline.ffmpeg import MediaFailed
from media_pipeline.jobs import LeaseLost
from media_pipeline.long_films import ENCODE_CHUNK, encode_chunk, place
from media_pipeline.models import (
    Chunk,
    Job,
    JobState,
    LongFilm,
    Recording,
    Take,
    Upload,
    UploadState,
)
from media_pipeline.services import orphans
from media_pipeline.services.uploads import IMPORT_UPLOAD
from media_pipeline.sources import looked_at
from media_pipeline.storage import storage
from media_pipeline.tasks import TASKS, Task
from media_pipeline.work import Work
from tests import world as world_module
from tests.livecommerce.command import Running, command, environment
from tests.media_pipeline.stores import new_bucket
from tests.s3_server import KEY_ID, REGION, SECRET, S3Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.ffmpeg]

CHUNKS, SECONDS = 5, 10
# Worker processes start, and encode, however busy the machine is.
PATIENCE_S = 90
COUNTED = """#!/bin/sh
# The real program, which says what it was asked, and waits with a chunk where it is to.
case "$*" in
*noaccurate_seek*) echo "chunk $PPID" >> {folder}/asked
    while [ -e {folder}/hold ] || [ -e {folder}/hold-$PPID ]; do sleep 0.05; done ;;
*audio.m3u8*) echo "sound $PPID" >> {folder}/asked ;;
esac
exec {program} "$@"
"""


@pytest.fixture(autouse=True)
def short_chunks(settings: Any, tmp_path: Path) -> None:
    settings.CHUNK_S = SECONDS / CHUNKS
    settings.DATA_ROOT = tmp_path / "data"
    settings.DATA_ROOT.mkdir()


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What no player is given as it is."""
    path = tmp_path_factory.mktemp("film") / "film.webm"
    args = "-f lavfi -i testsrc2=size=256x144:rate=25 -f lavfi -i sine=440:r=48000"
    args += " -c:v libvpx -deadline realtime -cpu-used 8 -g 10 -b:v 400k -c:a libopus"
    ffmpeg.run([*args.split(), "-t", str(SECONDS), str(path)], timeout_s=60)
    return path


@pytest.fixture
def asked(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A folder that tells what ffmpeg was asked for, and by which processes."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(COUNTED.format(folder=folder, program=ffmpeg.ffmpeg_path()))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "ffprobe").symlink_to(ffmpeg.ffprobe_path())
    settings.FFMPEG = str(program)
    (folder / "asked").touch()
    yield folder
    (folder / "hold").unlink(missing_ok=True)


def until(true: Callable[[], bool]) -> None:
    """Wait for it to come true, and fail if it does not."""
    end_by, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not true():
        assert time.monotonic() < end_by
        pause.wait(0.02)


def uploaded(film_file: Path) -> Job:
    """The job of a film that has arrived."""
    world = world_module.build()
    upload = Upload.objects.create(
        seller=world.farm,
        owner=world.zhang,
        title="Harvest",
        file_name="harvest.webm",
        size=film_file.stat().st_size,
        modified_ms=0,
        part_size=1,
        key=f"private/uploads/{new_id()}/source.webm",
        storage_id="brought",
        state=UploadState.ARRIVED,
        asked_at=now(),
    )
    storage().write(upload.key, film_file.read_bytes())
    return jobs.enqueue(IMPORT_UPLOAD, upload.public_id, owner=world.zhang)


def runs(folder: Path, what: str) -> list[str]:
    """The process of each run of ffmpeg of this kind."""
    told = (line.split() for line in (folder / "asked").read_text().splitlines())
    return [process for kind, process in told if kind == what]


def done() -> int:
    return Chunk.objects.exclude(key="").count()


def begun(job: Job) -> threading.Thread:
    """This process runs the job in a thread, as a worker does."""
    lease = jobs.take(job)
    assert lease

    def run() -> None:
        worker.run_job(lease, TASKS[job.kind], threading.Event())
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


@pytest.mark.process
def test_two_machines_share_a_film_and_only_the_chunk_of_a_killed_one_is_made_anew(
    film_file: Path, asked: Path, settings: Any, s3: S3Server
) -> None:
    bucket = new_bucket(s3, public=False)
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = bucket.name, bucket.endpoint_url
    settings.S3_REGION, settings.S3_PUBLIC_URL = REGION, ""
    settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = KEY_ID, SECRET
    job = uploaded(film_file)
    env = environment(
        django_settings.DATA_ROOT,
        DATABASE_URL=f"sqlite:///{connection.settings_dict['NAME']}",
        LIVECOMMERCE_CHUNK_S=str(settings.CHUNK_S),
        LIVECOMMERCE_JOBS_AT_ONCE="1",
        LIVECOMMERCE_FFMPEG=settings.FFMPEG,
        S3_BUCKET=bucket.name,
        S3_ENDPOINT_URL=bucket.endpoint_url,
        S3_REGION=REGION,
        S3_ACCESS_KEY_ID=KEY_ID,
        S3_SECRET_ACCESS_KEY=SECRET,
    )
    with ExitStack() as ending:
        first = ending.enter_context(Running(command("worker"), env))
        until(lambda: done() >= 2)
        (asked / "hold").touch()
        known = len(runs(asked, "chunk"))
        until(lambda: len(runs(asked, "chunk")) > known or done() == known - 1)
        until(lambda: len(runs(asked, "chunk")) == done() + 1)
        first.process.kill()
        first.process.wait()
        kept = done()
        assert kept < CHUNKS
        Job.objects.filter(state=JobState.RUNNING).update(leased_until=now() - timedelta(seconds=1))
        for _number in range(2):
            ending.enter_context(Running(command("worker"), env))
        if kept < CHUNKS - 1:
            until(lambda: len(set(runs(asked, "chunk"))) == 3)  # all have one in hand
        (asked / "hold").unlink()
        until(lambda: state_of(job) == JobState.DONE)
        assert len(runs(asked, "chunk")) == CHUNKS + 1
        assert len(runs(asked, "sound")) == 1, "the sound of all of it, once"
        until(lambda: not storage().keys(long_films.PLACE))
    assert not LongFilm.objects.exists()
    assert not Job.objects.filter(kind=ENCODE_CHUNK).exists()
    assert [path.name for path in (settings.DATA_ROOT / "work").glob("film-*")] == []
    assert frames_of_the_take() == SECONDS * 25


def frames_of_the_take() -> int:
    """What was published, decoded."""
    take = Take.objects.get()
    folder = f"private/recordings/{take.recording.public_id}/{take.public_id}"
    names = [key for key in storage().keys(folder) if key.endswith((".mp4", ".m4s"))]
    names.sort(key=lambda key: not key.endswith("init.mp4"))
    path = django_settings.DATA_ROOT / "taken.mp4"
    path.write_bytes(b"".join(storage().read(key) for key in names))
    return looked_at(path).packets.count


def test_progress_is_the_sum_and_cancelling_ends_the_chunks(film_file: Path, asked: Path) -> None:
    job = uploaded(film_file)
    (asked / "hold").touch()
    running = begun(job)
    until(lambda: len(runs(asked, "chunk")) == 1)
    film = LongFilm.objects.get()
    parts = Job.objects.filter(kind=ENCODE_CHUNK).order_by("id")
    assert {part.parent_id for part in parts} == {job.pk}
    assert {(part.priority, part.show_id) for part in parts} == {(job.priority, job.show_id)}
    assert long_films._share_done(film) == pytest.approx(0)
    Job.objects.filter(pk__in=[part.pk for part in parts[2:4]]).update(state=JobState.DONE)
    Job.objects.filter(pk=parts[4].pk).update(progress=0.5)
    assert long_films._share_done(film) == pytest.approx(2.5 / CHUNKS)
    until(lambda: Job.objects.get(pk=job.pk).progress > 0.4)
    control.cancel(Job.objects.get(pk=job.pk), None)
    running.join(5)
    assert not running.is_alive()
    assert set(parts.values_list("state", flat=True)) == {JobState.DONE, JobState.FAILED}
    assert jobs.claim([ENCODE_CHUNK]) is None, "nobody goes on with it"


def test_chunks_that_are_done_are_found_again(film_file: Path, asked: Path) -> None:
    job = uploaded(film_file)
    running = begun(job)
    until(lambda: done() >= 1)
    control.cancel(Job.objects.get(pk=job.pk), None)
    running.join()
    kept = done()
    assert 0 < kept < CHUNKS
    lost = Chunk.objects.exclude(key="").first()
    assert lost
    storage().delete_folder(lost.key)
    before = len(runs(asked, "chunk"))
    control.retry(Job.objects.get(pk=job.pk))
    begun(Job.objects.get(pk=job.pk)).join()
    assert state_of(job) == JobState.DONE
    assert len(runs(asked, "chunk")) - before == CHUNKS - kept + 1, "and the one that was lost"
    assert frames_of_the_take() == SECONDS * 25


def test_a_chunk_that_is_given_up_fails_the_film_with_its_reason(
    film_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = list[int]()

    def full(work: Work) -> None:
        tries.append(work.lease.attempt)
        raise MediaFailed("The server's disk is full.")

    monkeypatch.setattr(jobs, "FIRST_PAUSE", timedelta(0))
    monkeypatch.setitem(TASKS, ENCODE_CHUNK, Task(full, tasks.nothing_to_tell))
    job = uploaded(film_file)
    begun(job).join()
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (
        JobState.FAILED,
        "The server's disk is full.",
        1,
    )
    assert Upload.objects.get().state == UploadState.FAILED
    assert max(tries) == jobs.MAX_ATTEMPTS
    assert not Job.objects.filter(kind=ENCODE_CHUNK, state__in=jobs.OPEN).exists()


def test_a_worker_that_lost_its_chunk_publishes_nothing(
    film_file: Path, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = uploaded(film_file)
    (asked / "hold").touch()
    running = begun(job)
    until(lambda: len(runs(asked, "chunk")) == 1)
    lease = jobs.claim_part(job.pk)
    assert lease
    Job.objects.filter(pk=lease.job_id).update(lease_epoch=lease.epoch + 1)
    (asked / "hold").unlink()
    chunk = Chunk.objects.get(public_id=lease.subject_id)
    with pytest.raises(LeaseLost):
        encode_chunk(Work(lease))
    chunk.refresh_from_db()
    assert chunk.key == ""
    assert not storage().keys(f"{place(chunk.film)}/{chunk.number}")
    control.cancel(Job.objects.get(pk=job.pk), None)
    running.join()


def test_what_nobody_asked_for_again_is_swept(film_file: Path, asked: Path) -> None:
    job = uploaded(film_file)
    running = begun(job)
    until(lambda: done() >= 1)
    control.cancel(Job.objects.get(pk=job.pk), None)
    running.join()
    film = LongFilm.objects.get()
    orphans.sweep()
    assert storage().keys(place(film)), "somebody may still ask for it"
    Job.objects.filter(pk=job.pk).update(changed_at=now() - timedelta(days=2))
    orphans.sweep()
    assert not storage().keys(place(film))
    assert not LongFilm.objects.exists()
    assert not Recording.objects.exists(), "nothing half done was ever shown"
