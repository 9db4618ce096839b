"""The takes of a recording as files that ffmpeg can read.

A take is stored as `init.mp4` and numbered fragments. Put one after the other they are a valid
fragmented MP4, so the part of a recording between two times is a copy of bytes, not an encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media_pipeline.ingest import layout
from media_pipeline.models import Recording
from media_pipeline.playlists import Segment
from media_pipeline.probe import Probe, probe
from media_pipeline.recipes import Part
from media_pipeline.services.takes import playable_takes
from media_pipeline.storage import storage

# Less than a frame: what rounding leaves over at the edge of a segment.
CRUMB_S = 0.02


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive segments of one take, from `start_s` on the recording's timeline."""

    folder: str
    start_s: float
    segments: tuple[Segment, ...]

    @property
    def end_s(self) -> float:
        return self.start_s + sum(segment.duration_s for segment in self.segments)

    def between(self, start_s: float, end_s: float) -> Stretch | None:
        """The fewest segments that hold everything from `start_s` to `end_s`, if any do."""
        at_s, first_s, held = self.start_s, self.start_s, list[Segment]()
        for segment in self.segments:
            after_s = at_s + segment.duration_s
            if after_s > start_s + CRUMB_S and at_s < end_s - CRUMB_S:
                first_s = first_s if held else at_s
                held.append(segment)
            at_s = after_s
        return Stretch(self.folder, first_s, tuple(held)) if held else None


def recording_folder(recording: Recording) -> str:
    """Where everything of a recording is stored."""
    return layout.recording_key(recording.public_id, is_public=recording.is_public)


def stretches(recording: Recording) -> list[Stretch]:
    """What was filmed, take by take, on the recording's timeline."""
    found: list[Stretch] = []
    for take in playable_takes(recording):
        folder = f"{recording_folder(recording)}/{take.folder}"
        found.append(Stretch(folder, found[-1].end_s if found else 0.0, take.segments))
    return found


def parts_between(
    recording: Recording, start_s: float, end_s: float, folder: Path
) -> list[tuple[Part, Probe]]:
    """Files in `folder` that hold the recording from `start_s` to `end_s`, with what they hold.

    Raises `SourceUnreadable` for a damaged take and `NoSuchFile` for a lost one.
    """
    wanted = (stretch.between(start_s, end_s) for stretch in stretches(recording))
    held = [stretch for stretch in wanted if stretch]
    return [
        _part(stretch, start_s, end_s, folder / f"part-{number}.mp4")
        for number, stretch in enumerate(held)
    ]


def _part(stretch: Stretch, start_s: float, end_s: float, path: Path) -> tuple[Part, Probe]:
    with path.open("wb") as file:
        for name in _names(stretch):
            file.write(storage().read(f"{stretch.folder}/{name}"))
    found = probe(path)
    from_s = max(start_s, stretch.start_s)
    # ffmpeg counts from the earliest stream; players count from the first picture.
    lead_s = max(0.0, found.picture.start_s - found.start_s)
    part = Part(
        path=path,
        start_s=from_s - stretch.start_s + lead_s,
        duration_s=min(end_s, stretch.end_s) - from_s,
        has_audio=found.audio is not None,
        is_mono=found.has_mono_sound,
    )
    return part, found


def _names(stretch: Stretch) -> Iterator[str]:
    yield "init.mp4"
    yield from (segment.name for segment in stretch.segments)
