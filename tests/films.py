"""Small real videos for tests, drawn by ffmpeg once a session."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from media_pipeline import ffmpeg

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "30", "-b:v", "400k"]
AAC = ["-c:a", "aac", "-b:a", "64k"]


def draw(path: Path, *codecs: str, duration_s: float, picture: bool = True) -> Path:
    """A moving test picture of 320×180 at 30 frames a second with a tone, or the tone alone."""
    inputs = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    if picture:
        inputs = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", *inputs]
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", *inputs]
    subprocess.run([*line, "-t", str(duration_s), *codecs, str(path)], check=True, timeout=60)
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s of H.264 and AAC in an MP4, as a phone's gallery has them."""
    return draw(tmp_path_factory.mktemp("films") / "film.mp4", *H264, *AAC, duration_s=20)


@pytest.fixture(scope="session")
def recorder_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s of H.264 and AAC in a live Matroska stream, as a recorder sends them."""
    path = tmp_path_factory.mktemp("films") / "recorder.mkv"
    return draw(path, *H264, *AAC, "-live", "1", "-cluster_time_limit", "200", duration_s=6)


@pytest.fixture(scope="session")
def vp8_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of VP8 and Opus in a live WebM stream, as older browsers' recorders send them."""
    path = tmp_path_factory.mktemp("films") / "recorder.webm"
    codecs = [*VP8, "-c:a", "libopus", "-live", "1", "-cluster_time_limit", "200"]
    return draw(path, *codecs, duration_s=4)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s of sound alone, in a Matroska stream."""
    path = tmp_path_factory.mktemp("films") / "sound.mkv"
    return draw(path, *AAC, "-live", "1", duration_s=2, picture=False)
