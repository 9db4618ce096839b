"""A video file as a camera: read at its own pace, as the chunks that a recorder would make."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from media_pipeline import ffmpeg
from media_pipeline.probe import Probe, probe

# The file is the operator's own, so more than what phones may send; still nothing that names
# other files.
FORMATS = f"{ffmpeg.FORMATS},mpegts,avi,flv"
LONGEST_GOP_S = 2.5
CHUNK_EVERY_S = 0.1
MAX_CHUNK_BYTES = 512 * 1024
WAITING_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A file that can be broadcast, and what of it can be sent as it is."""

    path: Path
    duration_s: float
    copies_video: bool
    copies_audio: bool

    @classmethod
    def open(cls, path: Path) -> VideoFile:
        """Look into the file; raises `SourceUnreadable` where it is none with a picture."""
        if not path.is_file():
            raise ffmpeg.SourceUnreadable(_("There is no file %s.") % path)
        found = probe(path, formats=FORMATS)
        return cls(
            path,
            found.duration_s,
            copies_video=_can_copy(found) and _longest_gop_s(path) <= LONGEST_GOP_S,
            copies_audio=found.audio is not None and found.audio.codec == "aac",
        )


def _can_copy(found: Probe) -> bool:
    return found.picture.codec == "h264" and found.picture.pixel_format == "yuv420p"


def _longest_gop_s(path: Path) -> float:
    """The longest time between key frames in the file's first seconds: it delays every viewer."""
    line = [ffmpeg.ffprobe_path(), "-loglevel", "error", "-protocol_whitelist", "file,pipe"]
    line += ["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags"]
    line += ["-read_intervals", "%+15", "-print_format", "json", str(path)]
    told = subprocess.run(line, capture_output=True, timeout=30, check=False).stdout
    packets = json.loads(told or b"{}").get("packets", [])
    times = sorted(float(one["pts_time"]) for one in packets if "pts_time" in one)
    keys = sorted(float(one["pts_time"]) for one in packets if "K" in one.get("flags", ""))
    ends = [*keys, *times[-1:]]
    return max((after - key for key, after in zip(keys, ends[1:], strict=False)), default=0.0)


def camera_arguments(
    file: VideoFile, *, start_s: float, loop: bool, duration_s: float | None, pace: float
) -> list[str]:
    """ffmpeg's arguments for sending the file as a live Matroska stream on standard output."""
    reading = ["-readrate", f"{pace:g}", "-ss", f"{start_s:.3f}"]
    loops = ["-stream_loop", "-1"] if loop else []
    limit = ["-t", f"{duration_s:.3f}"] if duration_s is not None else []
    encode = ["libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
    encode += ["-force_key_frames", "expr:gte(t,n_forced)", "-sc_threshold", "0"]
    video = ["-map", "0:v:0", "-c:v", *(["copy"] if file.copies_video else encode)]
    audio = ["-map", "0:a:0?", "-c:a", "copy" if file.copies_audio else "aac"]
    stream = ["-f", "matroska", "-live", "1", "-cluster_time_limit", "200", "-flush_packets", "1"]
    return [*reading, *loops, "-i", str(file.path), *limit, *video, *audio, *stream, "pipe:1"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the stream; `offset_ms` is when it was there, since the camera was started."""

    number: int
    offset_ms: float
    payload: bytes


class FileCamera:
    """A running ffmpeg that reads the file, and the chunks that nobody has confirmed yet."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._started = time.monotonic()
        self._waiting: deque[Chunk] = deque()
        self._waiting_bytes = 0
        self._buffer = bytearray()
        self._next = 0
        self._cut_at = 0.0
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.is_finished = False
        self.bytes_made = 0
        self.confirmed_s = 0.0
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, arguments: list[str], *, protocols: str = ffmpeg.PROTOCOLS) -> FileCamera:
        """`protocols` are the ways by which ffmpeg may reach what the arguments name."""
        process = await asyncio.create_subprocess_exec(
            *ffmpeg.command(arguments, formats=FORMATS, protocols=protocols),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(process)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @property
    def is_drained(self) -> bool:
        """Whether the file is over and all of it was confirmed."""
        return self.is_finished and not self._waiting

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    @property
    def confirmed_bytes(self) -> int:
        return self.bytes_made - self._waiting_bytes

    def from_number(self, number: int) -> list[Chunk]:
        return [chunk for chunk in self._waiting if chunk.number >= number]

    def confirm(self, next_number: int) -> None:
        """Everything before `next_number` is on the server's disk."""
        while self._waiting and self._waiting[0].number < next_number:
            chunk = self._waiting.popleft()
            self._waiting_bytes -= len(chunk.payload)
            self.confirmed_s = chunk.offset_ms / 1000
        if self._waiting_bytes <= WAITING_LIMIT_BYTES:
            self._has_room.set()
        self._changed.set()

    async def begins(self) -> bool:
        """Wait for the first chunk; whether there was one before the end."""
        while not self._waiting and not self.is_finished:
            await self.changed()
        return bool(self._waiting)

    async def changed(self) -> None:
        """Wait for more chunks, for the end, or for a confirmation."""
        await self._changed.wait()
        self._changed.clear()

    def stop(self) -> None:
        """Stop reading; what was read is still to be sent."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    async def close(self) -> None:
        """Leave nothing behind."""
        self._reading.cancel()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for in `start`
        while block := await self._process.stdout.read(MAX_CHUNK_BYTES // 4):
            self._buffer += block
            is_full = len(self._buffer) >= MAX_CHUNK_BYTES - MAX_CHUNK_BYTES // 4
            if is_full or time.monotonic() - self._cut_at >= CHUNK_EVERY_S:
                self._cut()
            if self._waiting_bytes > WAITING_LIMIT_BYTES:
                self._has_room.clear()
            await self._has_room.wait()
        self._cut()
        self.is_finished = True
        self._changed.set()

    def _cut(self) -> None:
        """Make what was read a chunk."""
        if not self._buffer:
            return
        self._cut_at = time.monotonic()
        chunk = Chunk(self._next, self.elapsed_s * 1000, bytes(self._buffer))
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk.payload)
        self.bytes_made += len(chunk.payload)
        self._next += 1
        self._buffer.clear()
        self._changed.set()
