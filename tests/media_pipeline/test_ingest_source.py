"""What a stream is, told from its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_pipeline.ingest.errors import NoVideo, Unreadable
from media_pipeline.ingest.recipe import live_command
from media_pipeline.ingest.source import EBML, HEAD_LIMIT, Source, recognise
from tests.films import AAC, H264, draw


def first_recognised(stream: bytes) -> tuple[Source, int]:
    """The source, and how many bytes it took to know it."""
    for size in range(0, len(stream) + 64, 64):
        if source := recognise(stream[:size]):
            return source, size
    raise AssertionError("never recognised")


def test_a_recorders_h264_is_known_from_its_header_and_copied(recorder_film: Path) -> None:
    source, size = first_recognised(recorder_film.read_bytes())
    assert source == Source("matroska", "h264")
    assert size < 2000
    assert "copy" in live_command(source)


def test_vp8_is_known_and_encoded(vp8_film: Path) -> None:
    source, _size = first_recognised(vp8_film.read_bytes())
    assert source == Source("matroska", "vp8")
    line = " ".join(live_command(source))
    assert "libx264 -preset veryfast -tune zerolatency" in line
    assert "-force_key_frames expr:gte(t,if(isnan(prev_forced_t)" in line


def test_a_fragmented_mp4_is_known(tmp_path: Path) -> None:
    flags = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
    path = draw(tmp_path / "phone.mp4", *H264, *AAC, *flags, duration_s=1)
    source, _size = first_recognised(path.read_bytes())
    assert source == Source("mp4", "h264")


def test_an_mp4_whose_description_comes_last_cannot_be_live(film: Path) -> None:
    with pytest.raises(Unreadable):
        first_recognised(film.read_bytes())


def test_sound_alone_is_no_video(sound: Path) -> None:
    with pytest.raises(NoVideo):
        recognise(sound.read_bytes())


@pytest.mark.parametrize(
    "garbage",
    [b"GIF89a" + bytes(64), b"#EXTM3U\n" + b"file:///etc/passwd\n" * 4, bytes(64), b"RIFF" * 16],
)
def test_what_is_no_recorders_stream_is_unreadable(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        recognise(garbage)


def test_a_header_without_end_is_not_waited_for(tmp_path: Path) -> None:
    assert recognise(EBML + bytes(1000)) is None
    with pytest.raises(Unreadable):
        recognise(EBML + bytes(HEAD_LIMIT))


def test_a_few_bytes_say_nothing_yet() -> None:
    assert recognise(b"") is None
    assert recognise(EBML) is None
