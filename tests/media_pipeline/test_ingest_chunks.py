"""A take on disk: what was acknowledged is there, whatever happened to the process."""

from __future__ import annotations

import json
import resource
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import pytest

from media_pipeline.ingest.chunks import Chunk, ChunkFile

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def append(chunks: ChunkFile, *payloads: bytes) -> int:
    several = enumerate(payloads, chunks.next)
    return chunks.append([Chunk(number, number * 100.0, one) for number, one in several], AT)


def filled(folder: Path, *payloads: bytes) -> None:
    with ChunkFile(folder) as chunks:
        for number, payload in enumerate(payloads):
            assert append(chunks, payload) == number + 1


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
        append(chunks, b"three")
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
        append(chunks, b"again")
    assert (tmp_path / "chunks.bin").read_bytes() == b"onetwoagain"
    assert len((tmp_path / "chunks.jsonl").read_text().splitlines()) == 3


PIECES = (b"one", b"and two", b"three", b"and four")


@pytest.mark.parametrize("torn", ["chunks.bin", "chunks.jsonl"])
def test_of_chunks_that_were_stored_together_those_count_that_are_whole(
    tmp_path: Path, torn: str
) -> None:
    """Whatever byte a crash cuts a file at; what is sent again after that is there once."""
    with ChunkFile(tmp_path) as chunks:
        append(chunks, PIECES[0])
        assert append(chunks, *PIECES[1:]) == 4
    files = {name: (tmp_path / name).read_bytes() for name in ("chunks.bin", "chunks.jsonl")}
    ends = [0, *accumulate(len(one) for one in PIECES)]
    lines = [0, *accumulate(len(one) for one in files["chunks.jsonl"].splitlines(keepends=True))]
    whole_at = ends if torn == "chunks.bin" else lines
    for cut in range(len(files[torn]) + 1):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content[:cut] if name == torn else content)
        with ChunkFile(tmp_path) as chunks:
            assert chunks.next == bisect_right(whole_at, cut) - 1
            assert chunks.size == ends[chunks.next]
            append(chunks, *PIECES[chunks.next :])
        assert {name: (tmp_path / name).read_bytes() for name in files} == files


def test_a_line_that_a_power_failure_left_behind_a_hole_does_not_count(tmp_path: Path) -> None:
    filled(tmp_path, *PIECES)
    lines = (tmp_path / "chunks.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "chunks.jsonl").write_bytes(lines[0] + bytes(len(lines[1])) + b"".join(lines[2:]))
    with ChunkFile(tmp_path) as chunks:
        assert chunks.next == 1
    (tmp_path / "chunks.jsonl").write_bytes(lines[0] + lines[2])
    with ChunkFile(tmp_path) as chunks:
        assert chunks.next == 1


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
            append(chunks, b"one two three")
        assert (chunks.next, chunks.size) == (0, 0)
        append(chunks, b"one two three")
        append(chunks, b"four")
        assert chunks.read(0, 100) == b"one two threefour"
    with ChunkFile(tmp_path) as chunks:
        assert (chunks.next, chunks.size) == (2, 17)


def test_only_its_owner_may_read_what_came_in(tmp_path: Path) -> None:
    filled(tmp_path, b"one")
    assert (tmp_path / "chunks.bin").stat().st_mode & 0o077 == 0
