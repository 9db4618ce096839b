"""A take as it came in: the recorder's bytes, and beside them where each chunk begins.

`chunks.bin` is exactly the stream that the recorder made, so a take can always be built again from
it; `chunks.jsonl` has one line a chunk. A chunk counts once its line is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

EARLY = 600


@dataclass(frozen=True, slots=True)
class Chunk:
    """As a camera sends it; `offset_ms` is when the recorder gave it, on the recorder's clock."""

    number: int
    offset_ms: float
    payload: bytes


def following(chunks: Sequence[Chunk], number: int) -> tuple[list[Chunk], bool]:
    """Those that go on from `number`, and whether none is missing between them."""
    new: list[Chunk] = []
    for chunk in chunks:
        if chunk.number > number + len(new):
            return new, False
        if chunk.number == number + len(new):
            new.append(chunk)
    return new, True


class ChunkLine(msgspec.Struct, frozen=True):
    """One chunk: number, bytes, capture offset on the recorder's clock, arrival on ours.

    Of what came late, `at` is when it would have come, by what its phone says of its age.
    """

    n: int
    bytes: int
    offset_ms: float
    at: datetime


class ChunkFile:
    """The chunks of one take on disk. Every call blocks: use it from a thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the take's files, and cut off what a crash left half written."""
        folder.mkdir(parents=True, exist_ok=True)
        self.next, self.size = 0, 0
        self.early: list[ChunkLine] = []
        """The first chunks of an earlier process: they tell when the take began."""
        lines_end = 0
        for line, end in _whole_lines(folder):
            if len(self.early) < EARLY:
                self.early.append(line)
            self.next, self.size, lines_end = line.n + 1, self.size + line.bytes, end
        self._bytes = _opened(folder / "chunks.bin", self.size)
        self._lines = _opened(folder / "chunks.jsonl", lines_end)
        self._lines_end = lines_end

    def append(self, chunks: Sequence[Chunk], at: datetime) -> int:
        """Write the next chunks, which came at `at`, through to the disk; the number after them.

        Raises as `append_each`.
        """
        return self.append_each([(one, at) for one in chunks])

    def append_each(self, chunks: Sequence[tuple[Chunk, datetime]]) -> int:
        """The same, where each has a time of its own.

        However many they are, the disk is waited for twice: a phone that was away sends hundreds.
        Raises `OSError` for a disk that is full: none of them is there then, and they may be given
        again.
        """
        lines = b"".join(
            msgspec.json.encode(ChunkLine(one.number, len(one.payload), one.offset_ms, at)) + b"\n"
            for one, at in chunks
        )
        payload = b"".join(one.payload for one, _at in chunks)
        _write_through(self._bytes, payload, self.size)
        _write_through(self._lines, lines, self._lines_end)
        self._lines_end += len(lines)
        self.next += len(chunks)
        self.size += len(payload)
        return self.next

    def read(self, at: int, limit: int) -> bytes:
        """Up to `limit` bytes of whole chunks' bytes from byte `at`; empty at the end."""
        return os.pread(self._bytes, min(limit, self.size - at), at)

    def close(self) -> None:
        os.close(self._bytes)
        os.close(self._lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _whole_lines(folder: Path) -> Iterator[tuple[ChunkLine, int]]:
    """Every line of a chunk that is whole, with the byte at which the line ends.

    A power failure may leave a line without the one before it, or parts of several.
    """
    path, stream = folder / "chunks.jsonl", folder / "chunks.bin"
    if not path.exists() or not stream.exists():
        return
    end, number, left = 0, 0, stream.stat().st_size
    with path.open("rb") as file:
        for text in file:
            line = _line(text)
            if line is None or line.n != number or line.bytes > left:
                return
            end, number, left = end + len(text), number + 1, left - line.bytes
            yield line, end


def _line(text: bytes) -> ChunkLine | None:
    try:
        return msgspec.json.decode(text, type=ChunkLine) if text.endswith(b"\n") else None
    except msgspec.DecodeError:
        return None


def _opened(path: Path, size: int) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.ftruncate(handle, size)
    return handle


def _write_through(handle: int, data: bytes, at: int) -> None:
    """All of it, or nothing from byte `at` on."""
    view, to = memoryview(data), at
    try:
        while view:
            written = os.pwrite(handle, view, to)
            view, to = view[written:], to + written
        os.fdatasync(handle)
    except OSError:
        os.ftruncate(handle, at)
        raise
