"""Real footage for tests: takes as the live encoder leaves them, made once in a test process."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.clock import now
from core.ids import new_id
from media_pipeline import ffmpeg
from media_pipeline.ingest.boxes import Init, Splitter
from media_pipeline.ingest.grouping import Grouping
from media_pipeline.ingest.recipe import live_command
from media_pipeline.ingest.segmenter import Segmenter
from media_pipeline.ingest.source import recognise
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.playlists import parse_segments
from media_pipeline.storage import storage, visibility
from streams.models import Show
from tests.speech import spoken

FPS = 10
LUMA_0, LUMA_STEP = 20, 2


@dataclass(frozen=True)
class Footage:
    """A take's look. Every frame is one flat grey that tells its number: 20, 22, 24, ...

    `picture` and `heard` are drawings of ffmpeg's in place of the greys and the tone.
    """

    width: int = 256
    height: int = 144
    seconds: int = 4
    sound: bool = True
    picture: str = ""
    heard: str = "sine=440:r=48000"
    says: tuple[str, str] | None = None
    """What somebody says in it instead of a tone, and in which language."""


@functools.cache
def take_folder(footage: Footage) -> Path:
    """What the live encoder makes of it: `init.mp4`, one-second fragments and `take.m3u8`."""
    folder = Path(tempfile.mkdtemp(prefix="footage-"))
    size = f"{footage.width}x{footage.height}"
    grey = f"geq=lum='{LUMA_0}+{LUMA_STEP}*N':cb=128:cr=128"
    drawn = footage.picture or f"color=size={size}:rate={FPS},format=yuv420p,{grey}"
    args = ["-f", "lavfi", "-i", drawn]
    if footage.says:
        args += ["-i", str(spoken(*footage.says)), "-af", "apad", "-c:a", "aac", "-ac", "2"]
    elif footage.sound:
        args += ["-f", "lavfi", "-i", footage.heard, "-c:a", "aac", "-ac", "2"]
    args += ["-t", str(footage.seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10"]
    args += ["-g", str(FPS), "-f", "matroska", "recorded.mkv"]
    ffmpeg.run(args, timeout_s=30, cwd=folder, formats=f"{ffmpeg.FORMATS},wav")
    recorded = (folder / "recorded.mkv").read_bytes()
    source = recognise(recorded)
    assert source
    line = live_command(source)
    made = subprocess.run(line, input=recorded, check=True, timeout=30, stdout=subprocess.PIPE)
    segment(made.stdout, folder)
    return folder


def segment(stream: bytes, folder: Path) -> Segmenter:
    """The live encoder's output as segments in the folder."""
    grouping, segmenter = Grouping(None), Segmenter(folder)
    for item in Splitter().feed(stream):
        if isinstance(item, Init):
            segmenter.begin(item)
        elif part := grouping.add(item):
            segmenter.add(part)
    if part := grouping.flush():
        segmenter.add(part)
    segmenter.finish()
    return segmenter


def recording_of(show: Show, *takes: Footage, is_public: bool = True) -> Recording:
    """A sealed recording of these takes, with its files in the storage."""
    recording = Recording.objects.create(
        show_id=show.public_id, is_public=is_public, state=RecordingState.READY, sealed_at=now()
    )
    for position, footage in enumerate(takes):
        recording.duration_s += _add_take(recording, position, footage).duration_s
    recording.save()
    return recording


def _add_take(recording: Recording, position: int, footage: Footage) -> Take:
    take_id = new_id()
    to = storage().path(f"{folder_of(recording)}/{take_id}")
    shutil.copytree(take_folder(footage), to)
    return recording.takes.create(
        public_id=take_id,
        position=position,
        mime="video/webm",
        state=TakeState.SEALED,
        started_at=now() - timedelta(minutes=10 - position),
        duration_s=sum(s.duration_s for s in parse_segments((to / "take.m3u8").read_text())),
    )


def folder_of(recording: Recording) -> str:
    return f"{visibility(recording.is_public)}/recordings/{recording.public_id}"


def take_ids(recording: Recording) -> list[uuid.UUID]:
    return list(recording.takes.order_by("position").values_list("public_id", flat=True))


def frame_numbers(path: Path, formats: str = ffmpeg.FORMATS) -> list[int]:
    """Which frames of the footage a video shows, read off their middles."""
    args = ["-i", str(path), "-vf", "crop=2:2,format=gray", "-f", "rawvideo", "pipe:1"]
    process = ffmpeg.spawn(ffmpeg.command(args, formats=formats), stderr=subprocess.DEVNULL)
    pixels, _none = process.communicate(timeout=20)
    return [round((_full_to_limited(luma) - LUMA_0) / LUMA_STEP) for luma in pixels[::4]]


def _full_to_limited(gray: int) -> float:
    """`format=gray` stretches video's 16-235 to 0-255."""
    return 16 + gray * 219 / 255
