from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from media_pipeline import ffmpeg
from media_pipeline.ffmpeg import (
    FfmpegMissing,
    MediaCancelled,
    MediaFailed,
    MediaTimeout,
    SourceUnreadable,
)

DRAWING = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10"]
# More than any test will wait for: it must be stopped.
ENDLESS = [*DRAWING, "-f", "null", "-"]
REALTIME = ["-re", *DRAWING, "-f", "null", "-"]


def draw(path: Path, *options: str) -> Path:
    ffmpeg.run([*DRAWING, "-t", "1", *options, str(path)], timeout_s=20)
    return path


def test_every_input_is_guarded_but_not_our_own_drawings() -> None:
    guarded = ffmpeg.guarded(["-i", "a.mp4", *DRAWING, "-ss", "1", "-i", "b.mp4", "out.mp4"])
    before = [guarded[: at + 1] for at, arg in enumerate(guarded) if arg == "-i"]
    assert [line[-2] for line in before] == [ffmpeg.FORMATS, "lavfi", ffmpeg.FORMATS]
    assert guarded.count("file,pipe") == 2


@pytest.mark.ffmpeg
def test_it_makes_a_video_and_tells_how_far_it_is(tmp_path: Path) -> None:
    heard: list[float] = []
    out = tmp_path / "out.mp4"
    ffmpeg.run(["-re", *DRAWING, "-t", "1", str(out)], timeout_s=20, on_progress=heard.append)
    assert out.stat().st_size > 0
    assert heard == sorted(heard)


@pytest.mark.ffmpeg
def test_a_file_that_is_no_video_is_unreadable(tmp_path: Path) -> None:
    source = tmp_path / "letter.mp4"
    source.write_text("Dear Zhang, the apples were lovely. " * 100)
    with pytest.raises(SourceUnreadable) as refused:
        ffmpeg.run(["-i", str(source), "-f", "null", "-"], timeout_s=20)
    assert str(source) in refused.value.detail


@pytest.mark.ffmpeg
def test_a_playlist_that_names_another_file_is_not_followed(tmp_path: Path) -> None:
    secret = draw(tmp_path / "secret.ts")
    playlist = tmp_path / "upload.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceUnreadable):
        ffmpeg.run(["-i", str(playlist), "-f", "null", "-"], timeout_s=20)


@pytest.mark.ffmpeg
def test_a_picture_of_insane_size_is_not_decoded(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.mkv"
    line = "color=size=8000x8000:rate=1"
    ffmpeg.run(
        ["-f", "lavfi", "-i", line, "-frames:v", "1", "-c:v", "ffv1", str(bomb)], timeout_s=20
    )
    with pytest.raises((SourceUnreadable, MediaFailed)):
        ffmpeg.run(["-i", str(bomb), "-f", "null", "-"], timeout_s=20)


@pytest.mark.ffmpeg
def test_a_network_address_is_not_opened() -> None:
    with pytest.raises((SourceUnreadable, MediaFailed)) as refused:
        ffmpeg.run(["-i", "http://127.0.0.1:9/a.mp4", "-f", "null", "-"], timeout_s=20)
    assert "whitelist" in refused.value.detail


@pytest.mark.ffmpeg
def test_wrong_arguments_are_our_failure_and_say_why() -> None:
    with pytest.raises(MediaFailed) as failed:
        ffmpeg.run([*DRAWING, "-no-such-option", "-f", "null", "-"], timeout_s=20)
    assert "no-such-option" in failed.value.detail


@pytest.mark.ffmpeg
def test_it_is_stopped_when_its_time_is_up() -> None:
    started = time.monotonic()
    with pytest.raises(MediaTimeout):
        ffmpeg.run(ENDLESS, timeout_s=0.3)
    assert time.monotonic() - started < 5


@pytest.mark.ffmpeg
def test_it_is_stopped_when_nobody_wants_it() -> None:
    with pytest.raises(MediaCancelled):
        ffmpeg.run(REALTIME, timeout_s=20, cancelled=lambda: True)


class Lost(Exception):
    pass


@pytest.mark.ffmpeg
def test_what_the_listener_raises_stops_it() -> None:
    def listener(seconds: float) -> None:
        raise Lost

    with pytest.raises(Lost):
        ffmpeg.run(REALTIME, timeout_s=20, on_progress=listener)


@pytest.mark.ffmpeg
def test_killing_ends_the_whole_group() -> None:
    process = ffmpeg.spawn(["sh", "-c", "sleep 60 & echo begun; wait"], stderr=subprocess.DEVNULL)
    assert process.stdout
    assert process.stdout.readline() == b"begun\n"
    asked = time.monotonic()
    ffmpeg.kill(process)
    # The pipe ends when the last process that holds it, the grandchild, has gone.
    assert process.stdout.read() == b""
    assert time.monotonic() - asked < 30
    process.stdout.close()


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("out_time_us=1500000\n", 1.5),
        ("out_time_us=-20000\n", 0.0),
        ("out_time_us=N/A\n", None),
        ("frame=12\n", None),
        ("", None),
    ],
)
def test_progress_lines(line: str, seconds: float | None) -> None:
    assert ffmpeg.progress_seconds(line) == seconds


def test_a_missing_program_is_named_with_its_remedy(settings: Settings, tmp_path: Path) -> None:
    settings.FFMPEG = str(tmp_path / "nowhere")
    with pytest.raises(FfmpegMissing, match="LIVECOMMERCE_FFMPEG"):
        ffmpeg.ffmpeg_path()


def test_the_setting_names_a_folder_or_the_program(settings: Settings, tmp_path: Path) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).touch(mode=0o755)
    for setting in (tmp_path, tmp_path / "ffmpeg"):
        settings.FFMPEG = str(setting)
        assert ffmpeg.ffmpeg_path() == str(tmp_path / "ffmpeg")
        assert ffmpeg.ffprobe_path() == str(tmp_path / "ffprobe")
