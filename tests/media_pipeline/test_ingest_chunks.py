"""A take on disk: what was acknowledged is there, whatever happened to the process."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from media_pipeline.ingest.chunks import ChunkFile

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def filled(folder: Path, *payloads: bytes) -> None:
    with ChunkFile(folder) as chunks:
        for number, payload in enumerate(payloads):
            assert chunks.append(payload, number * 100.0, AT) == number + 1


def test_chunks_make_the_recorders_stream(tmp_path: Path) -> None:
    filled(tmp_path, b"one", b"two", b"three")
    assert (tmp_path / "chunks.bin").read_bytes() == b"onetwothree"
    lines = [json.loads(line) for line in (tmp_path / "chunks.jsonl").read_text().splitlines()]
    assert [(line["n"], line["bytes"], line["offset_ms"]) for line in lines] == [
        (0, 3, 0.0),
        (1, 3, 100.0),
        (2, 5, 200.0),
    ]


def test_a_take_goes_on_where_it_was(tmp_path: Path) -> None:
    filled(tmp_path, b"one", b"two")
    with ChunkFile(tmp_path) as chunks:
        assert (chunks.next, chunks.size) == (2, 6)
        chunks.append(b"three", 200.0, AT)
        assert chunks.read(0, 100) == b"onetwothree"
        assert chunks.read(3, 4) == b"twot"
        assert chunks.read(11, 100) == b""


@pytest.mark.parametrize("torn", [b'{"n":2,"byt', b'{"n":2,"bytes":9,"offset_ms":1.0}'])
def test_a_line_that_a_crash_left_half_written_was_never_acknowledged(
    tmp_path: Path, torn: bytes
) -> None:
    filled(tmp_path, b"one", b"two")
    with (tmp_path / "chunks.bin").open("ab") as file:
        file.write(b"half of a chu")
    with (tmp_path / "chunks.jsonl").open("ab") as file:
        file.write(torn)
    with ChunkFile(tmp_path) as chunks:
        assert (chunks.next, chunks.size) == (2, 6)
        chunks.append(b"again", 200.0, AT)
    assert (tmp_path / "chunks.bin").read_bytes() == b"onetwoagain"
    assert len((tmp_path / "chunks.jsonl").read_text().splitlines()) == 3


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """A disk on which files cannot grow any more, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [8, 40])  # not for the bytes; for them, but not for their line
def test_a_chunk_that_a_full_disk_cut_short_can_be_sent_again(tmp_path: Path, room: int) -> None:
    with ChunkFile(tmp_path) as chunks:
        with no_file_above(room), pytest.raises(OSError, match="too large"):
            chunks.append(b"one two three", 0.0, AT)
        assert (chunks.next, chunks.size) == (0, 0)
        chunks.append(b"one two three", 0.0, AT)
        chunks.append(b"four", 100.0, AT)
        assert chunks.read(0, 100) == b"one two threefour"
    with ChunkFile(tmp_path) as chunks:
        assert (chunks.next, chunks.size) == (2, 17)


def test_only_its_owner_may_read_what_came_in(tmp_path: Path) -> None:
    filled(tmp_path, b"one")
    assert (tmp_path / "chunks.bin").stat().st_mode & 0o077 == 0
