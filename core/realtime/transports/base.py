"""What the sockets of all servers have in common."""

from __future__ import annotations

import asyncio
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from core.realtime.frames import Media, Prepared, wire_of

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Some ten seconds of a room with 100 messages a second, or one catch-up of 500 events: more than
# a socket that keeps up ever owes, and 1 % stalled of 5,000 sockets cost 13 MB.
WAITING_AT_MOST = 256 * 1024
STALLED_S = 3.5
CLOSED_WITHIN_S = 1.0

# What the kernel keeps of a client that reads nothing grows to megabytes, unseen by us, before the
# server's own buffer is the first to fill. So little unsent is a stall that shows within seconds.
UNSENT_AT_MOST = 16 * 1024
# A phone that is gone without a word acknowledges nothing. The heartbeat is always under way, so
# that this stands for pings, which would cost each socket two timers.
UNACKNOWLEDGED_S = 20
TCP_OPTIONS = {
    "TCP_NOTSENT_LOWAT": UNSENT_AT_MOST,
    "TCP_USER_TIMEOUT": UNACKNOWLEDGED_S * 1000,
}


def watch_over(connection: Any) -> None:
    """Let the kernel keep little of what is written, and give up a client that is gone.

    `connection` has `setsockopt`; a system that lacks an option, or no TCP, does without.
    """
    for name, value in TCP_OPTIONS.items():
        with suppress(OSError):
            if option := getattr(socket, name, None):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


class Socket(ABC):
    """Somewhere to write.

    `viewer_key` is the same for all sockets of one person and `None` for who is not counted;
    `person` is set for all who are signed in. `hears_all` spares a host the thinning of chat.
    """

    __slots__ = ("code", "hears_all", "person", "viewer_key")

    def __init__(self) -> None:
        self.viewer_key: str | None = None
        self.person: str | None = None
        self.hears_all = False
        self.code: int | None = None

    @property
    def is_closing(self) -> bool:
        return self.code is not None

    @abstractmethod
    def offer(self, frame: Prepared) -> bool:
        """Take the frame for sending, without waiting; `False` if this socket cannot keep up."""

    @abstractmethod
    def answer(self, text: str) -> bool:
        """`offer` for a frame that is for this socket alone."""

    @abstractmethod
    def owes(self) -> int:
        """The bytes that wait here for this client, after `release`."""

    @abstractmethod
    def pass_on(self, media: Media) -> None:
        """Send this behind what waits, after `release`, whatever that is: `owes` was asked."""

    @abstractmethod
    def release(self, *first: str) -> None:
        """Begin to send: these frames, then whatever was offered meanwhile."""

    @abstractmethod
    def close(self, code: int, reason: str = "") -> None:
        """Send nothing more and close. The first code is the one that is told."""

    @abstractmethod
    def gone(self) -> None:
        """The other side is gone: send nothing more."""


class Patience:
    """How long a socket may owe bytes: until too many wait, or none has left for too long."""

    __slots__ = ("_since", "_without_progress")

    def __init__(self) -> None:
        self._without_progress = 0
        self._since = 0.0

    def lasts(self, waiting: int, more: int) -> bool:
        """Whether `more` bytes may join the `waiting` ones, of which there are some."""
        if not 0 < self._without_progress <= waiting:  # the first to wait, or some have left
            self._without_progress = waiting
            self._since = time.monotonic()
        self._without_progress += more
        enough = waiting + more <= WAITING_AT_MOST
        return enough and time.monotonic() - self._since < STALLED_S


class DirectSocket(Socket):
    """A socket that writes to its server's transport, in step with what the server writes.

    Nothing is written before `release`, so that what the room tells while the first frame is
    being prepared comes after it.
    """

    __slots__ = ("_early", "_early_bytes", "_patience")

    def __init__(self) -> None:
        super().__init__()
        self._early: list[bytes] | None = []
        self._early_bytes = 0
        self._patience: Patience | None = None  # made for those who keep the server waiting

    def offer(self, frame: Prepared) -> bool:
        return self._take(frame.wire)

    def answer(self, text: str) -> bool:
        return self._take(wire_of(text.encode()))

    def owes(self) -> int:
        return self._waiting() if self.code is None and self._is_open() else 0

    def pass_on(self, media: Media) -> None:
        if self.code is None and self._is_open():
            self._write(media.wire)

    def release(self, *first: str) -> None:
        early, self._early = self._early, None
        frames = [wire_of(text.encode()) for text in first] + (early or [])
        if self.code is None and self._is_open():
            self._write(b"".join(frames))

    def close(self, code: int, reason: str = "") -> None:
        if self.code is not None:
            return
        self.code = code
        self._early = None
        if self._is_open():
            self._write_close(code, reason)
            asyncio.get_running_loop().call_later(CLOSED_WITHIN_S, self._abort_if_stuck)

    def gone(self) -> None:
        self.code = self.code or 1000
        self._early = None

    def _take(self, wire: bytes) -> bool:
        if self._early is not None:
            self._early_bytes += len(wire)
            self._early.append(wire)
            return self._early_bytes <= WAITING_AT_MOST
        if self.code is not None or not self._is_open():
            return True
        waiting = self._waiting()
        if waiting == 0:
            self._patience = None
        elif not self._keeps_up(waiting, len(wire)):
            return False
        self._write(wire)
        return True

    def _keeps_up(self, waiting: int, more: int) -> bool:
        if self._patience is None:
            self._patience = Patience()
        return self._patience.lasts(waiting, more)

    def _abort_if_stuck(self) -> None:
        """A client that reads nothing does not read the close either."""
        if self._waiting() > 0:
            self._abort()

    @abstractmethod
    def _is_open(self) -> bool:
        """Whether the server would still send data itself."""

    @abstractmethod
    def _waiting(self) -> int:
        """The bytes that the operating system has not taken yet; 0 if the connection is gone."""

    @abstractmethod
    def _write(self, wire: bytes) -> None:
        """Write whole frames; `_is_open` has just been seen to."""

    @abstractmethod
    def _write_close(self, code: int, reason: str) -> None:
        """Close as the server would, behind what waits."""

    @abstractmethod
    def _abort(self) -> None:
        """Drop the connection with everything that waits."""
