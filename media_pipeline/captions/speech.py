"""Speech to text behind a small interface: sound goes in, words with their moments come out.

The model is the operator's: a folder that `faster-whisper` can read, named in a setting. It runs in
a process of its own, which can be stopped at any moment and takes its memory along when it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from media_pipeline import room
from media_pipeline.ffmpeg import (
    ErrorTail,
    MediaCancelled,
    MediaError,
    MediaFailed,
    MediaTimeout,
    kill,
    opened,
)
from media_pipeline.storage import work_folder

# What livecommerce[captions] installs.
PROGRAM = ("faster_whisper", "opencc")
MODEL_FILE = "model.bin"
NICENESS = 15
LOOK_EVERY_S = 0.1
# The slowest that is worth waiting for: a large model on one old core.
TIMEOUT_BASE_S, TIMEOUT_FACTOR = 300.0, 40.0
# Beside the weights: their copy while they are read, the sound, and what is computed from it.
MEMORY_BESIDE, MEMORY_FACTOR = 600 * 2**20, 1.5
CANNOT_READ_MODEL = 3


class NoModel(MediaError):
    """There is nothing here that could listen; the operator can change that."""


class Word(msgspec.Struct, frozen=True, array_like=True):
    """Seconds of the sound, and the text with the space in front of it, if there is one."""

    start_s: float
    end_s: float
    text: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the program: first the language, then what was said, piece by piece."""

    language: str = ""
    words: list[Word] = []


class Listener(Protocol):
    """Something that understands speech."""

    def listen(
        self, sound: Path, *, seconds: float, language: str, hints: str, stop: Callable[[], bool]
    ) -> Iterator[Said]:
        """What is said in a WAV file (16 kHz, mono, 16 bits) of `seconds`, as it is understood.

        The first says which language it is, which `language` may name before; `hints` are words
        that are likely. Raises `MediaError`, `MediaCancelled` within a moment of `stop`.
        """


def listener() -> Listener:
    """What this instance has to listen with; raises `NoModel` with what to do about it."""
    if trouble := problem():
        raise NoModel(trouble)
    return Whisper(Path(settings.SPEECH_MODEL))


def problem() -> str:
    """Why nothing is written down here, in words that tell an operator what to do; or nothing."""
    if not settings.SPEECH_MODEL:
        return _(
            "Speech is not written down by itself here yet: there is no speech model. Whoever runs"
            " this site can install livecommerce[captions], put a model for faster-whisper into a"
            " folder, and name that folder in LIVECOMMERCE_SPEECH_MODEL."
        )
    if any(importlib.util.find_spec(name) is None for name in PROGRAM):
        return _(
            "Speech is not written down by itself here yet: the program for it is missing. Whoever"
            " runs this site can install livecommerce[captions]."
        )
    if not (Path(settings.SPEECH_MODEL) / MODEL_FILE).is_file():
        return _(
            "Speech is not written down by itself here yet: there is no model.bin in the folder"
            " that LIVECOMMERCE_SPEECH_MODEL names. Whoever runs this site can put one there."
        )
    return ""


@contextlib.contextmanager
def alone() -> Iterator[bool]:
    """Whether nobody else on this machine listens meanwhile: two models rarely fit its memory."""
    path = work_folder() / "listening.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@dataclass(frozen=True, slots=True)
class Whisper:
    """A model of OpenAI's Whisper in CTranslate2's format, by `faster-whisper`."""

    model: Path

    def listen(
        self, sound: Path, *, seconds: float, language: str, hints: str, stop: Callable[[], bool]
    ) -> Iterator[Said]:
        self._require_room()
        program = Path(__file__).with_name("whisper_program.py")
        line = [sys.executable, str(program), str(self.model), str(sound), language, hints]
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            process_group=0,
        )  # fmt: skip
        try:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PGRP, process.pid, NICENESS)
            tail = ErrorTail(opened(process.stderr))
            deadline = time.monotonic() + TIMEOUT_BASE_S + TIMEOUT_FACTOR * seconds
            yield from _told(process, deadline, stop)
            process.wait()
        finally:
            kill(process)
        _raise_for_exit(process.returncode, tail.text())

    def _require_room(self) -> None:
        need = (self.model / MODEL_FILE).stat().st_size * MEMORY_FACTOR + MEMORY_BESIDE
        if need > room.memory():
            raise NoModel(
                _(
                    "The speech model needs about %(need).1f GB of memory, and this machine has"
                    " %(have).1f GB. Whoever runs this site can choose a smaller model."
                )
                % {"need": need / 2**30, "have": room.memory() / 2**30}
            )


def _told(
    process: subprocess.Popen[bytes], deadline: float, stop: Callable[[], bool]
) -> Iterator[Said]:
    """What the program says, until it ends; looks at the clock and at `stop` meanwhile."""
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    while True:
        if stop():
            raise MediaCancelled(_("It was stopped."))
        if time.monotonic() > deadline:
            raise MediaTimeout(_("Writing down what is said took too long."))
        with contextlib.suppress(queue.Empty):
            if not (line := lines.get(timeout=LOOK_EVERY_S)):
                return
            yield msgspec.json.decode(line, type=Said)


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[bytes]) -> None:
    with opened(process.stdout) as stream:
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _raise_for_exit(code: int, said: str) -> None:
    if code == CANNOT_READ_MODEL:
        raise NoModel(
            _("The speech model cannot be read. Whoever runs this site can put another one there."),
            said,
        )
    if code:
        raise MediaFailed(_("The speech program stopped with an error."), said)
