"""One topic in the hub: its sockets, what they have been told, and what they are told next.

The sockets of a room are told in cohorts of `COHORT`, each at most once a tick and each at its own
moment. So nobody waits for a whole room to be written to, which takes longer than a tick wants to
be: a message reaches everybody within one tick, and commands are answered between two cohorts.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from core.realtime.beat import TICK_S
from core.realtime.frames import Prepared, encoded_event, now_frame, stretch_frame
from core.realtime.log import Entry, Position
from core.realtime.thinning import Thinning

COHORT = 250  # telling so many takes some 3 ms
NOW_EVERY_S = 1.0
HEARTBEAT_S = 2.0
RUSH = 100
RUSH_WITHIN_S = 1.0


class Listening(Protocol):
    """What a room needs of a socket (`core.realtime.sockets.Socket`)."""

    viewer_key: str | None
    person: str | None
    hears_all: bool

    def offer(self, frame: Prepared) -> bool:
        """Take the frame for sending, without waiting; `False` if this socket cannot keep up."""

    def close(self, code: int, reason: str = "") -> None:
        """Send nothing more and close."""


class Line(NamedTuple):
    """An entry that is still to be told: encoded once, and whether everybody is shown it."""

    seq: int
    event: msgspec.Raw
    is_shown: bool


class Cohort:
    """Sockets that are told together, and up to where they have been told."""

    __slots__ = ("now_told", "now_told_at", "sockets", "told", "told_at")

    def __init__(self, told: int) -> None:
        self.sockets: dict[Listening, None] = {}
        self.told = told
        self.told_at = float("-inf")
        self.now_told = 0  # which version of the latest values
        self.now_told_at = float("-inf")


class Room:
    """One topic's sockets, what they have been told, and what they are told next."""

    def __init__(
        self, topic: str, opened: asyncio.Future[Position], *, lines_per_s: int = 0
    ) -> None:
        self.topic = topic
        self.opened = opened
        self.position: Position | None = None
        self.epoch_heard: str | None = None
        self.lines: list[Line] = []
        self.sockets: dict[Listening, Cohort] = {}
        self.cohorts: list[Cohort] = []
        self.viewers: Counter[str] = Counter()
        self.joining = 0
        self.now: dict[str, int] = {"viewers": 0}
        self.now_version = 0
        self.tick_s = TICK_S
        self.work = asyncio.Event()
        self.telling: asyncio.Task[None] | None = None
        self._came: deque[float] = deque(maxlen=RUSH)
        self._thinning = Thinning(lines_per_s)
        self._frames: dict[tuple[int, int, bool], str] = {}

    @property
    def empty(self) -> bool:
        return not self.sockets and not self.joining

    def open_at(self, position: Position) -> None:
        """Begin at `position`; what came in while it was being read may lie before it.

        The room stays without a position if history was lost meanwhile.
        """
        if self.position is None and self.epoch_heard in {None, position.epoch}:
            self.lines = [line for line in self.lines if line.seq > position.seq]
            last = self.lines[-1].seq if self.lines else position.seq
            self.position = Position(position.epoch, last)

    def hear(self, epoch: str, entries: Sequence[Entry]) -> bool:
        """Take what the log gained; `False` if history was lost."""
        if epoch != (self.position.epoch if self.position else self.epoch_heard or epoch):
            return False
        self.epoch_heard = epoch
        self.add(entries)
        return True

    def add(self, entries: Sequence[Entry]) -> None:
        heard = self.position.seq if self.position else 0
        new = [entry for entry in entries if entry.seq > heard]
        self.lines += [
            Line(entry.seq, encoded_event(entry), is_shown)
            for entry, is_shown in zip(new, self._thinning.choose(new), strict=True)
        ]
        if new and self.position is not None:
            self.position = Position(self.position.epoch, new[-1].seq)
        self.work.set()

    def enter(self, socket: Listening) -> Position:
        """Let the socket hear all after the returned position."""
        assert self.position is not None, "open_at() first"  # noqa: S101
        cohort = min(self.cohorts, key=lambda one: len(one.sockets), default=None)
        if cohort is None or len(cohort.sockets) >= COHORT:
            cohort = Cohort(self.position.seq)
            self.cohorts.append(cohort)
        self._came.append(time.monotonic())
        cohort.sockets[socket] = None
        self.sockets[socket] = cohort
        if socket.viewer_key is not None:
            self.viewers[socket.viewer_key] += 1
        # At least they are there; all processes are counted once a second (`presence`).
        self.set_now(viewers=max(self.now["viewers"], len(self.viewers)))
        self.work.set()
        return Position(self.position.epoch, cohort.told)

    def leave(self, socket: Listening) -> None:
        cohort = self.sockets.pop(socket)
        del cohort.sockets[socket]
        if not cohort.sockets:
            self.cohorts.remove(cohort)
        if (key := socket.viewer_key) is not None:
            self.viewers[key] -= 1
            if not self.viewers[key]:
                del self.viewers[key]

    def is_rushed(self) -> bool:
        """Whether so many came within a moment as when a whole room comes back."""
        return len(self._came) == RUSH and time.monotonic() - self._came[0] < RUSH_WITHIN_S

    def set_now(self, **values: int) -> None:
        if any(self.now.get(name) != value for name, value in values.items()):
            self.now.update(values)
            self.now_version += 1
            self.work.set()

    def next_due(self) -> tuple[float, Cohort | None]:
        """Which cohort is to be told something next, and when."""
        dues = ((self._due_at(cohort), cohort) for cohort in self.cohorts)
        return min(dues, key=lambda due: due[0], default=(float("inf"), None))

    def has_news(self) -> bool:
        return bool(self.lines)

    def _due_at(self, cohort: Cohort) -> float:
        """The next tick, if anything is new; else when the latest values or a heartbeat are due."""
        tick_at = cohort.told_at + self.tick_s
        if self.position is not None and cohort.told < self.position.seq:
            return tick_at
        heartbeat_at = cohort.told_at + HEARTBEAT_S
        if cohort.now_told == self.now_version:
            return heartbeat_at
        return min(heartbeat_at, max(tick_at, cohort.now_told_at + NOW_EVERY_S))

    def tell(self, cohort: Cohort, at_s: float) -> list[Listening]:
        """Offer the cohort all that is due at this moment; who of it cannot keep up."""
        hears_all = any(socket.hears_all for socket in cohort.sockets)
        texts, in_full = self._take(cohort, at_s, hears_all=hears_all)
        if in_full == texts:
            frame = Prepared(*texts)
            return [socket for socket in cohort.sockets if not socket.offer(frame)]
        frames = (Prepared(*texts), Prepared(*in_full))
        return [one for one in cohort.sockets if not one.offer(frames[one.hears_all])]

    def _take(self, cohort: Cohort, at_s: float, *, hears_all: bool) -> tuple[list[str], list[str]]:
        """What the cohort is told now; thinned, and in full if one of it `hears_all`."""
        after, cohort.told_at = cohort.told, at_s
        texts: list[str] = []
        in_full: list[str] = []
        if self.position is not None and self.position.seq > after:
            cohort.told = self.position.seq
            texts = [self._frame(after, in_full=False)]
            in_full = [self._frame(after, in_full=True)] if hears_all else texts
            self._forget_what_all_know()
        changed = cohort.now_told != self.now_version
        if not texts or (changed and at_s >= cohort.now_told_at + NOW_EVERY_S):
            cohort.now_told, cohort.now_told_at = self.now_version, at_s
            latest = [now_frame(self.now)]
            return texts + latest, in_full + latest
        return texts, in_full

    def _frame(self, after: int, *, in_full: bool) -> str:
        """The frame of all after this `seq`: encoded once for all cohorts at the same place."""
        key = (after, self.lines[-1].seq, in_full)
        if (text := self._frames.get(key)) is None:
            first = bisect_right(self.lines, after, key=lambda line: line.seq)
            lines = self.lines[first:]
            shown = [line.event for line in lines if line.is_shown or in_full]
            text = stretch_frame(lines[0].seq, lines[-1].seq, shown, len(lines) - len(shown))
            self._frames[key] = text
        return text

    def _forget_what_all_know(self) -> None:
        lowest = min(cohort.told for cohort in self.cohorts)
        if self.lines and self.lines[0].seq <= lowest:
            self.lines = [line for line in self.lines if line.seq > lowest]
            self._frames = {key: text for key, text in self._frames.items() if key[0] >= lowest}
