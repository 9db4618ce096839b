"""What somebody wants of a clip: which parts of a recording, in which frame, and what is hidden.

Times are seconds of the recording, in one of its editions. A clip's own seconds run through its
parts in their order; `Wish.pieces` is the one way from the former to the latter, for the picture,
the chat and captions alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
from django.utils.translation import gettext as _

from core.errors import InvalidInput
from media_pipeline.models import Asset

SHORTEST_S, LONGEST_S = 1.0, 180.0
# Of several parts each may be shorter than a clip, but not a flicker.
SHORTEST_PART_S = 0.2
MOST_PARTS, MOST_BLURS = 20, 20
# A player's idea of the end differs from ours by less than this.
END_SLACK_S = 0.25
# Of the largest window that fits: a smaller one would show blocks.
SMALLEST_WINDOW = 0.25
# Where one part ends exactly where another begins, rounding must not make them overlap.
CRUMB_S = 0.001

Shape = Literal["vertical", "square", "original"]
Fit = Literal["crop", "blur"]


class Span(msgspec.Struct, frozen=True, array_like=True):
    """From `start_s` up to `end_s`."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def common(self, start_s: float, end_s: float) -> Span | None:
        """What is in both."""
        start_s, end_s = max(start_s, self.start_s), min(end_s, self.end_s)
        return Span(start_s, end_s) if start_s < end_s else None

    def moved(self, by_s: float) -> Span:
        return Span(self.start_s + by_s, self.end_s + by_s)


class Blur(msgspec.Struct, frozen=True, array_like=True):
    """A passage of which nothing is recognised in this clip, and with `muted` nothing heard."""

    start_s: float
    end_s: float
    muted: bool = False


class Crop(msgspec.Struct, frozen=True):
    """A window in the picture: 0 is at its left (or top), 1 at the other end; size 1 is full."""

    x: float = 0.5
    y: float = 0.5
    size: float = 1.0


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parts of a clip in their order, the shape of its picture, and what is blurred in it."""

    parts: tuple[Span, ...]
    shape: Shape = "vertical"
    fit: Fit = "crop"
    crop: Crop = Crop()
    blurs: tuple[Blur, ...] = ()

    @property
    def duration_s(self) -> float:
        return sum(part.duration_s for part in self.parts)

    @property
    def hull(self) -> Span:
        """From the earliest moment to the latest."""
        starts, ends = zip(*((part.start_s, part.end_s) for part in self.parts), strict=True)
        return Span(min(starts), max(ends))

    def pieces(self, start_s: float, end_s: float) -> list[Span]:
        """Where in the clip the recording's `start_s` to `end_s` is: nothing goes across a cut."""
        found: list[Span] = []
        at_s = 0.0
        for part in self.parts:
            if shown := part.common(start_s, end_s):
                found.append(shown.moved(at_s - part.start_s))
            at_s += part.duration_s
        return found

    def place(self, moment_s: float) -> float | None:
        """Where in the clip this moment is; `None` if it is not."""
        at_s = 0.0
        for part in self.parts:
            if part.start_s <= moment_s < part.end_s:
                return at_s + moment_s - part.start_s
            at_s += part.duration_s
        return None

    def joins(self) -> list[float]:
        """The clip's seconds at which one part follows another."""
        found, at_s = list[float](), 0.0
        for part in self.parts[:-1]:
            at_s += part.duration_s
            found.append(at_s)
        return found

    def without(self, gone: Sequence[tuple[float, float]]) -> Wish | None:
        """The same in a recording that lost these passages; `None` where it shows one of them."""
        if any(part.common(*one) for part in self.parts for one in gone):
            return None
        blurs = (Blur(*_earlier(one, gone), one.muted) for one in self.blurs)
        return msgspec.structs.replace(
            self,
            parts=tuple(Span(*_earlier(part, gone)) for part in self.parts),
            blurs=tuple(one for one in blurs if one.start_s < one.end_s),
        )


