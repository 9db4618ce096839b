"""What a running task holds: its lease, a place to work in, and a voice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.translation import gettext as _

from media_pipeline import ffmpeg, jobs
from media_pipeline.ffmpeg import MediaFailed
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.probe import OUR_FORMATS, Probe, probe
from media_pipeline.recipes import Size
from media_pipeline.storage import storage, work_folder

# Encoding is some ten times faster than watching on two cores; this is for a busy small machine.
TIMEOUT_BASE_S, TIMEOUT_FACTOR = 120.0, 8.0
DURATION_SLACK_S = 0.5


class OutputWrong(MediaFailed):
    """What was made is not what was asked for; it is not shown to anybody."""


class PartFailed(MediaFailed):
    """A part of the work was given up after all of its attempts, by the `fault` of its job."""

    def __init__(self, message: str, fault: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass
class Work:
    """One attempt at one job. `stop` is set when the worker must stop or has lost the lease."""

    lease: Lease
    stop: threading.Event = field(default_factory=threading.Event)
    progress: float = 0.0
    held_at: float = field(default_factory=time.monotonic)
    """When the lease was last known to be ours."""
    run_part: Callable[[Lease, threading.Event], None] | None = None
    """Runs a part of this job here and now, until the event; `None` where there is no worker."""

    def beat(self) -> None:
        """Keep the lease and tell the progress; raises `jobs.LeaseLost`."""
        jobs.heartbeat(self.lease, self.progress)
        self.held_at = time.monotonic()

    def require_held(self) -> None:
        """Before a file that others share is written: raises `jobs.LeaseLost` if it is not ours.

        The database is asked only where the last heartbeat is too long ago, as when the whole
        process stood still.
        """
        if time.monotonic() - self.held_at > jobs.LEASE.total_seconds() / 3:
            jobs.hold(self.lease)
            self.held_at = time.monotonic()

    def run(
        self, args: list[str], *, output_s: float, until: float, formats: str = ffmpeg.FORMATS
    ) -> None:
        """Run ffmpeg for an output of `output_s` seconds; it ends at progress `until`."""
        began = self.progress

        def tell(done_s: float) -> None:
            share = min(1.0, done_s / output_s) if output_s else 1.0
            self.progress = began + (until - began) * share

        ffmpeg.run(
            args,
            timeout_s=TIMEOUT_BASE_S + TIMEOUT_FACTOR * output_s,
            formats=formats,
            on_progress=tell,
            cancelled=self.stop.is_set,
        )
        self.progress = until

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder beside the storage that goes away with the attempt."""
        with TemporaryDirectory(prefix=f"{self.lease.kind}-", dir=work_folder()) as folder:
            files = Path(folder) / "files"  # the outer one is closed to the web server's user
            files.mkdir()
            yield files


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ffprobe must find in an output; no `audio_codec` where there is to be no sound."""

    video_codec: str
    size: Size
    duration_s: float | None = None
    audio_codec: str | None = None


def checked(path: Path, wanted: Wanted) -> Probe:
    """Look at an output with ffprobe; raises `OutputWrong` if it is not what was planned."""
    found = probe(path, formats=OUR_FORMATS)
    if wrong := "; ".join(_differences(found, wanted)):
        raise OutputWrong(_("The video did not turn out right."), f"{path.name}: {wrong}")
    return found


def _differences(found: Probe, wanted: Wanted) -> Iterator[str]:
    picture = found.picture
    size = Size(picture.width, picture.height)
    audio_codec = found.audio.codec if found.audio else None
    if picture.codec != wanted.video_codec:
        yield f"video is {picture.codec}, not {wanted.video_codec}"
    if size != wanted.size:
        yield f"size is {size}, not {wanted.size}"
    if audio_codec != wanted.audio_codec:
        yield f"audio is {audio_codec}, not {wanted.audio_codec}"
    if wanted.duration_s and abs(found.duration_s - wanted.duration_s) > DURATION_SLACK_S:
        yield f"lasts {found.duration_s} s, not {wanted.duration_s} s"


@contextmanager
def taken_away_if_lost(*folders: str) -> Iterator[None]:
    """Files that were stored too late belong to nobody."""
    try:
        yield
    except LeaseLost:
        for folder in folders:
            storage().delete_folder(folder)
        raise


def sweep_earlier(place: str, lease: Lease) -> None:
    """Take away what earlier attempts stored before they died; nobody was ever told of it."""
    for epoch in range(1, lease.epoch):
        storage().delete_folder(f"{place}/{epoch}")
