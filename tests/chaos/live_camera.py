"""The Python broadcaster, and a witness: what left its camera when, and what was acknowledged.

The witness is on the camera's side alone: it reads the bytes that the camera made.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_pipeline import ffmpeg
from streams import broadcast as broadcasting
from streams.broadcast import Summary, broadcast
from streams.broadcast_source import Chunk, FileCamera
from tests.chaos.live_film import Shape, pictures


class WatchedCamera(FileCamera):
    """Keeps every chunk that it made, and how many of them the server has acknowledged."""

    all: list[WatchedCamera] = []
    """Of this process, one take after the other."""

    def __init__(self, *args: Any) -> None:
        self.began_at = time.time()
        self.made: list[Chunk] = []
        self.acknowledged = 0
        super().__init__(*args)
        WatchedCamera.all.append(self)

    def confirm(self, next_number: int) -> None:
        self.acknowledged = max(self.acknowledged, next_number)
        super().confirm(next_number)

    def _cut(self) -> None:
        before = self._next
        super()._cut()
        if self._next > before:
            self.made.append(self._waiting[-1])


@dataclass(frozen=True, slots=True)
class Filmed:
    """What one camera filmed.

    `zero_at` is the wall time at which it was in the film's second 0, by the chunks that left it
    soonest after their last picture; `jitter_ms` is by how much the others were later, at the 95th
    percentile. `first` and `last` are the numbers of its pictures, `acknowledged` those whose bytes
    were acknowledged.
    """

    zero_at: float
    jitter_ms: float
    first: int
    last: int
    acknowledged: frozenset[int]

    def number_at(self, wall: float, fps: int) -> float:
        """The number of the picture that was before the camera then, with its fraction."""
        return (wall - self.zero_at) * fps

    def wall_of(self, number: int, fps: int) -> float:
        """When that picture came before the camera."""
        return self.zero_at + number / fps


async def send(film: Path, *, show_id: uuid.UUID, key: str, url: str) -> Summary:
    """Broadcast the film in real time, watched."""
    WatchedCamera.all.clear()
    broadcasting.FileCamera = WatchedCamera  # type: ignore[misc]
    try:
        return await broadcast(film, show_id=show_id, key=key, url=url)
    finally:
        broadcasting.FileCamera = FileCamera  # type: ignore[misc]


def filmed(camera: WatchedCamera, shape: Shape) -> Filmed | None:
    """What the camera's bytes say; `None` where there is no picture in them."""
    stream = b"".join(chunk.payload for chunk in camera.made)
    numbers = [one.number for one in pictures(stream, shape)]
    ends = _picture_ends(stream)
    assert len(ends) == len(numbers), (len(ends), len(numbers))
    whole = [(number, end) for number, end in zip(numbers, ends, strict=True) if number is not None]
    if not whole:
        return None
    acknowledged = sum(len(chunk.payload) for chunk in camera.made[: camera.acknowledged])
    zeros = sorted(_zeros(camera, whole, shape))
    return Filmed(
        zero_at=zeros[0],
        jitter_ms=round((zeros[int(len(zeros) * 0.95)] - zeros[0]) * 1000, 1),
        first=whole[0][0],
        last=whole[-1][0],
        acknowledged=frozenset(number for number, end in whole if end <= acknowledged),
    )


def _zeros(camera: WatchedCamera, whole: list[tuple[int, int]], shape: Shape) -> list[float]:
    """For each chunk that ends a picture: when second 0 would have been, by the last one in it."""
    found, size, at = [], 0, 0
    for chunk in camera.made:
        size += len(chunk.payload)
        before = at
        while at < len(whole) and whole[at][1] <= size:
            at += 1
        if at > before:
            left_at = camera.began_at + chunk.offset_ms / 1000
            found.append(left_at - whole[at - 1][0] / shape.fps)
    return found


def _picture_ends(stream: bytes) -> list[int]:
    """After how many bytes of a Matroska stream each of its pictures is whole."""
    line = [ffmpeg.ffprobe_path(), "-loglevel", "error", "-select_streams", "v:0"]
    line += ["-show_entries", "packet=pos,size", "-print_format", "json", "pipe:0"]
    done = subprocess.run(line, input=stream, capture_output=True, timeout=120, check=False)
    packets = json.loads(done.stdout)["packets"]
    return [int(packet["pos"]) + int(packet["size"]) for packet in packets]
