"""What became of the jobs of `tests.chaos.pipeline`, by rows, facts, files and the journals."""

from __future__ import annotations

import subprocess
from typing import Any

Json = dict[str, Any]
MUST_BE_0 = (
    "stuck",
    "given_up",
    "double_published",
    "half_published",
    "zombie_writes_accepted",
    "outputs_failing_decode",
)


def judge(lines: list[Json], kills: list[Json], cancels: list[Json], *, film_frames: int) -> Json:
    """The figures; the lines are what the workers wrote down."""
    from core.models import OutboxFact
    from media_pipeline import jobs
    from media_pipeline.events import ClipReady
    from media_pipeline.models import Asset, AssetState, Job, JobState
    from media_pipeline.services.clips import MAKE_CLIP
    from media_pipeline.storage import storage

    found = dict.fromkeys(MUST_BE_0, 0)
    found["stuck"] = Job.objects.filter(state__in=jobs.OPEN).count()
    # A part of what was cancelled is withdrawn without a word.
    found["given_up"] = Job.objects.filter(state=JobState.FAILED).exclude(error="").count()
    facts = [str(one.data) for one in OutboxFact.objects.filter(type=ClipReady.name)]
    cancelled = {one["job"] for one in cancels}
    for asset in Asset.objects.filter(kind="clip"):
        job = Job.objects.get(kind=MAKE_CLIP, subject_id=asset.public_id)
        told = sum(str(asset.public_id) in fact for fact in facts)
        is_ready = asset.state == AssetState.READY
        keys = (asset.download_key, asset.poster_key)
        is_whole = is_ready and all(storage().size(key) for key in keys)
        found["double_published"] += told > 1
        found["half_published"] += (is_ready != (told > 0)) or (is_ready and not is_whole)
        late = is_ready and asset.download_key.split("/")[-2] != str(job.lease_epoch)
        found["zombie_writes_accepted"] += late or (is_ready and job.pk in cancelled)
        if is_whole:
            found["outputs_failing_decode"] += not _decodes(asset.download_key)
    films = _films(found, cancelled, film_frames)
    return {**found, **films, **_times(lines, kills, cancels), "cancels": len(cancels)}


def _films(found: Json, cancelled: set[int], frames: int) -> Json:
    """As for clips, added to what was `found`; every frame of a film must be in its recording."""
    from core.models import OutboxFact
    from media_pipeline.events import FilmImported
    from media_pipeline.models import Job, Recording, RecordingState, Upload, UploadState
    from media_pipeline.services.uploads import IMPORT_UPLOAD

    facts = [str(one.data) for one in OutboxFact.objects.filter(type=FilmImported.name)]
    ready = 0
    for upload in Upload.objects.all():
        job = Job.objects.get(kind=IMPORT_UPLOAD, subject_id=upload.public_id)
        told = sum(str(upload.show_id) in fact for fact in facts)
        recording = Recording.objects.filter(show_id=upload.show_id).first()
        takes = list(recording.takes.all()) if recording else []
        is_ready = upload.state == UploadState.READY
        is_whole = is_ready and recording is not None and recording.state == RecordingState.READY
        found["double_published"] += told > 1 or len(takes) > 1
        found["half_published"] += is_ready != (told > 0) or is_ready != is_whole
        found["half_published"] += len(takes) != int(is_ready)
        found["zombie_writes_accepted"] += is_ready and job.pk in cancelled
        if is_whole and recording:
            ready += 1
            found["outputs_failing_decode"] += not _is_all_there(recording, frames)
    return {"clips": Job.objects.filter(kind="make_clip").count(), "films_ready": ready}


def _is_all_there(recording: Any, frames: int) -> bool:
    """Whether the recording's only take, decoded, has all frames of its film."""
    from media_pipeline.ffmpeg import ffmpeg_path
    from media_pipeline.ingest import layout
    from media_pipeline.storage import storage

    take = recording.takes.get()
    key = layout.recording_key(recording.public_id, is_public=False)
    names = sorted(storage().keys(f"{key}/{take.public_id}"))
    pieces = [one for one in names if one.endswith(".m4s")]
    film = b"".join(map(storage().read, [f"{key}/{take.public_id}/init.mp4", *pieces]))
    line = [ffmpeg_path(), "-v", "error", "-xerror", "-i", "pipe:0", "-map", "0:v"]
    line += ["-fps_mode", "passthrough", "-f", "framehash", "-"]
    done = subprocess.run(line, input=film, capture_output=True, check=False)
    shown = [one for one in done.stdout.splitlines() if one and not one.startswith(b"#")]
    return done.returncode == 0 and not done.stderr and len(shown) == frames


def _times(lines: list[Json], kills: list[Json], cancels: list[Json]) -> Json:
    began = [line for line in lines if line["what"] == "begin"]
    ended = [line for line in lines if line["what"] == "end"]
    requeues = []
    for kill in kills:
        for line in began if kill["what"] == "worker" else ():
            mine = [one for one in ended if (one["job"], one["epoch"]) == key_of(line)]
            if line["pid"] != kill["pid"] or any(one["t"] <= kill["t"] for one in mine):
                continue
            later = [one["t"] for one in began
                     if one["job"] == line["job"] and one["epoch"] > line["epoch"]]  # fmt: skip
            requeues += [min(later) - kill["t"]] if later else []
    ends = {key_of(one): one["t"] for one in ended}
    stops = [ends.get(key_of(one), one["t"] + 10) - one["t"] for one in cancels]
    return {
        "requeue_s_max": round(max(requeues, default=0), 2),
        "requeues": len(requeues),
        "cancel_s_max": round(max(stops, default=0), 2),
    }


def key_of(line: Json) -> tuple[int, int]:
    return line["job"], line["epoch"]


def _decodes(key: str) -> bool:
    """Whether ffprobe knows what it is, and every frame of it can be decoded."""
    from media_pipeline.ffmpeg import ffmpeg_path
    from media_pipeline.probe import OUR_FORMATS, probe
    from media_pipeline.storage import storage

    with storage().local_path(key) as path:
        probe(path, formats=OUR_FORMATS)
        line = [ffmpeg_path(), "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
        done = subprocess.run(line, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr
