from __future__ import annotations

import wave
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from media_pipeline import demo_media
from media_pipeline.demo_melody import write_melody
from media_pipeline.demo_scenes import SCENE_S, SCENES, frame
from media_pipeline.probe import probe

# Drawing the film takes as long as ffmpeg does.
pytestmark = pytest.mark.ffmpeg


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_the_video_is_what_a_phone_would_send(tmp_path: Path) -> None:
    path = tmp_path / "demo.mp4"
    demo_media.make_demo_video(path, 2, (108, 192), start_s=9)
    found = probe(path)
    assert found.duration_s == pytest.approx(2, abs=0.1)
    assert (found.picture.width, found.picture.height) == (108, 192)
    assert (found.picture.codec, found.picture.profile, found.picture.fps) == ("h264", "Main", 15)
    assert found.audio
    assert found.audio.codec == "aac"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_made_once(tmp_path: Path) -> None:
    made = tmp_path / f"orchard-v{demo_media.VERSION}.mp4"
    made.write_bytes(b"made before")
    assert demo_media.demo_video(tmp_path) == made
    assert made.read_bytes() == b"made before"


def test_something_moves_all_the_time() -> None:
    for scene in range(len(SCENES)):
        begun = frame(scene * SCENE_S + 5)
        assert difference(begun, frame(scene * SCENE_S + 5.5)) > 0.2


def test_a_jump_of_ten_seconds_shows_another_scene() -> None:
    pictures = [frame(scene * SCENE_S + 5) for scene in range(len(SCENES))]
    for one, other in zip(pictures, [*pictures[1:], pictures[0]], strict=True):
        assert difference(one, other) > 2


def test_the_clock_runs_on_when_the_scenes_begin_again() -> None:
    assert difference(frame(5), frame(65)) > 0


@pytest.mark.parametrize("kind", demo_media.PRODUCT_KINDS)
def test_every_product_has_a_picture(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "products" / f"{kind}.jpg"
    demo_media.make_product_picture(path, kind)
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (600, 600))
    assert path.stat().st_size < 120_000


def test_the_melody_is_as_long_as_the_video_and_can_be_heard(tmp_path: Path) -> None:
    path = tmp_path / "melody.wav"
    write_melody(path, 3.5)
    with wave.open(str(path)) as file:
        assert file.getnframes() == round(3.5 * file.getframerate())
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    assert 3000 < max(samples) < 32767
