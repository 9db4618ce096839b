"""Streams that no phone should send, each of which some phone does."""

from __future__ import annotations

import os
import signal
import struct
from pathlib import Path

import pytest

from media_pipeline.ingest.errors import IngestRefused, PictureTooBig, Unreadable
from tests.films import AAC, H264, VP8, draw
from tests.media_pipeline.test_ingest_takes import Filming, packets, whole_take, worst_psnr
from tests.realtime import until

pytestmark = pytest.mark.ffmpeg

LIVE = ["-live", "1", "-cluster_time_limit", "200"]
EDITED = ["-movflags", "frag_keyframe+delay_moov+default_base_moof", "-use_editlist", "1"]
RARE = ["-g", "9999", "-an"]
# RFC 6386, 9.1: the start code of a key frame, then its width and height.
VP8_KEY, SMALL, EIGHT_K = (
    b"\x9d\x01\x2a",
    struct.pack("<HH", 320, 180),
    struct.pack("<HH", 7680, 4320),
)


def read(film: Path) -> bytes:
    return film.read_bytes()


async def filmed(folder: Path, film: Path) -> tuple[Filming, IngestRefused | None]:
    filming = Filming(folder)
    await filming.film(read(film))
    return filming, await filming.end()


async def test_a_single_picture_is_a_recording_of_a_moment(tmp_path: Path) -> None:
    film = draw(tmp_path / "one.mkv", *H264, "-an", "-frames:v", "1", *LIVE, duration_s=1)
    filming, why = await filmed(tmp_path, film)
    assert why is None
    assert filming.take.duration_s == pytest.approx(1 / 30, abs=0.002)
    assert len(packets(whole_take(tmp_path))) == 1


async def test_a_picture_stands_still_as_long_as_the_sound_goes_on(tmp_path: Path) -> None:
    still = ["-vf", r"trim=end=5,select=eq(n\,0)", "-fps_mode", "vfr"]
    film = draw(tmp_path / "still.mkv", *H264, *AAC, *still, *LIVE, duration_s=5)
    filming, why = await filmed(tmp_path, film)
    assert why is None
    assert filming.take.duration_s == pytest.approx(5, abs=0.1)


async def test_a_picture_that_is_promised_and_never_comes_is_no_video(tmp_path: Path) -> None:
    never = ["-vf", "trim=end=5,select=0", "-fps_mode", "vfr"]
    film = draw(tmp_path / "never.mkv", *H264, *AAC, *never, *LIVE, duration_s=5)
    filming, why = await filmed(tmp_path, film)
    assert isinstance(why, Unreadable)
    assert not filming.take.segments


@pytest.mark.parametrize("edit", [["-bf", "2"], ["-output_ts_offset", "3"]])
async def test_an_mp4_whose_edit_list_moves_its_times(tmp_path: Path, edit: list[str]) -> None:
    film = draw(tmp_path / "edited.mp4", *H264, *AAC, *edit, *EDITED, duration_s=3)
    assert b"elst" in read(film)
    filming, why = await filmed(tmp_path, film)
    assert why is None
    assert filming.take.duration_s == pytest.approx(3, abs=0.1)
    shown = sorted(at for at, _end in packets(whole_take(tmp_path)))
    assert shown == pytest.approx([shown[0] + n / 30 for n in range(90)], abs=0.002)


@pytest.mark.parametrize("codecs", [H264, VP8])
async def test_rare_key_frames_and_a_killed_encoder(tmp_path: Path, codecs: list[str]) -> None:
    film = draw(tmp_path / "rare.mkv", *codecs, *RARE, *LIVE, duration_s=9)
    stream, filming = read(film), Filming(tmp_path)
    await filming.film(stream[: len(stream) * 4 // 5])
    await until(lambda: len(filming.take.segments) > 0)
    assert filming.take.encoder is not None
    os.kill(filming.take.encoder.pid, signal.SIGKILL)
    await filming.film(stream[len(stream) * 4 // 5 :])
    assert await filming.end() is None
    whole = whole_take(tmp_path)
    shown = [at for at, _end in packets(whole)]
    assert shown == pytest.approx([n / 30 for n in range(270)], abs=0.002)
    assert worst_psnr(whole, film) > 30


async def test_8k_that_has_to_be_encoded_is_refused(tmp_path: Path, vp8_film: Path) -> None:
    film = read(vp8_film)
    filming = Filming(tmp_path)
    await filming.film(film.replace(VP8_KEY + SMALL, VP8_KEY + EIGHT_K))
    assert isinstance(await filming.end(), PictureTooBig)
    assert not filming.take.segments
