"""How media is made: pure functions from typed settings to ffmpeg's arguments.

ffmpeg-python builds the graph. Nothing here touches a file. Sizes are in pixels and even, since
4:2:0 pictures have no odd ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg as graph

# Rises when outputs change, so that what an older recipe made can be told apart.
VERSION = 4
TOP_LINES = 720
LOWER_LINES = (360, 240, 160, 120)
GOP_S = 2
MAX_FPS = 30
FPS_SLACK = 1.02
AUDIO_BITS_PER_SECOND, MONO_BITS_PER_SECOND = 96_000, 64_000
# Of x264 at crf 21, seen on talking people and orchards; a cap, not a target.
BITS_PER_PIXEL = 0.1
LEAST_BITS_PER_SECOND = 200_000


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one take: the file's `start_s` to `start_s + duration_s`, in its own time."""

    path: Path
    start_s: float
    duration_s: float
    has_audio: bool
    video: str = "v"
    audio: str = "a"
    """Which of the file's streams, where it has several: "v" is the first picture, "3" any."""
    is_mono: bool = False
    """One channel, as phones hear: made into two it costs twice the time and says nothing more."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a source's picture has to be read: its matrix, and the transfer of HDR ("" for none)."""

    matrix: str = "bt709"
    hdr: str = ""
    is_interlaced: bool = False


@dataclass(frozen=True, slots=True)
class RenditionPlan:
    """One rung of the ladder."""

    name: str
    size: Size
    fps: float
    is_copy: bool = False
    """The source's own picture, which is not encoded again."""

    @property
    def max_bits_per_second(self) -> int:
        return capped_rate(self.size, self.fps)


@dataclass(frozen=True, slots=True)
class Variant:
    """A finished rendition, as the master playlist names it; no size for the sound alone."""

    uri: str
    size: Size | None
    fps: float
    codecs: str
    peak_bits_per_second: int
    average_bits_per_second: int


def capped_rate(size: Size, fps: float) -> int:
    """Bits per second that a picture of this size may take at most."""
    return max(LEAST_BITS_PER_SECOND, round(size.width * size.height * fps * BITS_PER_PIXEL))


def even(value: float) -> int:
    """The nearest even number, at least 2."""
    return max(2, round(value / 2) * 2)


def usual_fps(source_fps: float) -> float:
    """The source's rate, or the half of it that is not above 30: no frame of these is uneven.

    Recorders that do not know theirs say 0 or 1000.
    """
    if not 1 <= source_fps <= 240:
        return MAX_FPS
    return source_fps / math.ceil(source_fps / FPS_SLACK / MAX_FPS)


def fitted(source: Size, lines: int) -> Size:
    """The source's shape with a short side of `lines`, never larger than the source."""
    factor = min(1.0, lines / min(source.width, source.height))
    return Size(even(source.width * factor), even(source.height * factor))


def ladder(source: Size, source_fps: float) -> list[RenditionPlan]:
    """Two renditions: as good as 720 lines, and one that a weak network can carry."""
    short = min(source.width, source.height)
    top = min(TOP_LINES, even(short))
    lower = next((lines for lines in LOWER_LINES if lines <= top * 0.75), even(top / 2))
    fps = usual_fps(source_fps)
    return [RenditionPlan(f"{lines}p", fitted(source, lines), fps) for lines in (top, lower)]


def remux(part: Part, output: Path) -> list[str]:
    """Put a take's streams, unchanged, into an MP4 that plays while it is downloaded.

    A take without sound gets silence, so that everything made from it later has a sound track.
    """
    source = graph.input(str(part.path))
    audio = source[part.audio] if part.has_audio else silence(part.duration_s, is_mono=True)
    options = {"c:v": "copy", "movflags": "+faststart", "map_metadata": -1}
    options |= {"c:a": "copy"} if part.has_audio else aac(is_mono=True)
    return arguments(graph.output(source[part.video], audio, str(output), **options))


def whole(parts: Sequence[Part], size: Size, fps: float, output: Path) -> list[str]:
    """Join takes of any size on one timeline into one MP4 of the first one's size."""
    video, audio = _joined(parts, size, fps, _inside)
    options = h264(fps, GOP_S, crf=20) | aac(is_mono=are_mono(parts))
    options |= {"movflags": "+faststart"}
    return arguments(graph.output(video, audio, str(output), **options))


def poster(source: Path, at_s: float, size: Size, output: Path) -> list[str]:
    """The most typical of the frames after `at_s`, so that a black or blurred one is not taken."""
    frame = (
        graph.input(str(source), ss=seconds(at_s))
        .video.filter("thumbnail", 24)
        .filter("scale", size.width, size.height)
    )
    return arguments(graph.output(frame, str(output), **{"frames:v": 1, "q:v": 3, "update": 1}))


