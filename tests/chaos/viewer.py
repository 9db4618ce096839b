"""A viewer who keeps to the rules of the room, and notes what came: one checker of thousands."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from tests.chaos.frames import Frame, Hello, Library, Snapshot
from tests.chaos.wire import GONE, Wire

COME_IN_WITHIN_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 3.0
RETRY_AFTER = re.compile(r"retry_after=([0-9.]+)")
SLOW_PHONE = 4096  # bytes: the receive buffer of somebody whose phone reads no more


@dataclass(slots=True)
class Rules:
    """What a viewer does about a loss; every rule can be switched off to see it be missed."""

    recovers: bool = True
    """Comes back with its position, and begins anew from a snapshot when told to."""
    knows_ids: bool = True
    """Shows nothing twice that has the same id."""
    rewinds: int = 0
    """Comes back with a position this many entries too old."""


@dataclass(slots=True)
class Crowd:
    """What all viewers of one run share."""

    host: str
    port: int
    show_id: str
    ticket: Callable[[str | None], str | None]
    """Makes a ticket for a person's public id; `None` for somebody without an account."""
    library: Library = field(default_factory=Library)
    rules: Rules = field(default_factory=Rules)
    chance: random.Random = field(default_factory=random.Random)
    viewers: list[Viewer] = field(default_factory=list)
    closes: dict[int, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    measuring: bool = False
    open_at: float = float("inf")
    """Since when the way is open again after a fault; who hears something then is back."""

    def count(self, note: str) -> None:
        self.notes[note] = self.notes.get(note, 0) + 1

    @property
    def inside(self) -> int:
        return sum(viewer.is_in for viewer in self.viewers)

    def __str__(self) -> str:
        return f"({self.inside} are in; closes {self.closes}, {self.notes})"

    async def watch_lines(self) -> None:
        """Let those come back whose line is quiet for too long; one task for all."""
        while True:
            await asyncio.sleep(0.25)
            now = time.perf_counter()
            for viewer in self.viewers:
                viewer.check_line(now)


class Viewer:
    """One viewer; `person` is the public id of somebody who is signed in."""

    def __init__(self, crowd: Crowd, person: str | None = None) -> None:
        self.crowd = crowd
        self.person = person
        self.epoch = ""
        self.seq = -1
        self.story: list[Frame | Snapshot] = []
        self.is_in = False
        self.has_come = False
        self.lost_at = 0.0
        self.heard_since = 0.0
        self.hellos: list[tuple[float, Hello]] = []
        self.gaps_seen = 0
        self.wire: Wire | None = None
        self.stalls = False
        self._token: str | None = None
        self._resuming = False
        self._retry_within_s = 1.0
        self._quiet_s: float | None = None
        self._heard_at = 0.0
        self._tries = 0
        self._left = False
        self._coming: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None

    # Coming in

    def come_in(self) -> None:
        """Connect, and again until it works; `leave` ends it."""
        self._pause = None
        self.has_come = True
        if not self._left:
            self._coming = asyncio.ensure_future(self._connect())

    def leave(self) -> None:
        """For good."""
        self._left = True
        if self._pause is not None:
            self._pause.cancel()
        if self._coming is not None:
            self._coming.cancel()
        if self.wire is not None:
            self.wire.abort()

    def come_again(self) -> None:
        """After `leave`."""
        self._left = False
        self.come_in()

    async def _connect(self) -> None:
        self._heard_at = time.perf_counter()
        host, port = self.crowd.host, self.crowd.port
        wire = Wire(self, f"{host}:{port}", self._target())
        self.wire = wire
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(COME_IN_WITHIN_S):
                await loop.create_connection(lambda: wire, host, port)
        except (OSError, TimeoutError):
            self._lost(GONE, "")

    def _target(self) -> str:
        self._resuming = self._token is not None and self.crowd.rules.recovers
        target = f"/ws/shows/{self.crowd.show_id}/"
        if self.seq < 0 or not self.crowd.rules.recovers:
            return target
        seq = max(0, self.seq - self.crowd.rules.rewinds)
        resume = "&resume=1" if self._resuming else ""
        return f"{target}?epoch={quote(self.epoch)}&seq={seq}{resume}"

    def opened(self) -> None:
        first = (
            {"resume": self._token}
            if self._resuming
            else {"ticket": self.crowd.ticket(self.person)}
        )
        assert self.wire is not None
        self.wire.send(msgspec.json.encode(first))

    # Hearing

    def told(self, text: bytes) -> None:
        self._heard_at = time.perf_counter()
        if text.startswith(b'{"from"'):
            self._hear(text)
            return
        other = self.crowd.library.other(text)
        if other.hello is not None:
            self._enter(other.hello)
        elif other.ok is not None or other.error is not None:
            self.answered(other.id, other.ok, other.error)

    def _hear(self, text: bytes) -> None:
        frame = self.crowd.library.frame(self.epoch, text)
        if frame.from_ != self.seq + 1:
            self.gaps_seen += 1
            self.crowd.count("gap seen")
            if self.crowd.rules.recovers:
                self._drop("gap")
                return
        self.seq = frame.to
        self.story.append(frame)
        if self.heard_since < self.crowd.open_at <= self._heard_at:
            self.heard_since = self._heard_at
        if self.crowd.measuring and not self.stalls:
            frame.arrivals.append(self._heard_at)

    def _enter(self, hello: Hello) -> None:
        self._token, self._quiet_s = hello.resume, hello.quiet_s
        self._retry_within_s = hello.retry_within_s
        self._tries = 0
        self.hellos.append((self._heard_at, msgspec.structs.replace(hello, snapshot=None)))
        if not hello.recovered and (self.crowd.rules.recovers or not self.story):
            self.story.append(Snapshot.of(hello))
        self.epoch, self.seq = hello.epoch, hello.seq
        self.is_in = True
        self.entered()

    def entered(self) -> None:
        """The room is there (again)."""

    def answered(self, number: int | None, ok: object, error: object) -> None:
        """An answer to a command came."""

    def back_at(self, cut_at: float) -> float | None:
        """When it was in the room again for good; `None` if it is not."""
        if not self.is_in:
            return None
        came_at = self.hellos[-1][0]
        if came_at > cut_at:
            return came_at
        return self.heard_since or None

    # Losing the room

    def check_line(self, now: float) -> None:
        """Come back when nothing was heard for as long as the server said is too long."""
        if self.wire is None or self.wire.transport is None or self.stalls:
            return
        quiet_s = now - self._heard_at
        if self.is_in and self._quiet_s is not None and quiet_s > self._quiet_s:
            self._drop("quiet line")
        elif not self.is_in and quiet_s > COME_IN_WITHIN_S:
            self._drop("no hello")

    def _drop(self, why: str) -> None:
        self.crowd.count(why)
        if self.wire is not None and self.wire.transport is not None:
            self.wire.abort()  # `closed` follows

    def closed(self, code: int, reason: str) -> None:
        self._lost(code, reason)

    def _lost(self, code: int, reason: str) -> None:
        self.crowd.closes[code] = self.crowd.closes.get(code, 0) + 1
        if reason and code == GONE:
            self.crowd.count(reason)
        was_in, self.is_in = self.is_in, False
        if was_in:
            self.lost_at = time.perf_counter()
        if code in (4401, 4403):
            self._token = None  # come with a ticket
        pause_s = self._pause_s(was_in, reason)
        self._tries += 1
        if not self._left:
            self._pause = asyncio.get_running_loop().call_later(pause_s, self.come_in)

    def _pause_s(self, was_in: bool, reason: str) -> float:
        """As the server says; then longer and longer, as `room-client.js` does."""
        if found := RETRY_AFTER.search(reason):
            return float(found[1])
        chance = self.crowd.chance
        if was_in:
            return chance.uniform(0, self._retry_within_s)
        first_s = max(FIRST_PAUSE_S, self._retry_within_s / 4)
        longest_s = max(LONGEST_PAUSE_S, self._retry_within_s)
        return chance.uniform(0, min(longest_s, first_s * 2 ** min(self._tries, 10)))

    # Stalling

    def stall(self) -> None:
        """Read nothing any more, as a phone whose radio is gone but whose socket is not."""
        self.stalls = True
        if self.wire is not None and self.wire.transport is not None:
            sock = self.wire.transport.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_PHONE)
            self.wire.transport.pause_reading()

    def read_on(self) -> None:
        """Read again what there is to read; most likely that the server has closed."""
        self.stalls = False
        self._heard_at = time.perf_counter()
        if self.wire is not None and self.wire.transport is not None:
            self.wire.transport.resume_reading()

    @property
    def local_port(self) -> int | None:
        """The port of its end, by which the kernel knows the connection."""
        if self.wire is None or self.wire.transport is None:
            return None
        port: int = self.wire.transport.get_extra_info("sockname")[1]
        return port
