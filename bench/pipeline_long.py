"""Long films: what a second worker is worth, and whether a clip costs more out of a long recording.

Parts of `make bench-pipeline`, on an instance of their own. Workers are the product's own, each
pinned to one core, so that its ffmpeg has one thread. The film comes as an upload does, and what
counts is how long its job took. `python -m bench.pipeline_long ID` makes one clip and prints what
that took.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.processes import CORES, ROOT, BenchError, pinned

CLIP_S = 60
CLIPS = 7
WITHIN_S = 3600.0


def prepared() -> Any:
    """An empty database, and the tests' small world in it."""
    from django.core.management import call_command

    from tests import world

    call_command("migrate", verbosity=0)
    return world.build()


def two_workers_vs_one(film: Path, chunk_s: int, scratch: Path, here: Any) -> dict[str, Any]:
    """Wall seconds of the same film with one worker and with two, in chunks of `chunk_s`."""
    os.environ["LIVECOMMERCE_CHUNK_S"] = str(chunk_s)
    seconds = {count: _import_s(film, count, scratch, here) for count in (1, 2)}
    return {"one_s": seconds[1], "two_s": seconds[2], "load": os.getloadavg()[0]}


def _import_s(film: Path, workers: int, scratch: Path, here: Any) -> float:
    from media_pipeline.models import Job, JobState

    env = {"LIVECOMMERCE_JOBS_AT_ONCE": "1"}
    command = [sys.executable, "-m", "livecommerce.cli", "worker"]
    with ExitStack() as ending:
        logs = [scratch / f"worker-{workers}-{number}.log" for number in range(workers)]
        for log, core in zip(logs, CORES, strict=False):
            ending.enter_context(pinned(command, log, core=core, env=env))
        _wait(lambda: all("ready" in log.read_text() for log in logs), 60)
        job = _brought(film, here)
        _wait(lambda: Job.objects.get(pk=job.pk).state not in {"queued", "running"}, WITHIN_S)
        job.refresh_from_db()
    if job.state != JobState.DONE or job.started_at is None or job.finished_at is None:
        raise BenchError(f"the film was not made: {job.error}\n{logs[0].read_text()[-1500:]}")
    return float((job.finished_at - job.started_at).total_seconds())


def _brought(film: Path, here: Any) -> Any:
    """The job of a film that has arrived."""
    from core.clock import now
    from core.ids import new_id
    from media_pipeline import jobs
    from media_pipeline.long_sources import store
    from media_pipeline.models import Upload, UploadState
    from media_pipeline.services.uploads import IMPORT_UPLOAD

    upload = Upload.objects.create(
        seller=here.farm,
        owner=here.zhang,
        title=film.stem,
        file_name=film.name,
        size=film.stat().st_size,
        modified_ms=0,
        part_size=1,
        key=f"private/uploads/{new_id()}/source{film.suffix}",
        state=UploadState.ARRIVED,
        asked_at=now(),
    )
    store(film, upload.key)
    return jobs.enqueue(IMPORT_UPLOAD, upload.public_id, owner=here.zhang)


def clip_cost_2h_vs_2min(minute: Path, scratch: Path, here: Any) -> dict[str, Any]:
    """Processor seconds of the same minute cut out of two hours and two minutes, each a median.

    Both recordings are one short film again and again, copied, so that a clip shows the same.
    """
    lengths = {"in_2_min": 2, "in_2_h": 120}
    recordings = {name: _recorded(minute, minutes, here) for name, minutes in lengths.items()}
    found = dict[str, list[float]]({name: [] for name in lengths})
    # In turn, for what the machine is at in the moment weighs more than what is compared.
    for turn in range(CLIPS):
        for name, minutes in lengths.items():
            # Across a seam of the copies, in the middle of the long one.
            start_s = minutes * 30 - 30.0 + 0.4 + turn / 100
            found[name].append(_clip_cpu_s(recordings[name], start_s=start_s, here=here))
    middle = {name: statistics.median(each) for name, each in found.items()}
    return {**middle, "load": os.getloadavg()[0]}


def _recorded(minute: Path, minutes: int, here: Any) -> Any:
    """A recording of so many minutes, as if it had been filmed here."""
    from core.clock import now
    from core.ids import new_id
    from media_pipeline import ffmpeg
    from media_pipeline.ingest import layout
    from media_pipeline.ingest.segmenter import INIT, PLAYLIST
    from media_pipeline.models import Recording, RecordingState, TakeState
    from media_pipeline.storage import storage

    began = now() - timedelta(hours=3)
    recording = Recording.objects.create(
        show_id=new_id(), is_public=False, state=RecordingState.READY, sealed_at=now()
    )
    take_id = uuid.UUID(str(new_id()))
    key = layout.recording_key(recording.public_id, is_public=False)
    folder = storage().path(f"{key}/{take_id}")
    folder.mkdir(parents=True)
    line = ["-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", "-f", "hls"]
    line += ["-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
    line += ["-hls_fmp4_init_filename", INIT, "-hls_segment_filename", "%05d.m4s", PLAYLIST]
    ffmpeg.run(line, timeout_s=WITHIN_S, cwd=folder)
    segments = layout.segments_on_disk(folder)
    recording.duration_s = sum(segment.duration_s for segment in segments)
    recording.save()
    recording.takes.create(
        public_id=take_id,
        position=0,
        mime="video/mp4",
        state=TakeState.SEALED,
        started_at=began,
        sealed_at=now(),
        duration_s=recording.duration_s,
    )
    return recording


def _clip_cpu_s(recording: Any, *, start_s: float, here: Any) -> float:
    """Of the clip's job, in a process of its own."""
    from media_pipeline.services import clips

    clip = clips.make_clip(
        recording_id=recording.public_id,
        edition=0,
        start_s=start_s,
        end_s=start_s + CLIP_S,
        title="A minute",
        actor=here.zhang,
    )
    line = [sys.executable, "-m", "bench.pipeline_long", str(clip.public_id)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"the clip was not made: {done.stderr[-1500:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_s"])


def _wait(true: Any, within_s: float) -> None:
    end_by = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end_by:
            raise BenchError(f"nothing came of it within {within_s:.0f} s")
        time.sleep(0.2)


def main(clip_id: str) -> None:
    """Make one clip as a worker does, and say what it took."""
    import django

    django.setup()
    from bench.pipeline_run import cpu_s
    from media_pipeline import jobs
    from media_pipeline.models import JobState
    from media_pipeline.services.clips import MAKE_CLIP
    from media_pipeline.tasks import TASKS
    from media_pipeline.work import Work

    job = jobs.job_of(MAKE_CLIP, uuid.UUID(clip_id))
    lease = jobs.take(job) if job else None
    if job is None or lease is None:
        raise BenchError("the clip's job is somebody else's")
    before = cpu_s()
    TASKS[MAKE_CLIP].run(Work(lease))
    print(json.dumps({"cpu_s": cpu_s() - before}))
    job.refresh_from_db()
    if job.state != JobState.DONE:
        raise BenchError(job.error)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
    main(sys.argv[1])
