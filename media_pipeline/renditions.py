"""Making the files: one function per kind of output, each checked before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_pipeline import recipes
from media_pipeline.probe import Probe
from media_pipeline.recipes import Part, RenditionPlan, Size, Variant
from media_pipeline.work import Wanted, Work, checked

DOWNLOAD, MASTER, POSTER, CLIP = "recording.mp4", "master.m3u8", "poster.jpg", "clip.mp4"
PLAYLIST, MEDIA = "video.m3u8", "video.m4s"
POSTER_SIDE = 720
# Not the first moment, when the host is still putting the phone down.
POSTER_AT_S = 3.0


@dataclass(frozen=True, slots=True)
class Made:
    """A finished form of an asset, with its path relative to the asset's folder."""

    name: str
    path: str
    size: Size
    fps: float
    codecs: str
    peak_bits_per_second: int
    average_bits_per_second: int
    duration_s: float


def size_of(found: Probe) -> Size:
    return Size(found.picture.width, found.picture.height)


def make_download(parts: Sequence[tuple[Part, Probe]], folder: Path, work: Work) -> Probe:
    """`recording.mp4`: the take's own streams, or several takes encoded on one timeline."""
    duration_s = sum(part.duration_s for part, _found in parts)
    (first, found), output = parts[0], folder / DOWNLOAD
    size = Size(recipes.even(found.picture.width), recipes.even(found.picture.height))
    if len(parts) == 1:
        args = recipes.remux(first, output)
    else:
        fps = recipes.usual_fps(found.picture.fps)
        args = recipes.whole([part for part, _found in parts], size, fps, output)
    work.run(args, output_s=duration_s, until=0.05 if len(parts) == 1 else 0.4)
    return checked(output, Wanted("h264", size, duration_s, "aac"))


def make_renditions(download: Path, found: Probe, folder: Path, work: Work) -> list[Made]:
    """The HLS renditions and, when all of them are right, the master playlist."""
    plans = recipes.ladder(size_of(found), found.picture.fps)
    for plan in plans:
        (folder / plan.name).mkdir()
    source = Part(download, 0.0, found.duration_s, has_audio=True)
    work.run(recipes.renditions(source, plans, folder), output_s=found.duration_s, until=0.95)
    made = [_made_rendition(folder, plan, found.duration_s) for plan in plans]
    (folder / MASTER).write_text(recipes.master_playlist([_variant(one) for one in made]))
    return made


def make_clip_file(
    parts: Sequence[tuple[Part, Probe]], folder: Path, work: Work
) -> tuple[Made, Probe]:
    """`clip.mp4`: the middle of the picture, upright."""
    duration_s = sum(part.duration_s for part, _found in parts)
    found, output = parts[0][1], folder / CLIP
    size, fps = recipes.vertical(size_of(found)), recipes.usual_fps(found.picture.fps)
    args = recipes.clip([part for part, _found in parts], size, fps, output)
    work.run(args, output_s=duration_s, until=0.95)
    seen = checked(output, Wanted("h264", size, duration_s, "aac"))
    rate = round(output.stat().st_size * 8 / seen.duration_s)
    made = Made("clip", CLIP, size, fps, _codecs(seen), rate, rate, seen.duration_s)
    return made, seen


def make_poster(source: Path, found: Probe, folder: Path, work: Work) -> Path:
    """`poster.jpg`: a typical frame, 720 pixels on its short side at most."""
    size, output = recipes.fitted(size_of(found), POSTER_SIDE), folder / POSTER
    at_s = min(POSTER_AT_S, found.duration_s / 3)
    work.run(recipes.poster(source, at_s, size, output), output_s=1, until=0.98)
    checked(output, Wanted("mjpeg", size))
    return output


def segment_rates(playlist: str) -> list[float]:
    """Bits per second of each segment of a byte-range playlist."""
    rates: list[float] = []
    duration_s = 0.0
    for line in playlist.splitlines():
        if line.startswith("#EXTINF:"):
            duration_s = float(line.removeprefix("#EXTINF:").partition(",")[0])
        elif line.startswith("#EXT-X-BYTERANGE:") and duration_s > 0:
            size = int(line.removeprefix("#EXT-X-BYTERANGE:").partition("@")[0])
            rates.append(size * 8 / duration_s)
    return rates


def _made_rendition(folder: Path, plan: RenditionPlan, duration_s: float) -> Made:
    playlist, media = folder / plan.name / PLAYLIST, folder / plan.name / MEDIA
    seen = checked(playlist, Wanted("h264", plan.size, duration_s, "aac"))
    return Made(
        name=plan.name,
        path=f"{plan.name}/{PLAYLIST}",
        size=plan.size,
        fps=plan.fps,
        codecs=_codecs(seen),
        peak_bits_per_second=round(max(segment_rates(playlist.read_text()))),
        average_bits_per_second=round(media.stat().st_size * 8 / seen.duration_s),
        duration_s=seen.duration_s,
    )


def _variant(made: Made) -> Variant:
    return Variant(
        uri=made.path,
        size=made.size,
        fps=made.fps,
        codecs=made.codecs,
        peak_bits_per_second=made.peak_bits_per_second,
        average_bits_per_second=made.average_bits_per_second,
    )


def _codecs(seen: Probe) -> str:
    """`mp4a.40.2` is AAC-LC, the only audio that the recipes make."""
    return f"{seen.picture.codec_string},mp4a.40.2"
