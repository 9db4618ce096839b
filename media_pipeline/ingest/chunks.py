"""A take as it came in: the recorder's bytes, and beside them where each chunk begins.

`chunks.bin` is exactly the stream that the recorder made, so a take can always be built again from
it; `chunks.jsonl` has one line a chunk. A chunk counts once its line is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

EARLY = 600


class ChunkLine(msgspec.Struct, frozen=True):
    """One chunk: number, bytes, capture offset on the recorder's clock, arrival on ours."""

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
        for line, end in _whole_lines(folder / "chunks.jsonl"):
            if len(self.early) < EARLY:
                self.early.append(line)
            self.next, self.size, lines_end = line.n + 1, self.size + line.bytes, end
        self._bytes = _opened(folder / "chunks.bin", self.size)
        self._lines = _opened(folder / "chunks.jsonl", lines_end)
        self._lines_end = lines_end

    def append(self, payload: bytes, offset_ms: float, at: datetime) -> int:
        """Write the next chunk through to the disk; the number of the one after it.

        Raises `OSError` for a disk that is full; the next try writes over what is half there.
        """
        line = msgspec.json.encode(ChunkLine(self.next, len(payload), offset_ms, at)) + b"\n"
        _write_through(self._bytes, payload, self.size)
        _write_through(self._lines, line, self._lines_end)
        self._lines_end += len(line)
        self.next += 1
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


def _whole_lines(path: Path) -> Iterator[tuple[ChunkLine, int]]:
    """Every complete line in the file, with the byte at which it ends."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for text in file:
            if not text.endswith(b"\n"):
                return
            end += len(text)
            yield msgspec.json.decode(text, type=ChunkLine), end


def _opened(path: Path, size: int) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.ftruncate(handle, size)
    return handle


def _write_through(handle: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
    os.fdatasync(handle)
