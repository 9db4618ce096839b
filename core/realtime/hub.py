"""The hub: from one log to every socket of this process.

It collects what a topic's log gained during a tick, encodes it once, and offers the same text to
every socket. A socket that cannot keep up is closed; it comes back through recovery.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from core.realtime.frames import events_frame, now_frame
from core.realtime.log import Entry, Position, TopicLog

log = logging.getLogger(__name__)

TICK_S = 0.1
SLOWEST_TICK_S = 0.25
NOW_EVERY_S = 1.0
TOO_SLOW = 4408
RESTARTING = 4503


class Socket(Protocol):
    """Somewhere to write. `viewer_key` is the same for all sockets of one person, `None` for
    somebody who is not counted."""

    viewer_key: str | None

    def offer(self, text: str) -> bool:
        """Take the text for sending, without waiting; `False` if this socket cannot keep up."""

    def close(self, code: int) -> None:
        """Send nothing more and close."""


class Room:
    """One topic's sockets, what they have been told, and what they are told next."""

    def __init__(self, topic: str, opened: asyncio.Task[Position]) -> None:
        self.topic = topic
        self.opened = opened
        self.position: Position | None = None
        self.pending: list[Entry] = []
        self.sockets: dict[Socket, None] = {}
        self.joining = 0
        self.viewers: Counter[str] = Counter()
        self.now: dict[str, int] = {"viewers": 0}
        self.now_changed = False
        self.now_told_at = float("-inf")

    @property
    def empty(self) -> bool:
        return not self.sockets and not self.joining

    def open_at(self, position: Position) -> None:
        """Begin at `position`; what came in while it was being read may lie before it."""
        if self.position is None:
            self.position = position
            self.pending = [entry for entry in self.pending if entry.seq > position.seq]

    def add(self, entries: Sequence[Entry]) -> None:
        told = self.position.seq if self.position else 0
        self.pending.extend(entry for entry in entries if entry.seq > told)

    def take_pending(self) -> str | None:
        """The frame of what is new since the last one."""
        if not self.pending or self.position is None:
            return None
        frame = events_frame(self.pending)
        self.position = Position(self.position.epoch, self.pending[-1].seq)
        self.pending = []
        return frame

    def take_now(self, monotonic_s: float) -> str | None:
        """The frame of the latest values, if they changed and the last one is long enough ago."""
        if not self.now_changed or monotonic_s - self.now_told_at < NOW_EVERY_S:
            return None
        self.now_changed = False
        self.now_told_at = monotonic_s
        return now_frame(self.now)

    def enter(self, socket: Socket) -> None:
        self.sockets[socket] = None
        if socket.viewer_key is not None:
            self.viewers[socket.viewer_key] += 1
        self.set_now(viewers=len(self.viewers))

    def leave(self, socket: Socket) -> None:
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


class Hub:
    """All rooms of this process. Everything here runs on one event loop."""

    def __init__(self, topic_log: TopicLog, tick_s: float = TICK_S) -> None:
        self._log = topic_log
        self._tick_s = tick_s
        self._rooms: dict[str, Room] = {}
        self._work = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        topic_log.follow(self._heard)

    def start(self) -> None:
        self._ticking = asyncio.create_task(self._tick_forever(), name="hub")

    async def stop(self) -> None:
        """Close every socket with `RESTARTING`, so that clients come back to the next process."""
        if self._ticking is not None:
            self._ticking.cancel()
        for room in list(self._rooms.values()):
            self._close_all(room)

    async def join(self, topic: str, socket: Socket) -> Position:
        """Let the socket hear everything after the returned position, and nothing before it."""
        room = self._rooms.get(topic) or self._open(topic)
        room.joining += 1
        try:
            room.open_at(await asyncio.shield(room.opened))
        except BaseException:
            room.joining -= 1
            self._drop_if_empty(room)
            raise
        room.joining -= 1
        self._tell(room, room.take_pending())
        room.enter(socket)
        self._work.set()
        assert room.position is not None  # noqa: S101 - open_at has just seen to it
        return room.position

    def leave(self, topic: str, socket: Socket) -> None:
        """Forget the socket; once is enough, twice does no harm."""
        room = self._rooms.get(topic)
        if room is None or socket not in room.sockets:
            return
        room.leave(socket)
        self._work.set()
        self._drop_if_empty(room)

    def set_now(self, topic: str, **values: int) -> None:
        """Tell the room these latest values, soon. Nobody there: nobody is told."""
        if (room := self._rooms.get(topic)) is not None:
            room.set_now(**values)
            self._work.set()

    def now(self, topic: str) -> dict[str, int]:
        room = self._rooms.get(topic)
        return dict(room.now) if room else {"viewers": 0}

    def _open(self, topic: str) -> Room:
        room = Room(topic, asyncio.ensure_future(self._log.watch(topic)))
        self._rooms[topic] = room
        return room

    def _drop_if_empty(self, room: Room) -> None:
        if room.empty and self._rooms.get(room.topic) is room:
            del self._rooms[room.topic]
            self._log.unwatch(room.topic)

    def _heard(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        room = self._rooms.get(topic)
        if room is None:
            return
        if room.position is not None and room.position.epoch != epoch:
            self._close_all(room)
            return
        room.add(entries)
        self._work.set()

    async def _tick_forever(self) -> None:
        pause_s = self._tick_s
        while True:
            await self._work.wait()
            await asyncio.sleep(pause_s)
            self._work.clear()
            started = time.monotonic()
            for room in list(self._rooms.values()):
                self._tick(room, started)
            # Under load fewer, larger frames: telling must not take most of the time.
            took_s = time.monotonic() - started
            pause_s = min(SLOWEST_TICK_S, max(self._tick_s, 2 * took_s))

    def _tick(self, room: Room, monotonic_s: float) -> None:
        self._tell(room, room.take_pending())
        self._tell(room, room.take_now(monotonic_s))
        if room.now_changed:
            self._work.set()

    def _tell(self, room: Room, text: str | None) -> None:
        if text is None:
            return
        for socket in [socket for socket in room.sockets if not socket.offer(text)]:
            log.info("a socket of %s is too slow", room.topic)
            self.leave(room.topic, socket)
            socket.close(TOO_SLOW)

    def _close_all(self, room: Room) -> None:
        if self._rooms.pop(room.topic, None) is not None:
            self._log.unwatch(room.topic)
        for socket in list(room.sockets):
            socket.close(RESTARTING)
