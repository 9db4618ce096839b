"""One topic in the hub: its sockets, what they have been told, and what they are told next."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.realtime.frames import Prepared, events_frame, now_frame
from core.realtime.log import Entry, Position

NOW_EVERY_S = 1.0
HEARTBEAT_S = 3.0
TICK_S = 0.05
SLOWEST_TICK_S = 0.25

IsLine = Callable[[Entry], bool]


class Listening(Protocol):
    """What a room needs of a socket (`core.realtime.sockets.Socket`)."""

    viewer_key: str | None
    person: str | None
    hears_all: bool

    def offer(self, frame: Prepared) -> bool:
        """Take the frame for sending, without waiting; `False` if this socket cannot keep up."""

    def close(self, code: int, reason: str = "") -> None:
        """Send nothing more and close."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told at once: in full, and as those hear it for whom chat is thinned."""

    full: Prepared
    thinned: Prepared

    def to(self, socket: Listening) -> bool:
        """Offer it; `False` if the socket cannot keep up."""
        return socket.offer(self.full if socket.hears_all else self.thinned)


def is_viewers_line(entry: Entry) -> bool:
    """Chat of viewers may be thinned; what hosts say and all that happens may not."""
    return entry.type == "chat.message" and entry.data.get("role") == "viewer"


def tick_after(took_s: float, fastest_s: float = TICK_S) -> float:
    """Seconds from one frame to the next, where telling took so long: at most half of the time."""
    return min(SLOWEST_TICK_S, max(fastest_s, 2 * took_s))


class Thinning:
    """Which lines of chat are shown: at most `per_s` in any second, spread over it."""

    def __init__(self, per_s: int, is_line: IsLine = is_viewers_line) -> None:
        self._per_s = per_s
        self._is_line = is_line
        self._credit = float(per_s)
        self._counted_at = 0.0
        self._shown: deque[tuple[float, int]] = deque()  # when, how many, in the last second

    def left_out(self, entries: Sequence[Entry], at_s: float) -> frozenset[int]:
        """The `seq` of the lines that are one too many at this moment; the newest are shown."""
        lines = [entry.seq for entry in entries if self._is_line(entry)] if self._per_s else []
        if not lines:
            return frozenset()
        count = min(len(lines), self._allowed(at_s))
        self._credit -= count
        self._shown.append((at_s, count))
        return frozenset(lines[: len(lines) - count])

    def _allowed(self, at_s: float) -> int:
        gained = (at_s - self._counted_at) * self._per_s
        self._credit = min(self._per_s, self._credit + gained)
        self._counted_at = at_s
        while self._shown and self._shown[0][0] <= at_s - 1:
            self._shown.popleft()
        return min(int(self._credit), self._per_s - sum(count for _, count in self._shown))


class Room:
    """One topic's sockets, what they have been told, and what they are told next."""

    def __init__(
        self,
        topic: str,
        opened: asyncio.Future[Position],
        *,
        began_s: float = 0.0,
        lines_per_s: int = 0,
    ) -> None:
        self.topic = topic
        self.opened = opened
        self.position: Position | None = None
        self.epoch_heard: str | None = None
        self.pending: list[Entry] = []
        self.sockets: dict[Listening, None] = {}
        self.viewers: Counter[str] = Counter()
        self.joining = 0
        self.now: dict[str, int] = {"viewers": 0}
        self.now_changed = False
        self.now_told_at = float("-inf")
        self.told_at = began_s
        self.tick_s = TICK_S
        self.work = asyncio.Event()
        self.telling: asyncio.Task[None] | None = None
        self._thinning = Thinning(lines_per_s)

    @property
    def empty(self) -> bool:
        return not self.sockets and not self.joining

    def open_at(self, position: Position) -> None:
        """Begin at `position`; what came in while it was being read may lie before it.

        The room stays without a position if history was lost meanwhile.
        """
        if self.position is None and self.epoch_heard in {None, position.epoch}:
            self.position = position
            self.pending = [entry for entry in self.pending if entry.seq > position.seq]

    def hear(self, epoch: str, entries: Sequence[Entry]) -> bool:
        """Take what the log gained; `False` if history was lost."""
        if epoch != (self.position.epoch if self.position else self.epoch_heard or epoch):
            return False
        self.epoch_heard = epoch
        self.add(entries)
        return True

    def add(self, entries: Sequence[Entry]) -> None:
        told = self.position.seq if self.position else 0
        self.pending.extend(entry for entry in entries if entry.seq > told)
        self.work.set()

    def enter(self, socket: Listening) -> None:
        self.sockets[socket] = None
        if socket.viewer_key is not None:
            self.viewers[socket.viewer_key] += 1
        self.set_now(viewers=len(self.viewers))

    def leave(self, socket: Listening) -> None:
        del self.sockets[socket]
        if (key := socket.viewer_key) is not None:
            self.viewers[key] -= 1
            if not self.viewers[key]:
                del self.viewers[key]
        self.set_now(viewers=len(self.viewers))

    def set_now(self, **values: int) -> None:
        if any(self.now.get(name) != value for name, value in values.items()):
            self.now.update(values)
            self.now_changed = True
            self.work.set()

    def due_at(self) -> float:
        """When there is something to tell: the next tick, the latest values, or a heartbeat."""
        tick_at = self.told_at + self.tick_s
        if self.pending and self.position is not None:
            return tick_at
        heartbeat_at = self.told_at + HEARTBEAT_S
        if not self.now_changed:
            return heartbeat_at
        return min(heartbeat_at, max(tick_at, self.now_told_at + NOW_EVERY_S))

    def take(self, at_s: float) -> Told:
        """All that is due at this moment; the latest values if nothing else is."""
        self.told_at = at_s
        full, thinned = self._take_pending(at_s)
        latest = self._take_now(at_s, alone=not full)
        both = Prepared(*full, *latest)
        return Told(both, both if thinned == full else Prepared(*thinned, *latest))

    def _take_pending(self, at_s: float) -> tuple[list[str], list[str]]:
        """The frame of what is new since the last one, in full and thinned."""
        entries, self.pending = self.pending, []
        if not entries or self.position is None:
            return [], []
        self.position = Position(self.position.epoch, entries[-1].seq)
        left_out = self._thinning.left_out(entries, at_s)
        thinned = [events_frame(entries, left_out)]
        if not left_out or not any(socket.hears_all for socket in self.sockets):
            return thinned, thinned
        return [events_frame(entries)], thinned

    def _take_now(self, at_s: float, *, alone: bool) -> list[str]:
        if not alone and not (self.now_changed and at_s >= self.now_told_at + NOW_EVERY_S):
            return []
        self.now_changed = False
        self.now_told_at = at_s
        return [now_frame(self.now)]
