"""How much one client may send: frames and bytes are counted before a server looks into them.

A server parses everything that one read brings before any of it is answered, and answers pings by
itself: without a gate, two megabytes of empty frames keep everybody else waiting for seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

TOO_BIG = 1009
TOO_MANY = 4429
OPCODE, CONTROL, CONTINUES = 0x0F, 0x08, 0x00
MASKED, LENGTH, LENGTH_IN_2, LENGTH_IN_8 = 0x80, 0x7F, 126, 127


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may send: at once, and each second from then on.

    `message` is for the bytes of one message, also one that never ends.
    """

    message: int
    frames: int
    frames_per_s: int
    bytes: int
    bytes_per_s: int


class Gate:
    """Follows the frames of one connection, from the first byte behind its handshake."""

    __slots__ = (
        "_at",
        "_bytes",
        "_frames",
        "_head",
        "_limits",
        "_message",
        "_refused",
        "_skip",
        "is_shut",
    )

    def __init__(self, limits: Limits, moment: float) -> None:
        self._limits = limits
        self._frames = float(limits.frames)
        self._bytes = float(limits.bytes)
        self._at = moment
        self._head = b""  # of a frame whose header has not come completely
        self._skip = 0  # of a frame's payload that is still to come
        self._message = 0
        self.is_shut = False
        self._refused = 0

    def code(self, data: bytes, moment: float) -> int | None:
        """`None` if the data may go on to the server, or what to close the connection with.

        `moment` is when it came, in seconds of a clock that only goes forward.

        With a code the gate is shut, and the data belongs thrown away like all that follows.
        """
        self._refill(moment)
        code = self._code(data)
        self.is_shut = code is not None
        return code

    def refused(self, data: bytes) -> int:
        """How many bytes have come since the gate is shut, with these."""
        self._refused += len(data)
        return self._refused

    def _code(self, data: bytes) -> int | None:
        self._bytes -= len(data)
        if self._bytes < 0:
            return TOO_MANY
        at = min(self._skip, len(data))
        self._skip -= at
        if at < len(data):
            return self._count(self._head + data if self._head else data, at)
        return None

    def _refill(self, moment: float) -> None:
        limits = self._limits
        passed_s, self._at = moment - self._at, moment
        self._frames = min(limits.frames, self._frames + passed_s * limits.frames_per_s)
        self._bytes = min(limits.bytes, self._bytes + passed_s * limits.bytes_per_s)

    def _count(self, data: bytes, at: int) -> int | None:
        """The frames that begin from `at` on."""
        self._head = b""
        while at < len(data):
            if len(data) - at < 2 or len(data) - at < (head := _head_length(data[at + 1])):
                self._head = data[at:]
                return None
            if (code := self._frame(data[at], _payload_length(data, at))) is not None:
                return code
            at += head + self._skip
            self._skip = 0
        self._skip = at - len(data)
        return None

    def _frame(self, first: int, length: int) -> int | None:
        self._skip = length
        self._frames -= 1
        if self._frames < 0:
            return TOO_MANY
        opcode = first & OPCODE
        if not opcode & CONTROL:
            self._message = length + (self._message if opcode == CONTINUES else 0)
            length = self._message
        return TOO_BIG if length > self._limits.message else None


def _head_length(second: int) -> int:
    extended = {LENGTH_IN_2: 2, LENGTH_IN_8: 8}.get(second & LENGTH, 0)
    return 2 + extended + (4 if second & MASKED else 0)


def _payload_length(data: bytes, at: int) -> int:
    short = data[at + 1] & LENGTH
    if short < LENGTH_IN_2:
        return short
    return int.from_bytes(data[at + 2 : at + (4 if short == LENGTH_IN_2 else 10)])
