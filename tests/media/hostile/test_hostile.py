"""Bad input: each file ends in a reason, soon, without much memory and without asking anybody."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from core.ids import new_id
from media_pipeline import ffmpeg
from media_pipeline.ffmpeg import MAX_MEMORY, MediaError, MediaFailed, SourceUnreadable
from media_pipeline.jobs import Lease
from media_pipeline.renditions import make_renditions
from media_pipeline.sources import looked_at
from media_pipeline.work import Work
from tests.media.hostile import make

pytestmark = pytest.mark.ffmpeg

# Of processor time that is shared with other tests; each takes a tenth of a second alone.
SOON_S = 30


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that nobody may talk to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("honest")
    webm = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
    films = make.film(folder / "a.mp4"), make.film(folder / "a.webm", *webm)
    return {path.suffix[1:]: path.read_bytes() for path in films}


def sent(folder: Path, data: bytes, name: str = "video.mp4") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def processed(path: Path, folder: Path) -> None:
    """As a worker does it."""
    out = folder / f"out-{new_id()}"
    out.mkdir()
    make_renditions(looked_at(path), out, Work(Lease(0, "try", new_id(), 1, 1)))


def refused(path: Path, folder: Path) -> str:
    """The reason for which it is not taken; it must come soon."""
    began = time.monotonic()
    with pytest.raises(SourceUnreadable) as error:
        processed(path, folder)
    assert time.monotonic() - began < SOON_S
    assert error.value.message
    return error.value.message


@pytest.mark.parametrize("kind", make.lists(0))
def test_a_list_of_other_files_is_not_followed(
    tmp_path: Path, listener: socket.socket, kind: str
) -> None:
    text = make.lists(listener.getsockname()[1])[kind]
    for name in ("video.mp4", "video.mkv"):
        refused(sent(tmp_path, text.encode(), name), tmp_path)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_nothing_and_what_is_no_film(tmp_path: Path) -> None:
    for data in (b"", b"\0" * 5000, b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"PK\3\4" * 1000):
        refused(sent(tmp_path, data), tmp_path)


def test_ten_thousand_streams(tmp_path: Path) -> None:
    refused(sent(tmp_path, make.many_streams(10_000), "video.mkv"), tmp_path)


def test_a_huge_picture_is_named(tmp_path: Path) -> None:
    reason = refused(sent(tmp_path, make.huge_picture(), "video.mkv"), tmp_path)
    assert "16384" in reason


def test_a_bomb_does_not_get_more_memory_than_there_is_for_it(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(MediaError):
        processed(sent(tmp_path, make.bomb(), "video.mkv"), tmp_path)
    assert time.monotonic() - began < 2 * SOON_S


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("frames") / "film.ivf"
    make.film(path, "-an", "-c:v", "libvpx", "-deadline", "realtime")
    return make.frames_of(path)


def test_a_bomb_among_the_subtitles_is_not_opened(tmp_path: Path, frames: list[bytes]) -> None:
    """We show captions of our own; those in a film are not even unpacked."""
    path = sent(tmp_path, make.with_subtitle_bomb(frames), "video.mkv")
    processed(path, tmp_path)
    assert looked_at(path).duration_s == pytest.approx(make.SECONDS, abs=0.2)


def test_a_bomb_as_the_cover_of_a_film_is_not_opened(tmp_path: Path, frames: list[bytes]) -> None:
    path = sent(tmp_path, make.with_cover(frames, make.png_bomb()), "video.mkv")
    processed(path, tmp_path)
    assert looked_at(path).size.width == 160


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_cut_off_at_every_kilobyte(tmp_path: Path, honest: dict[str, bytes], kind: str) -> None:
    """What is there of it is taken, if a picture is; else it is refused. Nothing hangs."""
    data = honest[kind]
    ends: list[float] = []

    def note(path: Path) -> None:
        ends.append(looked_at(path).duration_s)

    for size in range(0, len(data), 1024):
        path = sent(tmp_path, data[:size], f"video.{kind}")
        reason = failing(partial(note, path))
        assert reason != ""
    assert ends
    assert max(ends) <= make.SECONDS + 0.2


def test_a_header_that_lies_is_not_believed(tmp_path: Path, honest: dict[str, bytes]) -> None:
    path = sent(tmp_path, make.long_lie(honest["mp4"]))
    assert looked_at(path).duration_s == pytest.approx(make.SECONDS, abs=0.1)
    processed(path, tmp_path)


def test_a_frame_that_is_shown_in_a_year_is_refused(tmp_path: Path) -> None:
    late = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x96:rate=10",
        "-frames:v",
        "8",
        "-fps_mode",
        "vfr",
    ]
    late += ["-vf", "setpts=PTS+gt(N\\,5)*90000/TB", "-c:v", "libx264", str(tmp_path / "late.mkv")]
    ffmpeg.run(late, timeout_s=30)
    assert "twelve hours" in refused(tmp_path / "late.mkv", tmp_path)


@pytest.mark.parametrize(
    "name", ["-i x.mp4", "a;touch pwned;.mp4", "$(touch pwned)\n.mp4", "a%03d'[b],;c\\:.mp4"]
)
def test_names_are_only_names(tmp_path: Path, honest: dict[str, bytes], name: str) -> None:
    processed(sent(tmp_path, honest["mp4"], name), tmp_path)
    assert not list(tmp_path.rglob("pwned"))


def test_a_full_disk_is_named() -> None:
    """`/dev/full` is one, to whoever writes."""
    with pytest.raises(MediaFailed, match="disk is full"):
        ffmpeg.run(
            ["-f", "lavfi", "-i", "testsrc2=d=1", "-f", "rawvideo", "/dev/full"], timeout_s=20
        )


def test_a_program_gets_no_more_memory(tmp_path: Path) -> None:
    """A frame of 20 GB, asked for by ourselves, so that no other guard is in the way."""
    assert MAX_MEMORY < 20 * 10**9
    with pytest.raises(MediaError):
        ffmpeg.run(
            ["-f", "lavfi", "-i", "color=size=30000x30000,loop=loop=-1:size=30", "-f", "null", "-"],
            timeout_s=60,
        )


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_mutated_films(tmp_path: Path, honest: dict[str, bytes], kind: str) -> None:
    """Taken or refused with a reason; what is taken is made, or fails with a reason."""
    for seed in range(60):
        path = sent(tmp_path, make.mutated(honest[kind], seed), f"video.{kind}")
        all_of_it = seed % 10 == 0
        do = partial(processed, path, tmp_path) if all_of_it else partial(looked_at, path)
        assert failing(do) != ""


def failing(do: Callable[[], object]) -> str | None:
    """The reason for which it did not go, if it did not."""
    try:
        do()
    except MediaError as error:
        return error.message
    return None
