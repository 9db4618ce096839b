from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_pipeline import ffmpeg
from media_pipeline.ffmpeg import MediaFailed, SourceUnreadable
from media_pipeline.probe import Audio, Video, parse, probe
from tests.media_pipeline.footage import Footage, take_folder


def told(**video: object) -> dict[str, object]:
    stream = {"codec_type": "video", "codec_name": "h264", "width": 1280, "height": 720}
    return {"streams": [stream | video], "format": {}}


@pytest.mark.ffmpeg
def test_a_file_tells_its_streams(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    args = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=12", "-f", "lavfi", "-i", "sine"]
    args += ["-t", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", str(source)]
    ffmpeg.run(args, timeout_s=20)
    found = probe(source)
    assert found.duration_s == pytest.approx(2, abs=0.05)
    assert found.audio == Audio("aac", 44100, 1, index=1, is_simple=True)
    assert (found.picture.width, found.picture.height, found.picture.fps) == (64, 48, 12)
    assert found.picture.pixel_format == "yuv420p"


@pytest.mark.ffmpeg
def test_what_is_no_video_is_unreadable(tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear Zhang")
    with pytest.raises(SourceUnreadable):
        probe(letter)


@pytest.mark.ffmpeg
def test_a_playlist_is_read_only_where_it_is_ours() -> None:
    with pytest.raises(SourceUnreadable):
        probe(take_folder(Footage()) / "take.m3u8")


@pytest.mark.parametrize("turn", [90, -90, 270])
def test_a_phone_held_upright_has_its_sides_swapped(turn: int) -> None:
    found = parse(told(side_data_list=[{"rotation": turn}]))
    assert (found.picture.width, found.picture.height) == (720, 1280)


def test_a_phone_upside_down_has_not() -> None:
    assert parse(told(side_data_list=[{"rotation": 180}])).picture.width == 1280


@pytest.mark.parametrize(
    ("text", "fps"), [("30000/1001", 29.97), ("15/1", 15), ("0/0", 0), ("", 0)]
)
def test_frame_rates_are_fractions(text: str, fps: float) -> None:
    assert parse(told(avg_frame_rate=text)).picture.fps == pytest.approx(fps, abs=0.001)


def test_what_ffprobe_does_not_know_is_nought() -> None:
    found = parse({"streams": [], "format": {"duration": "N/A"}})
    assert (found.duration_s, found.bits_per_second, found.audio) == (0, 0, None)
    with pytest.raises(SourceUnreadable):
        _ = found.picture


def test_the_duration_may_be_the_streams() -> None:
    assert parse(told(duration="7.5")).duration_s == 7.5


@pytest.mark.parametrize(
    ("profile", "level", "string"),
    [
        ("Constrained Baseline", 31, "avc1.42C01F"),
        ("Main", 30, "avc1.4D401E"),
        ("High", 40, "avc1.640028"),
    ],
)
def test_codec_strings(profile: str, level: int, string: str) -> None:
    video = Video("h264", 640, 360, 30, "yuv420p", profile, level, 0)
    assert video.codec_string == string


def test_a_program_that_was_killed_says_nothing_about_the_film(
    tmp_path: Path, settings: Any
) -> None:
    """Or a film would be given up, and its upload deleted, because the machine had no memory."""
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text("#!/bin/sh\necho moov atom not found >&2\nkill -9 $$\n")
        (tmp_path / name).chmod(0o755)
    settings.FFMPEG = str(tmp_path / "ffmpeg")
    with pytest.raises(MediaFailed):
        probe(tmp_path / "film.mp4")
    with pytest.raises(MediaFailed):
        ffmpeg.run(["-i", "film.mp4", "out.mp4"], timeout_s=20)
