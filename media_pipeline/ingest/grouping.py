"""Fragments of single frames become parts: what the encoder made of one piece of the stream.

The encoder ends a fragment with every frame, since it would otherwise hold frames back until their
fragment is full: of a recorder's 100 ms that cost 60 ms more on average (measured). Sent singly
they would be thirty messages a second to every viewer; so what comes at once goes out at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from media_pipeline.ingest.boxes import Fragment, Run
from media_pipeline.live.parts import Part

LONGEST_S = 0.5
"""Of a backlog that is encoded faster than life, a part is no longer than that."""
SOUND_BYTES = 64 * 1024
"""So much sound waits for a picture that does not move; seconds of it."""
FRAME_S = 0.002
"""Less than a frame lasts: what rounding may do to a time."""
USUAL_S = 1 / 30
HELD_S = 0.1
"""How long the newest picture is said to last, at least. Browsers take a picture that comes twice
as late as that for a break, and show nothing until the next key frame."""


@dataclass(frozen=True, slots=True)
class Piece(Part):
    """A part, and what of it was only guessed: how long its last picture is shown."""

    last_s: float = 0.0
    duration_at: int | None = None
    timescale: int = 1

    def followed_at(self, end_s: float) -> bytes:
        """Its bytes, now that the next picture's time is known."""
        if self.duration_at is None or end_s < self.last_s:
            return self.data
        ticks = round((end_s - self.last_s) * self.timescale)
        data = bytearray(self.data)
        data[self.duration_at : self.duration_at + 4] = ticks.to_bytes(4, "big")
        return bytes(data)


class Grouping:
    """Takes fragments in their order and gives parts, each beginning with a picture.

    It begins with the first key frame, or with what follows an earlier encoder's last picture,
    that of second `after_s`. What comes before, sound included, was there already or cannot be
    shown.
    """

    def __init__(self, after_s: float | None) -> None:
        self._after_s = after_s
        self._begun = False
        self._data = bytearray()
        self._first: Run | None = None
        self._last: Run | None = None
        self._last_at = 0
        self._usual_s = USUAL_S

    def add(self, fragment: Fragment) -> Piece | None:
        """The part before this fragment, if it is complete now."""
        run = fragment.run
        if not self._begun and not self._begins(run):
            return None
        done = self.flush() if self._is_over(run) else None
        at = len(self._data)
        self._data += fragment.data
        if run is not None:
            self._note(run, at)
        return done

    def _note(self, run: Run, at: int) -> None:
        """A recorder's stream does not say how long a picture lasts: the next one does."""
        if self._last is not None:
            lasted_s = run.start_s - self._last.start_s
            if self._first is not None:
                self._say_duration(lasted_s)
            self._usual_s = lasted_s or self._usual_s
        self._first = self._first or run
        self._last, self._last_at = run, at

    def _say_duration(self, seconds: float) -> None:
        last = self._last
        if last is not None and last.duration_at is not None:
            ticks = max(0, round(seconds * last.timescale))
            at = self._last_at + last.duration_at
            self._data[at : at + 4] = ticks.to_bytes(4, "big")

    def _begins(self, run: Run | None) -> bool:
        if run is None:
            return False
        if self._after_s is None:
            self._begun = run.is_key
        else:
            self._begun = run.start_s > self._after_s + FRAME_S
        return self._begun

    def _is_over(self, run: Run | None) -> bool:
        if self._first is None:
            return len(self._data) > SOUND_BYTES
        return run is not None and (run.is_key or run.end_s - self._first.start_s > LONGEST_S)

    def _piece(self, first: Run, last: Run, end_s: float) -> Piece:
        at = None if last.duration_at is None else self._last_at + last.duration_at
        lasts_s = end_s - first.start_s
        data = bytes(self._data)
        return Piece(data, first.start_s, lasts_s, first.is_key, last.start_s, at, last.timescale)

    def flush(self, *, is_end: bool = False) -> Piece | None:
        """What there is, when nothing else is coming; sound alone waits unless it `is_end`."""
        first, last = self._first, self._last
        enough = 0 if is_end else SOUND_BYTES
        if last is None or (first is None and len(self._data) <= enough):
            return None
        if first is None:
            data = bytes(self._data)
            part = Piece(data, last.end_s, 0.0, is_key=False, last_s=last.start_s)
        else:
            self._say_duration(max(last.duration_s, HELD_S, 2 * self._usual_s))
            end_s = max(last.end_s, last.start_s + self._usual_s)
            part = self._piece(first, last, end_s)
        self._data.clear()
        self._first = None
        return part
