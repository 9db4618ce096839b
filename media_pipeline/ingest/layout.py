"""Where the files of a take and of a show's recording lie in the storage."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from media_pipeline.ingest.recipe import PLAYLIST
from media_pipeline.playlists import (
    Segment,
    TakeSegments,
    live_playlist,
    parse_segments,
    replay_playlist,
)
from media_pipeline.storage import storage, visibility

LIVE = "live.m3u8"
REPLAY = "replay.m3u8"
MASTER = "master.m3u8"
POSTER = "poster.jpg"


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


def _whole(folder: Path, listed: Sequence[Segment]) -> int:
    for number, segment in enumerate(listed):
        path = folder / segment.name
        if not path.is_file() or not path.stat().st_size:
            return number
    return len(listed)


def write_playlists(folder: Path, takes: Sequence[TakeSegments], *, ended: bool) -> None:
    """Compose the show's playlists anew; a reader sees the old ones or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / REPLAY, replay_playlist(takes, ended=ended))
    _replace(folder / LIVE, live_playlist(takes, ended=ended))


def _replace(path: Path, text: str) -> None:
    """Not written through to the disk: after a crash it is composed again from the takes."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)
