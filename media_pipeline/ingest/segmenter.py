"""Parts become the segments of a take: files of about a second that every player can fetch.

A file is there whole or not at all, is listed only after that, and never changes once it is
listed: viewers and CDNs may have it. Every call blocks; use one thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from media_pipeline.ingest.boxes import BadBoxes, Init, Run, boxes, read_init, read_run
from media_pipeline.ingest.grouping import Piece
from media_pipeline.playlists import Segment, listing, parse_segments

PLAYLIST = "take.m3u8"
INIT = "init.mp4"
# Below the key frame interval by a hair: a key frame that a recorder's clock puts at 0.999 s must
# not make the segment two seconds long.
CUT_AFTER_S = 0.9
HEAD = f"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:7
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MAP:URI="{INIT}"
"""
END = "#EXT-X-ENDLIST\n"
LONGEST_S = 6.0
"""Where key frames are so rare a segment ends without one: viewers would otherwise wait for it."""
STILL_S = 0.5
"""The picture stands still where the sound goes on for longer: its last frames always reach on."""


class InitChanged(Exception):
    """The encoder made another head than the one that the take's segments belong to."""


class Segmenter:
    """The segments of one take in its folder, which exists. What is there is continued."""

    def __init__(self, folder: Path) -> None:
        self.segments: list[Segment] = []
        self.start_s: float | None = None
        """Where the first segment begins on the stream's own clock."""
        self.end_s: float | None = None
        """Where the last one ends. That was a guess if it was the take's last until then."""
        self.last_s: float | None = None
        """When the last picture in them begins: what follows it is not there yet."""
        self.folder = folder
        self._init: bytes | None = None
        self._waiting: list[Piece] = []
        self._listed_bytes = 0
        self._take_up()

    @property
    def duration_s(self) -> float:
        """Seconds in segments."""
        if self.start_s is None or self.end_s is None:
            return 0.0
        return self.end_s - self.start_s

    def begin(self, init: Init) -> None:
        """The head of what follows; raises `InitChanged`.

        Parts that did not become a segment are forgotten: they will come again.
        """
        self._waiting.clear()
        if self._init is None:
            _write_whole(self.folder / INIT, init.data)
            self._init = init.data
        elif self._init != init.data:
            raise InitChanged

    def add(self, part: Piece) -> bool:
        """Take the next part; whether it ended a segment.

        Raises `OSError` for a disk that is full: nothing has changed then, and the same part may
        be given again.
        """
        done = bool(self._waiting) and self._is_over(part)
        if done:
            self._write(part.start_s)
        self._waiting.append(part)
        return done

    def finish(self) -> bool:
        """No more will come: the rest is a segment too, if there is any; `OSError` as in `add`."""
        end_s = self._rest_ends_at_s() if self._waiting else 0.0
        has_more = bool(self._waiting) and end_s > self._waiting[0].start_s
        if has_more:
            self._write(end_s)
        if self.segments:
            self._append(END.encode())
        return has_more

    def _rest_ends_at_s(self) -> float:
        """Where the picture does, or the sound if that goes on for long without one."""
        end_s = self._waiting[-1].end_s
        tracks = read_init(self._init).tracks if self._init else ()
        moofs = [moof for part in self._waiting for moof in _moofs(part.data)]
        runs = [read_run(moof, track) for moof in moofs for track in tracks if not track.is_video]
        sound_s = max((run.end_s for run in runs if run is not None), default=0.0)
        return sound_s if sound_s > end_s + STILL_S else end_s

    def _is_over(self, following: Piece) -> bool:
        waited_s = following.start_s - self._waiting[0].start_s
        return waited_s >= (CUT_AFTER_S if following.is_key else LONGEST_S)

    def _write(self, end_s: float) -> None:
        first = self._waiting[0]
        name = f"{len(self.segments):05d}.m4s"
        segment = Segment(name, end_s - first.start_s, starts_with_key=first.is_key)
        ends = [*(part.start_s for part in self._waiting[1:]), end_s]
        data = [part.followed_at(at) for part, at in zip(self._waiting, ends, strict=True)]
        _write_whole(self.folder / name, b"".join(data))
        self._list(segment)
        self.segments.append(segment)
        self.start_s = first.start_s if self.start_s is None else self.start_s
        self.end_s, self.last_s = end_s, self._waiting[-1].last_s
        self._waiting.clear()

    def _list(self, segment: Segment) -> None:
        """Appended, since writing all of it every second would cost more and more."""
        line = (listing(segment) if self.segments else HEAD + listing(segment)).encode()
        self._append(line)
        self._listed_bytes += len(line)

    def _append(self, line: bytes) -> None:
        handle = os.open(self.folder / PLAYLIST, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(handle, self._listed_bytes)
            _write_all(handle, line, self._listed_bytes)
        finally:
            os.close(handle)

    def _take_up(self) -> None:
        """Find what an earlier process has left, up to the first segment that is not whole."""
        try:
            text = (self.folder / PLAYLIST).read_text()
            self._init = (self.folder / INIT).read_bytes()
            init = read_init(self._init)
        except (FileNotFoundError, BadBoxes):
            self._init = None
            return
        self.segments = list(parse_segments(text))
        while self.segments and not (runs := self._runs(self.segments[-1], init)):
            self.segments.pop()
        if not self.segments:
            return
        # As it was cut: its last picture lasts until the next, however long that took to come.
        self.end_s = runs[0].start_s + self.segments[-1].duration_s
        self.last_s = runs[-1].start_s
        first = self._runs(self.segments[0], init)
        self.start_s = first[0].start_s if first else 0.0
        self._listed_bytes = _end_of(text, self.segments[-1].name)

    def _runs(self, segment: Segment, init: Init) -> list[Run]:
        """The pictures of a segment on disk; none if it is not whole."""
        try:
            data = (self.folder / segment.name).read_bytes()
            if sum(len(content) + 8 for _kind, content in boxes(data)) != len(data):
                return []
            return [run for moof in _moofs(data) if (run := read_run(moof, init.main))]
        except (FileNotFoundError, BadBoxes):
            return []


def _moofs(data: bytes) -> Iterator[bytes]:
    return (bytes(8) + content for kind, content in boxes(data) if kind == b"moof")


def _end_of(text: str, name: str) -> int:
    """The bytes of a playlist up to the line with this name."""
    return len(text[: text.rindex(f"\n{name}\n") + len(name) + 2].encode())


def _write_whole(path: Path, data: bytes) -> None:
    """The file appears with all of its bytes, or does not."""
    new = path.with_name(f".new-{path.name}")
    try:
        with new.open("wb", buffering=0) as file:
            _write_all(file.fileno(), data, 0)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _write_all(handle: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
