"""Where the files of a take and of a show's recording lie in the storage."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from media_pipeline.ingest.segmenter import PLAYLIST
from media_pipeline.playlists import (
    Segment,
    TakeSegments,
    Timeline,
    parse_segments,
    playlists,
    replay_playlist,
)
from media_pipeline.storage import NoSuchFile, storage, visibility

LIVE = "live.m3u8"
REPLAY = "replay.m3u8"
MASTER = "master.m3u8"
POSTER = "poster.jpg"
FRESH = 120
"""So many segments may be empty after a power failure: the disk had not got them yet."""


def recording_key(recording_id: uuid.UUID, *, is_public: bool) -> str:
    """The key of a recording's folder."""
    return f"{visibility(is_public)}/recordings/{recording_id}"


def chunks_folder(take_id: uuid.UUID) -> Path:
    """Where a take is kept as it came in."""
    return storage().path(f"private/takes/{take_id}")


def recording_folder(key: str) -> Path:
    return storage().path(key)


def segments_on_disk(folder: Path) -> tuple[Segment, ...]:
    """What of a take can be played: the segments listed, up to the first that is not there."""
    try:
        listed = parse_segments((folder / PLAYLIST).read_text())
    except FileNotFoundError:
        return ()
    return listed[: _whole(folder, listed)]


def segments_stored(key: str) -> tuple[Segment, ...]:
    """What the list of a take names, wherever the storage has it: it is complete."""
    try:
        return parse_segments(storage().read(f"{key}/{PLAYLIST}").decode())
    except NoSuchFile:
        return ()


def _whole(folder: Path, listed: Sequence[Segment]) -> int:
    """How many are there. One look at the folder: a day's take has eighty thousand files."""
    there = set(os.listdir(folder))
    newest = len(listed) - FRESH
    for number, segment in enumerate(listed):
        is_there = segment.name in there
        if not is_there or (number >= newest and not (folder / segment.name).stat().st_size):
            return number
    return len(listed)


def write_playlists(folder: Path, takes: Sequence[TakeSegments], *, ended: bool) -> None:
    """Compose the show's playlists anew; a reader sees the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    live, replay = playlists(takes, ended=ended)
    _replace(folder / REPLAY, replay)
    _replace(folder / LIVE, live)


class Shown:
    """The playlists of a running show, take after take. Every call blocks."""

    def __init__(self, folder: Path, earlier: Sequence[TakeSegments]) -> None:
        self._folder = folder
        self._earlier = list(earlier)
        self._last: TakeSegments | None = None
        self._timeline = Timeline(earlier)
        self._head = ""
        self._size = -1

    def show(self, take: TakeSegments) -> None:
        """The take as it is now. A reader sees the old playlists or the new ones."""
        if self._last is not None and self._last.folder != take.folder:
            self._earlier.append(self._last)
        self._last = take
        path, lines = self._folder / REPLAY, self._timeline.grow(take)
        head = self._timeline.replay_head(ended=False)
        if head == self._head and _size(path) == self._size:
            if lines:
                self._append(path, f"{lines}\n")
        else:
            self._size = -1
            _replace(path, replay_playlist([*self._earlier, take], ended=False))
        self._head, self._size = head, _size(path)
        _replace(self._folder / LIVE, self._timeline.live())

    def _append(self, path: Path, lines: str) -> None:
        """Written anew with every segment, it would cost more every second of a long show."""
        before, self._size = self._size, -1  # where this fails it is written anew the next time
        with path.open("r+b", buffering=0) as file:
            file.seek(before)
            file.write(lines.encode())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _replace(path: Path, text: str) -> None:
    """Not written through to the disk: after a crash it is composed again from the takes."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)
