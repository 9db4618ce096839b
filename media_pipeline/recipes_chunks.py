"""A long film in chunks: each encoded by itself, and all of them copied into one without a seam.

Pure functions to ffmpeg's arguments, as in `recipes`. Where a chunk begins is said in frames of
what is made, counted from the film's first; the same filter puts the source's frames at these
numbers whether all of it is decoded or a part. Beside a copied picture it is said by the source's
own times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg as graph

from media_pipeline.recipes import GOP_S, Look, Part, RenditionPlan, arguments, frames, seconds
from media_pipeline.recipes_hls import PLAYLIST as PLAYLIST
from media_pipeline.recipes_hls import encoding, hls, pictures

# Before the first frame that is wanted: pictures are stored in another order than they are shown,
# and some containers are sought in by the one and some by the other. A second is more than any.
BEFORE_S = 1.0
# Less than half of the time between two frames, more than what rounding takes.
CRUMB_S = 0.002
# The source itself has been looked at without this, so that it cannot be such a list.
FORMATS = "mov,mp4,m4a,matroska,webm,concat"


@dataclass(frozen=True, slots=True)
class Cut:
    """What one chunk holds; `end` and `end_s` are `None` for the last one, which goes to the end.

    `first` and `end` are frames of what is made, `start_s` and `end_s` its seconds (beside a copy:
    the source's, and no frames are counted). `keys` are keyframes, in seconds from `start_s` on.
    """

    first: int
    end: int | None
    start_s: float
    end_s: float | None
    keys: tuple[float, ...]


def even_cuts(duration_s: float, fps: float, chunk_s: float) -> list[Cut]:
    """Chunks of about `chunk_s` seconds, all of them alike, that begin where a keyframe is."""
    rate = exact(fps)
    gops = duration_s / GOP_S
    count = max(1, round(duration_s / chunk_s))
    edges = [_key(round(gops * number / count), rate) for number in range(count)]
    most = math.ceil(gops) + 1  # what it lasts is said by others, who may be a little wrong
    return [_even_cut(first, end, most, rate) for first, end in pairwise([*edges, None])]


def _even_cut(first: int | None, end: int | None, gops: int, rate: Fraction) -> Cut:
    begin = first or 0
    keys = (_key(number, rate) for number in range(gops + 1))
    inside = tuple(float((key - begin) / rate) for key in keys if begin <= key < (end or math.inf))
    end_s = None if end is None else float(end / rate)
    return Cut(begin, end, float(begin / rate), end_s, inside)


def _key(number: int, rate: Fraction) -> int:
    """The first frame that is not before keyframe `number` is due."""
    return math.ceil(number * GOP_S * rate)


def exact(fps: float) -> Fraction:
    """The rate as ffmpeg reads it off our arguments."""
    return Fraction(f"{fps:g}")


def cuts_at(keys: Sequence[float], duration_s: float, chunk_s: float) -> list[Cut]:
    """Chunks of about `chunk_s` seconds that begin at keys (seconds) of a source that is copied."""
    count = max(1, round(duration_s / chunk_s))
    wanted = [keys[0] + duration_s * number / count for number in range(1, count)]
    edges = sorted({keys[0], *(min(keys, key=lambda key: abs(key - at)) for at in wanted)})
    return [
        Cut(
            0,
            None,
            start,
            end,
            tuple(key - start for key in keys if start <= key < (end or key + 1)),
        )
        for start, end in pairwise([*edges, None])
        if start is not None
    ]


def seek_s(source: Part, cut: Cut, *, is_beside_copy: bool) -> float:
    """From where the source is read: seconds from the beginning of its file, 0 for all of it."""
    begins_s = cut.start_s if is_beside_copy else source.start_s + cut.start_s
    return max(0.0, begins_s - BEFORE_S)


def chunk(
    source: Part,
    look: Look,
    plans: Sequence[RenditionPlan],
    cut: Cut,
    folder: Path,
    *,
    is_beside_copy: bool,
    table: Path | None = None,
) -> list[str]:
    """`<plan>.mp4` in the folder for each of the plans: its frames of this cut, counted from 0."""
    # Times as in the whole file, whatever it begins with, and every frame from the key on.
    where: dict[str, Any] = {"copyts": None, "start_at_zero": None, "noaccurate_seek": None}
    if from_s := seek_s(source, cut, is_beside_copy=is_beside_copy):
        where["ss"] = seconds(from_s)
    opened = graph.input(str(source.path), **where)
    picture = (
        _timed(opened, source, cut) if is_beside_copy else _counted(opened, source, cut, plans)
    )
    made = pictures(picture.filter("setpts", "PTS-STARTPTS"), look, plans, table)
    outputs = [
        graph.output(
            one,
            str(folder / f"{plan.name}.mp4"),
            **encoding(plan, cut.keys, is_beside_copy=is_beside_copy),
        )
        for one, plan in zip(made, plans, strict=True)
    ]
    return arguments(graph.merge_outputs(*outputs))


def _counted(opened: Any, source: Part, cut: Cut, plans: Sequence[RenditionPlan]) -> Any:
    """Frames by their numbers: what is not decoded is counted as if it had been there."""
    numbers = {"start_frame": cut.first} | ({"end_frame": cut.end} if cut.end is not None else {})
    return frames(opened, source, plans[0].fps).filter("trim", **numbers)


def _timed(opened: Any, source: Part, cut: Cut) -> Any:
    times = {"start": seconds(max(0.0, cut.start_s - CRUMB_S))}
    times |= {} if cut.end_s is None else {"end": seconds(cut.end_s - CRUMB_S)}
    return opened[source.video].filter("trim", **times)


def chunk_list(names: Sequence[str], starts_s: Sequence[float]) -> str:
    """What ffmpeg reads chunks by: the names beside the list, and when each begins (seconds).

    Differences of rounded times, so that no rounding adds up.
    """
    micros = [round((start - starts_s[0]) * 1_000_000) for start in starts_s]
    lasting = [after - at for at, after in pairwise(micros)]
    lines = ["ffconcat version 1.0"]
    for at, name in enumerate(names):
        lines.append(f"file {name}")
        if at < len(lasting):
            lines.append(f"duration {lasting[at]}us")
    return "\n".join(lines) + "\n"


def joined(
    source: Part,
    plans: Sequence[RenditionPlan],
    lists: dict[str, Path],
    folder: Path,
    *,
    start_s: float,
    sound: Path | None,
) -> list[str]:
    """HLS renditions out of the chunks that `lists` name for each plan; nothing is encoded.

    `start_s` is when the first chunk begins. A plan without a list is the source's own picture.
    """
    heard = graph.input(str(sound)).audio if sound else None
    outputs = []
    for plan in plans:
        if plan.is_copy:
            picture = graph.input(str(source.path))[source.video]
        else:
            later = {"itsoffset": seconds(start_s)} if start_s else {}
            picture = graph.input(str(lists[plan.name]), f="concat", **later).video
        outputs.append(hls(picture, heard, {"c:v": "copy"}, folder / plan.name))
    return arguments(graph.merge_outputs(*outputs))
