"""How clips are made: pure functions to ffmpeg's arguments, as in `recipes`.

Parts are joined on a grid of frames, and each part's sound is cut to just as long as its picture:
so neither runs away from the other, however many parts there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg as graph

from media_pipeline.clip_wishes import Crop, Wish
from media_pipeline.recipes import (
    Part,
    Size,
    aac,
    are_mono,
    arguments,
    cap,
    capped_rate,
    even,
    fitted,
    frames,
    h264,
    seconds,
    sound,
)

# The largest picture of each shape, and its sides' proportion.
LARGEST = {"vertical": Size(540, 960), "square": Size(720, 720)}
PROPORTION = {"vertical": (9, 16), "square": (1, 1)}
ORIGINAL_LINES = 720
RATE = 48000
# Long enough that nothing clicks where parts meet, too short to be heard as a pause.
FADE_S = 0.012
CARD_FORMAT = "rawvideo"
CENTRE = Crop()
# Blurred pictures have so many cells on their longer side: no face and no writing is left.
CELLS = 12
# How far out of focus the picture behind the picture is, in its own small pixels.
BACKDROP_SHRINK, BACKDROP_SIGMA = 8, 4
# Sound is silenced in blocks of this many samples, so that no end of a word is left.
BLOCK = 480


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of one file, and how many frames of the clip it fills."""

    part: Part
    frames: int


@dataclass(frozen=True, slots=True)
class Hidden:
    """Frames of the clip, from the first up to the last, in which nothing is recognised."""

    first: int
    last: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A transparent picture as large as the clip, shown over it for a while.

    The file is bare pixels (RGBA): the ffmpeg that comes with the packages reads no PNG.
    """

    path: Path
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Framing:
    """What of a source's picture is shown, and how large it becomes."""

    size: Size
    proportion: tuple[int, int] | None
    """Width to height of the window; `None` for the whole picture."""
    crop: Crop = CENTRE
    is_padded: bool = False


def framing(wish: Wish, source: Size) -> Framing:
    """How a source of this size is shown; never larger than it is."""
    if wish.shape == "original":
        return Framing(fitted(source, ORIGINAL_LINES), None)
    proportion, largest = PROPORTION[wish.shape], LARGEST[wish.shape]
    if wish.fit == "blur":
        return Framing(_around(source, proportion, largest), proportion, is_padded=True)
    factor = wish.crop.size
    height = min(source.height * factor, source.width * factor * proportion[1] / proportion[0])
    return Framing(_shaped(min(height, largest.height), proportion), proportion, wish.crop)


def _around(source: Size, proportion: tuple[int, int], largest: Size) -> Size:
    """The smallest of this shape that holds all of the source, or of what fits into `largest`."""
    height = max(source.height, source.width * proportion[1] / proportion[0])
    return _shaped(min(height, largest.height), proportion)


def _shaped(height: float, proportion: tuple[int, int]) -> Size:
    width = height * proportion[0] / proportion[1]
    return Size(max(2, int(width / 2) * 2), max(2, int(height / 2) * 2))


def shots(parts: Sequence[Part], fps: float) -> list[Shot]:
    """The parts on a grid of frames: what rounding takes from one it gives to the next."""
    found: list[Shot] = []
    at_s, done = 0.0, 0
    for part in parts:
        at_s += part.duration_s
        upto = round(at_s * fps)
        if upto > done:
            found.append(Shot(part, upto - done))
            done = upto
    return found


def hidden(wish: Wish, fps: float, count: int) -> list[Hidden]:
    """The clip's frames that are blurred, a frame more on each side."""
    return [
        Hidden(
            max(0, int(piece.start_s * fps) - 1),
            min(count, int(piece.end_s * fps) + 2),
            blur.muted,
        )
        for blur in wish.blurs
        for piece in wish.pieces(blur.start_s, blur.end_s)
    ]


def clip(
    taken: Sequence[Shot],
    shown: Framing,
    fps: float,
    output: Path,
    *,
    blurred: Sequence[Hidden] = (),
    cards: Sequence[Card] = (),
) -> list[str]:
    """A clip of these shots, with keyframes each second for exact seeking."""
    streams: list[Any] = []
    is_mono = are_mono(shot.part for shot in taken)
    for shot in taken:
        source = graph.input(str(shot.part.path))
        heard = _cut_sound(source, shot, fps, is_mono=is_mono)
        streams += [_framed(_counted(source, shot, fps), shown), heard]
    video, audio = streams[0], streams[1]
    if len(taken) > 1:
        node = graph.concat(*streams, v=1, a=1).node
        video, audio = node[0], node[1]
    if blurred:
        video, audio = _blurred(video, shown.size, blurred), _muted(audio, fps, blurred)
    for card in cards:
        video = _with_card(video, card, shown.size)
    options = h264(fps, 1, crf=21) | cap(capped_rate(shown.size, fps))
    options |= aac(is_mono=is_mono) | {"movflags": "+faststart", "pix_fmt": "yuv420p"}
    return arguments(graph.output(video, audio, str(output), **options))