def _earlier(one: Span | Blur, gone: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Each moment as much earlier as there is less before it now."""

    def moved(moment_s: float) -> float:
        before = ((from_s, min(moment_s, to_s)) for from_s, to_s in gone if from_s < moment_s)
        return moment_s - sum(to_s - from_s for from_s, to_s in before)

    return moved(one.start_s), moved(one.end_s)


def single(start_s: float, end_s: float) -> Wish:
    """One part, upright, of the middle of the picture."""
    return Wish((Span(start_s, end_s),))


def wish_of(clip: Asset) -> Wish:
    """What was wanted of a clip; those of before this was kept are of one part."""
    if not clip.wish:
        return single(clip.start_s, clip.end_s)
    return msgspec.convert(clip.wish, Wish)


def checked(wish: Wish, duration_s: float) -> Wish:
    """The wish, as it can be had of so long a recording; else `InvalidInput` with the field."""
    if not 1 <= len(wish.parts) <= MOST_PARTS:
        raise InvalidInput(_("A clip has 1 to %d parts.") % MOST_PARTS, field="parts")
    is_single = len(wish.parts) == 1
    parts = tuple(
        _checked_part(part, duration_s, "" if is_single else f"parts.{number}.")
        for number, part in enumerate(wish.parts)
    )
    _check_lengths(parts, "end_s" if is_single else "parts")
    _check_overlaps(parts)
    _check_crop(wish.crop)
    if wish.shape not in get_args(Shape) or wish.fit not in get_args(Fit):
        raise InvalidInput(_("There is no such shape."), field="shape")
    return msgspec.structs.replace(wish, parts=parts, blurs=_checked_blurs(wish.blurs, duration_s))


def _checked_part(part: Span, duration_s: float, prefix: str) -> Span:
    """The part, moved back to the recording's end if it is a hair beyond."""
    start_s, end_s = part.start_s, part.end_s
    if not math.isfinite(start_s) or start_s < 0:
        raise InvalidInput(_("The clip must start inside the recording."), field=f"{prefix}start_s")
    if not math.isfinite(end_s) or end_s > duration_s + END_SLACK_S:
        raise InvalidInput(_("The clip must end inside the recording."), field=f"{prefix}end_s")
    end_s = min(end_s, duration_s)
    if prefix and end_s - start_s < SHORTEST_PART_S:
        raise InvalidInput(_("This part ends before it can be seen."), field=f"{prefix}end_s")
    return Span(start_s, end_s)


def _check_lengths(parts: Sequence[Span], field: str) -> None:
    lasts_s = sum(part.duration_s for part in parts)
    if lasts_s < SHORTEST_S:
        raise InvalidInput(_("A clip is at least one second long."), field=field)
    if lasts_s > LONGEST_S + CRUMB_S:
        raise InvalidInput(_("A clip is three minutes long at most."), field=field)


def _check_overlaps(parts: Sequence[Span]) -> None:
    for number, part in enumerate(parts):
        for earlier in parts[:number]:
            if part.common(earlier.start_s + CRUMB_S, earlier.end_s - CRUMB_S):
                raise InvalidInput(
                    _("This part has moments that another part has. Each can be shown once."),
                    field=f"parts.{number}.start_s",
                )


def _check_crop(crop: Crop) -> None:
    for name, least in (("x", 0.0), ("y", 0.0), ("size", SMALLEST_WINDOW)):
        value = getattr(crop, name)
        if not math.isfinite(value) or not least <= value <= 1:
            raise InvalidInput(_("The window must be inside the picture."), field=f"crop.{name}")


def _checked_blurs(blurs: Sequence[Blur], duration_s: float) -> tuple[Blur, ...]:
    if len(blurs) > MOST_BLURS:
        raise InvalidInput(_("At most %d passages can be blurred.") % MOST_BLURS, field="blurs")
    for number, one in enumerate(blurs):
        is_inside = math.isfinite(one.start_s) and math.isfinite(one.end_s) and one.start_s >= 0
        if not is_inside or not one.start_s < one.end_s <= duration_s + END_SLACK_S:
            raise InvalidInput(
                _("What is to be blurred must begin and end inside the recording."),
                field=f"blurs.{number}.start_s",
            )
    return tuple(blurs)
