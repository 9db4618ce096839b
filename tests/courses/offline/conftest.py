"""A lesson whose film is large enough to be kept in parts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.clock import now
from courses.models import Course, Enrolment, Lesson
from courses.services import learning
from media_pipeline import ffmpeg
from media_pipeline.models import Rendition
from media_pipeline.services.clip_light import LIGHT
from media_pipeline.services.clips import clip_folder
from media_pipeline.storage import storage
from tests.courses.conftest import MakeClip
from tests.world import World


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s, and more than one part of a download."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    line = [ffmpeg.ffmpeg_path(), "-loglevel", "error", "-y"]
    line += ["-f", "lavfi", "-i", "testsrc2=size=360x640:rate=15,noise=alls=20:allf=t"]
    line += ["-f", "lavfi", "-i", "sine=frequency=440", "-t", "20", "-c:v", "libx264"]
    line += ["-preset", "ultrafast", "-b:v", "300k", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*line, "-movflags", "+faststart", str(path)], check=True, timeout=60)
    assert path.stat().st_size > 300_000
    return path


@pytest.fixture
def film(drawn: Path) -> bytes:
    return drawn.read_bytes()


@pytest.fixture
def lesson(course: Course, film: bytes, world: World, make_clip: MakeClip) -> Lesson:
    """One of the course that Wang, a trainee, joined a while ago."""
    lesson: Lesson = course.lessons.select_related("asset", "course").order_by("id")[0]
    key = f"{clip_folder(lesson.asset)}/light-1/light.mp4"
    size = {"width": 162, "height": 288, "bits_per_second": 250_000, "duration_s": 20}
    Rendition.objects.create(asset=lesson.asset, name=LIGHT, key=key, video_codec="h264", **size)
    storage().write(key, film)
    storage().write(lesson.asset.download_key, b"the sharp one, which nobody asked for" * 9000)
    enrolment = learning.enrol(world.wang, course)
    Enrolment.objects.filter(pk=enrolment.pk).update(started_at=now().replace(year=2020))
    return lesson


@pytest.fixture
def packing_film(lesson: Lesson, film: bytes) -> Lesson:
    """The other lesson of the course, which can be kept as well."""
    other: Lesson = lesson.course.lessons.select_related("asset", "course").order_by("id")[1]
    storage().write(other.asset.download_key, film)
    return other