def _counted(source: Any, shot: Shot, fps: float) -> Any:
    """Just so many frames; a take that ends a moment early goes on with its last one."""
    return (
        frames(source, shot.part, fps)
        .filter("tpad", stop_mode="clone", stop=shot.frames)
        .filter("trim", end_frame=shot.frames)
    )


def _cut_sound(source: Any, shot: Shot, fps: float, *, is_mono: bool) -> Any:
    """As long as the picture, to the sample; short fades keep the joins from clicking."""
    lasts_s = shot.frames / fps
    fade_s = min(FADE_S, lasts_s / 4)
    return (
        sound(source, shot.part, is_mono=is_mono)
        .filter("apad", whole_len=round(lasts_s * RATE))
        .filter("atrim", end_sample=round(lasts_s * RATE))
        .filter("afade", type="in", start_time=0, duration=seconds(fade_s))
        .filter("afade", type="out", start_time=seconds(lasts_s - fade_s), duration=seconds(fade_s))
    )


def _framed(video: Any, shown: Framing) -> Any:
    size = shown.size
    if shown.proportion is None:
        framed = _inside(video, size).filter(
            "pad", size.width, size.height, "(ow-iw)/2", "(oh-ih)/2"
        )
    elif shown.is_padded:
        framed = _padded(video, size)
    else:
        framed = _window(video, shown.crop, shown.proportion).filter(
            "scale", size.width, size.height
        )
    return framed.filter("setsar", 1).filter("format", "yuv420p")


def _window(video: Any, crop: Crop, proportion: tuple[int, int]) -> Any:
    """By expressions, since takes may be of several sizes."""
    wide, high = proportion
    width = f"min(iw,ih*{wide}/{high})*{crop.size:.6f}"
    height = f"min(ih,iw*{high}/{wide})*{crop.size:.6f}"
    left, top = f"(iw-ow)*{crop.x:.6f}", f"(ih-oh)*{crop.y:.6f}"
    return video.filter("crop", width, height, left, top)


def _padded(video: Any, size: Size) -> Any:
    """The whole picture over itself, larger and out of focus."""
    split = video.filter_multi_output("split")
    small = Size(even(size.width / BACKDROP_SHRINK), even(size.height / BACKDROP_SHRINK))
    backdrop = (
        split[0]
        .filter("scale", small.width, small.height, force_original_aspect_ratio="increase")
        .filter("crop", small.width, small.height)
        .filter("gblur", sigma=BACKDROP_SIGMA)
        .filter("scale", size.width, size.height)
        .filter("setsar", 1)
    )
    front = _inside(split[1], size).filter("setsar", 1)
    return graph.overlay(backdrop, front, x="(W-w)/2", y="(H-h)/2")


def _inside(video: Any, size: Size) -> Any:
    return video.filter(
        "scale",
        size.width,
        size.height,
        force_original_aspect_ratio="decrease",
        force_divisible_by=2,
    )


def _blurred(video: Any, size: Size, passages: Sequence[Hidden]) -> Any:
    """A mosaic of a few soft cells in place of these frames."""
    split = video.filter_multi_output("split")
    factor = CELLS / max(size.width, size.height)
    cells = Size(max(2, round(size.width * factor)), max(2, round(size.height * factor)))
    hiding = (
        split[1]
        .filter("scale", cells.width, cells.height, flags="area")
        .filter("scale", size.width, size.height, flags="bicubic")
        .filter("setsar", 1)
    )
    when = "+".join(f"gte(n,{one.first})*lt(n,{one.last})" for one in passages)
    return graph.overlay(split[0], hiding, enable=when)


def _muted(audio: Any, fps: float, passages: Sequence[Hidden]) -> Any:
    silent = [one for one in passages if one.muted]
    if not silent:
        return audio
    early_s = BLOCK / RATE
    when = "+".join(
        f"gte(t,{seconds(one.first / fps - early_s)})*lt(t,{seconds(one.last / fps)})"
        for one in silent
    )
    return audio.filter("asetnsamples", n=BLOCK, p=0).filter("volume", 0, enable=when)


def _with_card(video: Any, card: Card, size: Size) -> Any:
    pixels = {"pixel_format": "rgba", "video_size": (size.width, size.height)}
    picture = graph.input(str(card.path), f=CARD_FORMAT, **pixels).video
    when = f"gte(t,{seconds(card.start_s)})*lt(t,{seconds(card.end_s)})"
    return graph.overlay(video, picture, enable=when)
