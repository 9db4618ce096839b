"""Cues of what is cut: pure functions from the cues of a film to those of its parts.

No cue lies across a cut: one that does becomes two, each with the words that are heard on its side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from media_pipeline.captions.cues import Cue

SHORTEST_MS = 100
"""A cue that a cut makes shorter than that is left out."""

Span = tuple[float, float]
"""(from_s, to_s) in the film."""


def joined(cues: Iterable[Cue], pieces: Sequence[Span]) -> list[Cue]:
    """The cues of a film that is made of `pieces` of this one, in their order, in its own time.

    Pieces may overlap, or come in another order than in the film. Edges count in milliseconds; a
    word belongs to the side on which most of it is heard.
    """
    known = list(cues)
    found, at_ms = list[Cue](), 0
    for from_s, to_s in pieces:
        from_ms, to_ms = round(from_s * 1000), round(to_s * 1000)
        found += [_moved(one, at_ms - from_ms) for one in _between(known, from_ms, to_ms)]
        at_ms += to_ms - from_ms
    return found


def without(cues: Iterable[Cue], gone: Iterable[Span], duration_s: float) -> list[Cue]:
    """The cues of a film of `duration_s` from which `gone` is taken out."""
    return joined(cues, _rest(gone, duration_s))


def muted(cues: Iterable[Cue], hidden: Iterable[Span], duration_s: float) -> list[Cue]:
    """The cues of a film in which nothing is to be heard or read at `hidden`; nothing moves."""
    known = list(cues)
    return [
        one
        for from_s, to_s in _rest(hidden, duration_s)
        for one in _between(known, round(from_s * 1000), round(to_s * 1000))
    ]


def _rest(gone: Iterable[Span], duration_s: float) -> list[Span]:
    """What is left between `gone`, which may overlap."""
    left, at_s = list[Span](), 0.0
    for from_s, to_s in sorted(gone):
        if from_s > at_s:
            left.append((at_s, from_s))
        at_s = max(at_s, to_s)
    return [*left, (at_s, duration_s)] if at_s < duration_s else left


def _between(cues: Sequence[Cue], from_ms: int, to_ms: int) -> list[Cue]:
    parts = (_part(one, from_ms, to_ms) for one in cues)
    return [part for part in parts if part]


def _part(one: Cue, from_ms: int, to_ms: int) -> Cue | None:
    """What is said of a cue from `from_ms` to `to_ms`."""
    start_ms, end_ms = max(one.start_ms, from_ms), min(one.end_ms, to_ms)
    if (start_ms, end_ms) == (one.start_ms, one.end_ms):
        return one
    if end_ms - start_ms < SHORTEST_MS:
        return None
    words = one.words()
    # As twice the middle, so that a half is none of both sides' twice.
    held = [word for word in words if 2 * from_ms <= word[0] + word[1] < 2 * to_ms]
    if not held:
        return None
    whole = "".join(word for _since, _until, word in held)
    moments = tuple(min(end_ms, max(start_ms, since)) for since, _until, _word in held)
    return Cue(start_ms, end_ms, whole.rstrip(), moments)


def _moved(one: Cue, by_ms: int) -> Cue:
    words = tuple(ms + by_ms for ms in one.words_ms)
    return Cue(one.start_ms + by_ms, one.end_ms + by_ms, one.text, words)
