"""Where a recording may be cut: when nobody speaks, and when the picture changes.

Listened to once, by a job, and kept beside the recording for its edition. Sound is decoded whole;
of the picture only the keyframes, since a change need not be known better than to two seconds.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from media_pipeline import jobs
from media_pipeline.jobs import Lease
from media_pipeline.models import Job, JobState, Recording
from media_pipeline.parts import parts_between, recording_folder
from media_pipeline.recipes import Part
from media_pipeline.storage import NoSuchFile, storage
from media_pipeline.work import Work

FIND_PAUSES = "find_pauses"
PIECE_S = 600.0
"""Read at once: a show of hours need not be on the disk a second time."""
QUIET_DB, QUIET_S = -32, 0.3
"""A voice into a phone is some 15 dB louder, and between two sentences it rests that long."""
CHANGED = 0.3
"""ffmpeg's scene score from 0 to 1."""
WIDTH = 160
FILE = "pauses.json"
VALUE = re.compile(r"lavfi\.silence_(start|end)=(-?[\d.]+)|pts_time:(-?[\d.]+)")


class Pauses(msgspec.Struct, frozen=True):
    """Seconds of the recording in `edition`: (begin, end) of each pause, and scenes' begins."""

    edition: int
    pauses: list[tuple[float, float]]
    scenes: list[float]


def pauses_of(recording_id: uuid.UUID) -> Pauses | None:
    """What is known of the recording as it is now; `None` while nobody has listened to it."""
    recording = Recording.objects.get(public_id=recording_id)
    try:
        found = msgspec.json.decode(storage().read(_key(recording)), type=Pauses)
    except (NoSuchFile, msgspec.DecodeError):
        return None
    return found if found.edition == recording.edition else None


def ask_for_pauses(recording_id: uuid.UUID) -> Job:
    """Have a job listen to it; asking again while it waits, runs or has failed changes nothing."""
    job = jobs.job_of(FIND_PAUSES, recording_id)
    if job is None:
        return jobs.enqueue(FIND_PAUSES, recording_id, priority=150)
    if job.state == JobState.DONE and pauses_of(recording_id) is None:
        return jobs.restart(FIND_PAUSES, recording_id, priority=150)
    return job


def find_pauses(work: Work) -> None:
    """The task: listen to the recording of the job and keep what was found."""
    recording = Recording.objects.get(public_id=work.lease.subject_id)
    pauses: list[tuple[float, float]] = []
    scenes: list[float] = []
    begin_s = 0.0
    while begin_s < recording.duration_s:
        end_s = min(begin_s + PIECE_S, recording.duration_s)
        at_s = begin_s
        with work.folder() as inputs:
            for part, _found in parts_between(recording, begin_s, end_s, inputs):
                work.progress = at_s / recording.duration_s
                quiet, changes = listen(part, inputs, work)
                pauses += [(at_s + start_s, at_s + stop_s) for start_s, stop_s in quiet]
                scenes += [at_s + change_s for change_s in changes]
                at_s += part.duration_s
        begin_s = end_s
    _keep(work.lease, recording, Pauses(recording.edition, pauses, scenes))


def listen(part: Part, folder: Path, work: Work) -> tuple[list[tuple[float, float]], list[float]]:
    """Pauses and changes of the picture, in seconds from the begin of the part."""
    told = folder / "told.txt"
    window = ["-ss", f"{part.start_s:.3f}", "-t", f"{part.duration_s:.3f}", "-i", str(part.path)]
    until = work.progress
    quiet = list[tuple[float, float]]()
    if part.has_audio:
        hear = f"silencedetect=noise={QUIET_DB}dB:duration={QUIET_S}"
        hear += f",ametadata=print:file={_quoted(told)}"
        args = [*window, "-map", "0:a:0", "-af", hear, "-f", "null", "-"]
        work.run(args, output_s=part.duration_s, until=until)
        quiet = list(_quiet(told.read_text(), part.duration_s))
    told.write_text("")
    look = f"scale={WIDTH}:-2,select='gt(scene,{CHANGED})',metadata=print:file={_quoted(told)}"
    args = ["-skip_frame", "nokey", *window, "-map", "0:v:0", "-vf", look, "-f", "null", "-"]
    work.run(args, output_s=part.duration_s, until=until)
    times = (found[3] for found in VALUE.finditer(told.read_text()) if found[3])
    return quiet, sorted(float(at_s) for at_s in times)


def _quiet(told: str, duration_s: float) -> Iterator[tuple[float, float]]:
    """Pairs of begin and end; one that lasts to the end of the part has no end in the text."""
    marks = [(found[1], float(found[2])) for found in VALUE.finditer(told) if found[1]]
    marks.append(("end", duration_s))
    for (kind, start_s), (next_kind, end_s) in pairwise(marks):
        if kind == "start" and next_kind == "end":
            yield max(0.0, start_s), min(end_s, duration_s)


def _quoted(path: Path) -> str:
    """A path inside a filter: escaped once for the filter's option and once for the graph."""
    option = re.sub(r"([\\':])", r"\\\1", str(path))
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)


def _key(recording: Recording) -> str:
    return f"{recording_folder(recording)}/{FILE}"


def _keep(lease: Lease, recording: Recording, found: Pauses) -> None:
    """Whoever lost the lease keeps nothing; a later edition is listened to anew."""
    recording.refresh_from_db()  # its files may have moved meanwhile
    jobs.hold(lease)
    storage().write(_key(recording), msgspec.json.encode(found))
    jobs.finish(lease)
