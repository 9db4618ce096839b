"""The demo's video and pictures, drawn at set-up instead of kept as files in the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from media_pipeline import ffmpeg
from media_pipeline.demo_melody import write_melody
from media_pipeline.demo_orchard import HEIGHT, WIDTH
from media_pipeline.demo_products import PAINTERS, make_product_picture
from media_pipeline.demo_scenes import ROUND_S, frame

__all__ = ["PRODUCT_KINDS", "demo_video", "make_demo_video", "make_product_picture"]

# Rises when the drawing changes, so that what was made before is not taken for it.
VERSION = 1
FPS = 15
PRODUCT_KINDS = tuple(PAINTERS)


def demo_video(folder: Path) -> Path:
    """The demo's one-minute video in `folder`, made the first time it is asked for."""
    path = folder / f"orchard-v{VERSION}.mp4"
    if not path.exists():
        make_demo_video(path)
    return path


def make_demo_video(
    path: Path,
    duration_s: float = ROUND_S,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    *,
    fps: int = FPS,
    start_s: float = 0,
) -> None:
    """A moving video with sound (H.264 main and AAC in an MP4, a key frame each second).

    It shows the demo show from `start_s` on. The file appears complete or not at all. Raises the
    errors of `ffmpeg.run`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        melody, made = Path(folder) / "melody.wav", Path(folder) / path.name
        write_melody(melody, duration_s)
        frames = (
            frame(start_s + number / fps).tobytes() for number in range(round(duration_s * fps))
        )
        _encode(frames, _arguments(melody, made, size, fps))
        made.replace(path)


def _arguments(melody: Path, output: Path, size: tuple[int, int], fps: int) -> list[str]:
    picture = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(fps)]
    inputs = [*picture, "-i", "pipe:0", "-i", str(melody)]
    scale = ["-vf", f"scale={size[0]}:{size[1]},format=yuv420p"]
    # A second of buffer keeps the scene changes from bursting over a phone's uplink.
    video = ["-c:v", "libx264", "-profile:v", "main", "-preset", "superfast", "-crf", "24"]
    rate = [
        "-maxrate",
        "650k",
        "-bufsize",
        "650k",
        "-g",
        str(fps),
        "-sc_threshold",
        "0",
        "-bf",
        "0",
    ]
    audio = ["-c:a", "aac", "-b:a", "64k", "-ar", "48000", "-ac", "1"]
    return [*inputs, *scale, *video, *rate, *audio, "-movflags", "+faststart", str(output)]


def _encode(frames: Iterator[bytes], args: list[str]) -> None:
    line = ffmpeg.command(args, formats="wav")
    # Not niced: somebody waits for the demo to come up.
    process = ffmpeg.spawn(line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, niceness=0)
    tail = ffmpeg.ErrorTail(ffmpeg.opened(process.stderr))
    try:
        _feed(process, frames)
        process.wait()
    finally:
        ffmpeg.kill(process)
    ffmpeg.raise_for_exit(process.returncode, tail.text())


def _feed(process: subprocess.Popen[bytes], frames: Iterator[bytes]) -> None:
    # An encoder that has given up says why on its error stream; a broken pipe says nothing.
    with suppress(BrokenPipeError), ffmpeg.opened(process.stdin) as pipe:
        for picture in frames:
            pipe.write(picture)