def master_playlist(variants: Sequence[Variant]) -> str:
    """RFC 8216 section 4.3.4; the first variant is the one that players begin with."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for one in variants:
        about = [
            f"BANDWIDTH={one.peak_bits_per_second}",
            f"AVERAGE-BANDWIDTH={one.average_bits_per_second}",
        ]
        if one.size:
            about += [f"RESOLUTION={one.size.width}x{one.size.height}"]
        about += [f'CODECS="{one.codecs}"']
        if one.size:
            about += [f"FRAME-RATE={one.fps:.3f}"]
        lines.append("#EXT-X-STREAM-INF:" + ",".join(about))
        lines.append(one.uri)
    return "\n".join(lines) + "\n"


def _joined(parts: Sequence[Part], size: Size, fps: float, fit: Any) -> tuple[Any, Any]:
    """The parts one after the other: same size, same rate, and sound or silence in each."""
    streams: list[Any] = []
    is_mono = are_mono(parts)
    for part in parts:
        source = graph.input(str(part.path))
        heard = sound(source, part, is_mono=is_mono)
        streams += [fit(frames(source, part, fps), size), heard]
    if len(parts) == 1:
        return streams[0], streams[1]
    node = graph.concat(*streams, v=1, a=1).node
    return node[0], node[1]


def frames(source: Any, part: Part, fps: float) -> Any:
    """Frames from the part's start on, counted from there; a late first frame is shown early."""
    moved = f"PTS-{seconds(part.start_s)}/TB"
    return (
        source[part.video]
        .filter("trim", start=seconds(part.start_s), end=seconds(end_of(part)))
        .filter("setpts", moved)
        .filter("fps", fps=f"{fps:g}", start_time=0)
    )


def are_mono(parts: Iterable[Part]) -> bool:
    """Whether nothing is lost if all of their sound is of one channel."""
    return all(part.is_mono for part in parts if part.has_audio)


def sound(source: Any, part: Part, *, is_mono: bool) -> Any:
    """The part's sound, or silence, at 48 kHz and without gaps in its time."""
    if not part.has_audio:
        return silence(part.duration_s, is_mono=is_mono)
    return (
        source[part.audio]
        .filter("atrim", start=seconds(part.start_s), end=seconds(end_of(part)))
        .filter("asetpts", f"PTS-{seconds(part.start_s)}/TB")
        .filter("aresample", 48000, **{"async": 1, "first_pts": 0})
        .filter("aformat", channel_layouts=_layout(is_mono=is_mono))
    )


def silence(duration_s: float, *, is_mono: bool) -> Any:
    """Sound of nothing."""
    nothing = f"anullsrc=r=48000:cl={_layout(is_mono=is_mono)}"
    return graph.input(nothing, f="lavfi", t=seconds(duration_s)).audio


def _layout(*, is_mono: bool) -> str:
    return "mono" if is_mono else "stereo"


def _inside(video: Any, size: Size) -> Any:
    """The whole picture inside `size`, with bars where its shape is another."""
    return (
        video.filter("scale", size.width, size.height, force_original_aspect_ratio="decrease")
        .filter("pad", size.width, size.height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("format", "yuv420p")
    )


def h264(fps: float, gop_s: int, *, crf: float) -> dict[str, Any]:
    """x264 with keyframes at the same times in every rendition, so that players can switch."""
    return {
        "c:v": "libx264",
        "preset": "veryfast",
        "profile:v": "main",
        "crf": crf,
        "g": round(fps * gop_s),
        "sc_threshold": 0,
        "force_key_frames": f"expr:gte(t,n_forced*{gop_s})",
        "map_metadata": -1,
    }


def cap(bits_per_second: int) -> dict[str, Any]:
    """What a player must be able to fetch, with two seconds to even it out."""
    return {"maxrate": bits_per_second, "bufsize": bits_per_second * 2}


def aac(*, is_mono: bool) -> dict[str, Any]:
    """The only sound that we make: every browser plays it."""
    rate, channels = (MONO_BITS_PER_SECOND, 1) if is_mono else (AUDIO_BITS_PER_SECOND, 2)
    options = {"c:a": "aac", "b:a": rate, "ar": 48000, "ac": channels}
    # At such rates better than the encoder's default, as its documentation says, and much faster.
    return options | {"aac_coder": "fast"}


def end_of(part: Part) -> float:
    """Seconds of its file's own time."""
    return part.start_s + part.duration_s


def seconds(value: float) -> str:
    """Microseconds are what ffmpeg counts in; an exponent is not a time to it."""
    return f"{value:.6f}"


def arguments(made: Any) -> list[str]:
    """ffmpeg's arguments for a graph, without the program."""
    arguments: list[str] = made.get_args()
    return arguments
