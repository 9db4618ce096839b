"""What a replay shows, picture by picture, against what the camera filmed."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

from tests.chaos.live_camera import Filmed
from tests.chaos.live_film import Picture, Shape, pictures

AT_ONCE = 2
CUT_SHOWS_WITHIN_S = 2.0
"""A gap may begin so long before a cut: what was on its way then was not acknowledged."""
ALLOWED = {"pin_error_ms_max": 100.0}
"""What a figure may be; all others may be 0."""
LATE_S = 0.2
ROUNDED_S = 0.0005
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Segment:
    """A line of a replay's playlist: seconds that it says, and what was decoded of it."""

    uri: str
    duration_s: float
    begins_take: bool
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture where a player shows it: second of the replay, and its number."""

    media_s: float
    number: int | None


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin's wall time, and its second in the replay by each place that tells of it."""

    wall: float
    told_s: tuple[float | None, ...]


def segments(playlist: str, url: str, fetch: Fetch, shape: Shape) -> list[Segment]:
    """Every segment of the playlist at `url`, fetched and decoded as a player does: by itself."""
    listed = list(_listed(playlist, url))
    heads = {head: fetch(head) for _, _, head, _ in listed}

    def decoded(line: tuple[str, float, str, bool]) -> Segment:
        uri, duration_s, head, begins = line
        return Segment(uri, duration_s, begins, tuple(pictures(heads[head] + fetch(uri), shape)))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(decoded, listed))


def _listed(playlist: str, url: str) -> Iterable[tuple[str, float, str, bool]]:
    head, duration_s, begins = "", 0.0, True
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-MAP:"):
            [named] = re.findall(r'URI="([^"]+)"', line)
            head = urljoin(url, named)
        elif line.startswith("#EXTINF:"):
            duration_s = float(line.removeprefix("#EXTINF:").partition(",")[0])
        elif line.startswith("#EXT-X-DISCONTINUITY"):
            begins = True
        elif line and not line.startswith("#"):
            yield urljoin(url, line), duration_s, head, begins
            begins = False


def shown(replay: Sequence[Segment]) -> tuple[list[Shown], float]:
    """The pictures on the player's timeline, and by how many ms a segment lies elsewhere at most.

    A take begins where those before it end by the playlist; in it the stream's own times count.
    """
    found: list[Shown] = []
    listed_s = begins_s = zero_s = drift_s = 0.0
    for segment in replay:
        first = segment.pictures[0].at_s if segment.pictures else None
        if segment.begins_take and first is not None:
            begins_s, zero_s = listed_s, first
        if first is not None:
            drift_s = max(drift_s, abs(begins_s + first - zero_s - listed_s))
        found += (Shown(begins_s + one.at_s - zero_s, one.number) for one in segment.pictures)
        listed_s += segment.duration_s
    return found, round(drift_s * 1000, 1)


def judge(
    replay: Sequence[Segment],
    films: Sequence[Filmed],
    pins: Sequence[Pin],
    cuts: Sequence[tuple[float, float]],
    fps: int,
) -> dict[str, Any]:
    """The figures of one replay; `cuts` are the spans of wall time with something broken."""
    seen, drift_ms = shown(replay)
    numbers = [one.number for one in seen if one.number is not None]
    pairs = list(pairwise(numbers))
    acknowledged = frozenset[int]().union(*(one.acknowledged for one in films))
    missing = sorted(acknowledged - set(numbers))
    gaps = [(before, after) for before, after in pairs if after > before + 1]
    errors = [error for pin in pins for error in _pin_errors(pin, seen, films, fps)]
    return {
        "frames_acknowledged": len(acknowledged),
        "frames_in_replay": len(numbers),
        "acknowledged_frames_missing": len(missing),
        "frames_out_of_order": sum(after < before for before, after in pairs),
        "frames_twice": len(numbers) - len(set(numbers)),
        "frames_unreadable": len(seen) - len(numbers),
        "times_backwards": _backwards(seen),
        "gaps": len(gaps),
        "gaps_without_cut": sum(not _is_cut(gap, films, cuts, fps) for gap in gaps),
        "pins": len(pins),
        "pins_without_place": sum(told is None for pin in pins for told in pin.told_s),
        "pin_error_ms_max": max(errors, default=None),
        "segments": len(replay),
        "segment_drift_ms_max": drift_ms,
        "pins_told_s": [pin.told_s for pin in pins],
        "pin_errors_ms": errors,
        "missing_examples": missing[:20],
    }


def _backwards(seen: Sequence[Shown]) -> int:
    return sum(after.media_s <= before.media_s for before, after in pairwise(seen))


def _pin_errors(
    pin: Pin, seen: Sequence[Shown], films: Sequence[Filmed], fps: int
) -> Iterable[float]:
    """How far what is shown at the pin's second is from what was filmed at its wall time, in ms."""
    readable = [one for one in seen if one.number is not None]
    readable.sort(key=lambda one: one.media_s)
    truth = number_then(pin.wall, films, fps)
    for told_s in pin.told_s:
        if told_s is None or truth is None or not readable:
            continue
        at = max(0, bisect_right(readable, told_s + ROUNDED_S, key=lambda one: one.media_s) - 1)
        number = readable[at].number
        assert number is not None
        shown_then = number + (told_s - readable[at].media_s) * fps
        yield round(abs(shown_then - truth) / fps * 1000, 1)


def number_then(wall: float, films: Iterable[Filmed], fps: int) -> float | None:
    """The number, with its fraction, of what was filmed then and acknowledged.

    While nothing was, it is the next that was; `None` after the last.
    """
    after: list[tuple[float, float]] = []
    for film in films:
        number = film.number_at(wall, fps)
        if math.floor(number) in film.acknowledged:
            return number
        after += ((film.wall_of(one, fps), one) for one in film.acknowledged if one > number)
    return min(after)[1] if after else None


def _is_cut(
    gap: tuple[int, int],
    films: Sequence[Filmed],
    cuts: Sequence[tuple[float, float]],
    fps: int,
) -> bool:
    """Whether something was broken in the time that is not in the replay."""
    walls = [one.wall_of(number, fps) for one in films for number in gap if one.first <= number]
    if not walls:
        return False
    begin, end = min(walls), max(walls)
    return any(
        cut <= end and open_at >= begin - CUT_SHOWS_WITHIN_S and cut - CUT_SHOWS_WITHIN_S <= end
        for cut, open_at in cuts
    )


def controls(
    replay: Sequence[Segment], judged: Callable[[Sequence[Segment]], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What is found in replays that were spoiled, by the figure that should tell of it."""
    middle = len(replay) // 2
    before, [one, other], after = replay[:middle], replay[middle : middle + 2], replay[middle + 2 :]
    spoiled = {
        "acknowledged_frames_missing": [*before, other, *after],
        "frames_out_of_order": [*before, other, one, *after],
        "frames_twice": [*before, one, one, other, *after],
        "pin_error_ms_max": [_late(one, is_first=one is replay[0]) for one in replay],
    }
    found = {name: judged(segments)[name] for name, segments in spoiled.items()}
    return {
        name: {"found": value, "caught": (value or 0) > ALLOWED.get(name, 0)}
        for name, value in found.items()
    }


def _late(segment: Segment, *, is_first: bool) -> Segment:
    """As if all but the very first picture were shown a fifth of a second later."""
    held = int(is_first)
    late = (replace(one, at_s=one.at_s + LATE_S) for one in segment.pictures[held:])
    return replace(segment, pictures=(*segment.pictures[:held], *late))
