"""The films that `make bench-pipeline` works on, drawn and encoded as phones and browsers do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from media_pipeline import ffmpeg
from media_pipeline.demo_media import make_demo_video

# An unsteady hand, and the grain of a small sensor: without them every encoder looks good.
HAND = "scale=1188:2112,crop=1080:1920:54+40*sin(t*1.7):96+60*sin(t*1.1)"
GRAIN = "noise=alls=7:allf=t,fps=30,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
GRAIN += ",setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
PHONE = ["-c:v", "libx264", "-preset", "superfast", "-profile:v", "high", "-b:v", "14M", "-g", "30"]
PHONE += ["-c:a", "aac", "-b:a", "128k"]
BROWSER = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2500k"]
BROWSER += ["-g", "100", "-c:a", "libopus", "-b:a", "64k"]
KINDS = {
    "phone": ("mp4", f"{HAND},{GRAIN}", PHONE),
    "browser": ("webm", f"{HAND},scale=720:1280,{GRAIN}", BROWSER),
}
WITHIN_S = 3600.0


def drawn(folder: Path, seconds: int) -> Path:
    """A film that is modest already: what the studio's own camera sends, about."""
    path = folder / f"modest-{seconds}.mp4"
    if not path.exists():
        make_demo_video(path, seconds)
    return path


def film(folder: Path, kind: str, seconds: int, times: int) -> Path:
    """A film of this kind, of `seconds` seconds that are there `times` times."""
    suffix, look, encoder = KINDS[kind]
    once = folder / f"{kind}-{seconds}.{suffix}"
    if not once.exists():
        _run(["-i", str(drawn(folder, seconds)), "-vf", look, *encoder, str(once)])
    if times == 1:
        return once
    long = folder / f"{kind}-{seconds * times}.{suffix}"
    if not long.exists():
        again = ["-stream_loop", str(times - 1), "-i", str(once), "-c", "copy"]
        _run([*again, str(long)])
    return long


def _run(args: Sequence[str]) -> None:
    ffmpeg.run(list(args), timeout_s=WITHIN_S)
