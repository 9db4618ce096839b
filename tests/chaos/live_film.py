"""A film whose pictures say their own number, and reading the numbers back from the pixels.

The top of a picture is a row of squares, the number's bits from the highest on, white for one; the
row below is its opposite, so that a picture that is damaged or half another one says nothing.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media_pipeline import ffmpeg

BITS = 16
WHITE, BLACK = b"\xeb", b"\x10"
CONTRAST = 64
"""Brightness by which a bit and its opposite differ at least, of 256."""
SHOWN_AT = re.compile(r"n: *\d+ pts: *-?\d+ pts_time:(-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a film; the width is a multiple of `BITS`."""

    width: int
    height: int
    fps: int = 30

    @property
    def square(self) -> int:
        return self.width // BITS


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: when it is shown, in its stream's own seconds, and what it says.

    `number` is `None` where it cannot be read.
    """

    at_s: float
    number: int | None


def draw(path: Path, duration_s: float, shape: Shape) -> Path:
    """H.264 with a key frame each second and AAC in an MP4, as a phone's gallery has them."""
    line = [ffmpeg.ffmpeg_path(), "-loglevel", "error", "-y"]
    line += ["-f", "rawvideo", "-pixel_format", "yuv420p", "-framerate", str(shape.fps)]
    line += ["-video_size", f"{shape.width}x{shape.height}", "-i", "pipe:0"]
    line += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", str(duration_s)]
    line += ["-c:v", "libx264", "-preset", "ultrafast", "-g", str(shape.fps), "-c:a", "aac"]
    with subprocess.Popen([*line, str(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(round(duration_s * shape.fps)):
            process.stdin.write(drawn(number, shape))
        process.stdin.close()
        assert process.wait(timeout=60) == 0
    return path


def drawn(number: int, shape: Shape) -> bytes:
    """One picture (yuv420p): its number, and below it something that moves."""
    bits = [number >> place & 1 for place in reversed(range(BITS))]
    said = b"".join((WHITE if bit else BLACK) * shape.square for bit in bits)
    opposite = b"".join((BLACK if bit else WHITE) * shape.square for bit in bits)
    slope = bytes(16 + place % 200 for place in range(2 * shape.width))
    lines = range(2 * shape.square, shape.height)
    moving = (slope[(at := (2 * number + y) % shape.width) : at + shape.width] for y in lines)
    grey = b"\x80" * (shape.width * shape.height // 2)
    return b"".join([said * shape.square, opposite * shape.square, *moving, grey])


def pictures(stream: bytes, shape: Shape) -> list[Picture]:
    """Everything that a decoder shows of a stream, in its order; nothing of one that is broken."""
    read = f"crop={shape.width}:{2 * shape.square}:0:0,format=gray,scale={BITS}:2:flags=area"
    line = [ffmpeg.ffmpeg_path(), "-hide_banner", "-nostats", "-threads", "1", "-copyts"]
    line += ["-i", "pipe:0", "-map", "0:v:0", "-vf", f"{read},showinfo=checksum=0"]
    line += ["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    done = subprocess.run(line, input=stream, capture_output=True, timeout=120, check=False)
    times = [float(found) for found in SHOWN_AT.findall(done.stderr.decode(errors="replace"))]
    numbers = list(_numbers(done.stdout))
    assert len(times) == len(numbers), done.stderr[-2000:]
    return [Picture(at_s, number) for at_s, number in zip(times, numbers, strict=True)]


def _numbers(grey: bytes) -> Iterator[int | None]:
    """What pictures of `BITS` by two say."""
    for at in range(0, len(grey) - 2 * BITS + 1, 2 * BITS):
        said, opposite = grey[at : at + BITS], grey[at + BITS : at + 2 * BITS]
        yield number_of([one - other for one, other in zip(said, opposite, strict=True)])


def number_of(differences: list[int]) -> int | None:
    """The number whose bits are brighter than their opposites by so much."""
    if min(map(abs, differences)) < CONTRAST:
        return None
    return int("".join("1" if one > 0 else "0" for one in differences), 2)
