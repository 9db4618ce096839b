"""Thousands of sockets in one process: coming in, being told, saying something.

What is done for each frame of each socket is C (bench/crowd.c), so that the load client is not the
limit; what that asks for is here: to understand each new frame once, and all that is rarer.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench import hot, wire
from bench.latency import TICKS_PER_S
from bench.wire import RoomFrame

NS_PER_S = 1_000_000_000
SOCKETS_AT_MOST = 32_768
SOCKETS_PER_ADDRESS = 10_000  # each of our own addresses has so many ports to spare
clock = time.perf_counter


class Crowd:
    """The sockets, and what each has been told. Sockets are known by number, in order."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.address = (target["host"], target["port"])
        self.request = handshake(target["path"], target["port"])
        self.pin_data: dict[str, Any] = target["pin_data"]
        self.server_pids: list[int] = target["pids"]
        self.sockets: list[socket.socket] = []
        self.first_frames: list[bytes] = []
        self.joined: list[bool] = []
        self.frames: list[RoomFrame] = []
        self.fact_sent: list[float] = []
        self.fact_at: dict[int, int] = {}
        self.joining = 0
        self.commands = 0
        self.asked: dict[int, Callable[[dict[str, Any]], None]] = {}
        self.closed: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()
        self._heard_own: Callable[[int], None] | None = None
        self._failed: BaseException | None = None
        self._poller = select.epoll()
        self._hot = hot.library()
        self._each = (hot.SocketState * SOCKETS_AT_MOST)()
        self._all = hot.CrowdState(
            sockets=self._each,
            call=hot.Call(self._called),
            epoll=self._poller.fileno(),
            ns_per_tick=NS_PER_S // TICKS_PER_S,
            heard_ns=time.perf_counter_ns(),
        )

    def close(self) -> None:
        """Close all sockets and forget everything."""
        for number in self.still():
            self._drop(number)
        self._hot.crowd_forget(self._all)
        self._poller.close()

    def heed(self, commands_fd: int) -> None:
        """Let `serve` return as soon as there is something to read from there."""
        self._hot.crowd_heed(self._all, commands_fd, hot.COMMANDS, True, False)

    # -- what was counted

    @property
    def there(self) -> list[hot.SocketState]:
        """What is known of each socket, also of those that are closed."""
        return self._each[: len(self.sockets)]

    @property
    def last(self) -> list[int]:
        """Up to where each socket was told."""
        return [one.last for one in self.there]

    @property
    def facts(self) -> list[int]:
        """How many facts each socket was told."""
        return [one.facts for one in self.there]

    @property
    def gaps(self) -> int:
        found: int = self._all.gaps
        return found

    @property
    def last_heard(self) -> float:
        """When anything came last (`clock`)."""
        found: int = self._all.heard_ns
        return found / NS_PER_S

    def received(self, number: int) -> dict[int, int]:
        """Of the frame with this number, in which tick how many sockets had it."""
        found = ctypes.POINTER(hot.Received)()
        count = self._hot.crowd_received(self._all, number, ctypes.byref(found))
        return {one.tick: one.sockets for one in found[:count]}

    def forget(self) -> None:
        """Count anew: frames that came before are of no interest any more."""
        self._hot.crowd_forget(self._all)
        self._all.gaps = 0
        for one in self.there:
            one.facts = 0
        for gone in (self.frames, self.asked, self.closed, self.refused):
            gone.clear()

    # -- coming in

    def open(self, ticket: str | None) -> None:
        number = len(self.sockets)
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Closed by a reset: thousands of ports in TIME_WAIT would be short in the next run.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.bind((f"127.0.0.{2 + number // SOCKETS_PER_ADDRESS}", 0))
        one.connect_ex(self.address)
        self.sockets.append(one)
        self.first_frames.append(wire.client_frame(json.dumps({"ticket": ticket}).encode()))
        self.joined.append(False)
        self.joining += 1
        self._each[number].fd = one.fileno()
        self._hot.crowd_heed(self._all, one.fileno(), number, True, True)

    def connected(self, number: int) -> None:
        one = self.sockets[number]
        if error := one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise SystemExit(f"cannot connect: {os.strerror(error)}")
        one.send(self.request)
        self._hot.crowd_heed(self._all, one.fileno(), number, False, False)

    def greeted(self, number: int, head: bytes) -> None:
        """The whole answer to the handshake is there."""
        if b" 101 " not in head[:20]:
            raise SystemExit(f"refused: {head[:200]!r}")
        self.sockets[number].send(self.first_frames[number])
        self.first_frames[number] = b""

    # -- being told

    def serve(self, until: float) -> bool:
        """Take what comes until that moment or until there is a command (`True`)."""
        wait_s = max(0.0, min(0.05, until - clock()))
        found: int = self._hot.crowd_serve(self._all, math.ceil(1000 * wait_s))
        self._raise_what_failed()
        return found == 1

    def take(self, number: int, data: bytes, when: float) -> None:
        """As if one read of this socket had given that, at that moment."""
        self._hot.crowd_take(self._all, number, data, len(data), int(when * TICKS_PER_S))
        self._raise_what_failed()

    def _called(self, what: int, number: int, detail: int, data: int | None, size: int) -> int:
        try:
            return self._answer(what, number, detail, ctypes.string_at(data, size) if data else b"")
        except BaseException as error:  # C cannot pass it on
            self._failed = error
            return hot.FAILED

    def _raise_what_failed(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _answer(self, what: int, number: int, detail: int, data: bytes) -> int:
        """What C asks for: the number of the frame where it shows one."""
        if what == hot.MET:
            return self.meet(number, detail, data)
        if what == hot.OWN and self._heard_own is not None:
            self._heard_own(number)
        elif what == hot.LOST:
            self.lost(number, detail)
        elif what == hot.CONNECTED:
            self.connected(number)
        elif what == hot.GREETED:
            self.greeted(number, data)
        return hot.NO_FRAME

    def hear_own(self, heard: Callable[[int], None] | None) -> None:
        """Call this with the number of each socket that is told what it said itself."""
        self._heard_own = heard
        self._all.wants_own = heard is not None

    def meet(self, number: int, opcode: int, payload: bytes) -> int:
        """A frame that no socket has shown yet, or one that is for this socket alone."""
        if opcode == wire.PING:
            self.sockets[number].send(wire.client_frame(payload, wire.PONG))
        elif opcode == wire.CLOSE:
            self.lost(number, int.from_bytes(payload[:2], "big"))
        if opcode != wire.TEXT:
            return hot.NO_FRAME
        told = json.loads(payload)
        if "events" in told:
            return self.know(wire.room_frame(told))
        if "hello" in told:
            self._each[number].last = told["hello"]["seq"]
            self.joined[number] = True
            self.joining -= 1
        elif (answered := self.asked.pop(told.get("id"), None)) is not None:
            answered(told)
        elif "error" in told:
            self.refused[told["error"]["code"]] += 1
        return hot.NO_FRAME

    def know(self, frame: RoomFrame) -> int:
        """Count this frame from now on, by the number that is returned."""
        frame.sent.extend(self.sent_at(seq) for seq in frame.facts)
        self.frames.append(frame)
        count = len(frame.authors)
        authors = (ctypes.c_int64 * count)(*frame.authors)
        number: int = self._hot.crowd_know(
            self._all, frame.first, frame.last, len(frame.facts), authors, count
        )
        return number

    def sent_at(self, seq: int) -> int:
        """When the fact in this place was sent: the log has the host's facts in their order."""
        fact = self.fact_at.setdefault(seq, len(self.fact_at))
        if fact >= len(self.fact_sent):
            raise SystemExit(f"at {seq} is a fact that nobody has sent")
        return int(self.fact_sent[fact] * TICKS_PER_S)

    def lost(self, number: int, code: int) -> None:
        if self._each[number].fd < 0:
            return
        if not self.joined[number]:
            raise SystemExit(f"socket {number} was closed before it had joined: {code}")
        self.closed[code] += 1
        self._drop(number)

    def _drop(self, number: int) -> None:
        self._hot.crowd_drop(self._each[number])
        self.sockets[number].close()

    # -- saying something

    def say(self, number: int, answered: Callable[[dict[str, Any]], None]) -> None:
        sent_at = clock()
        self.ask(number, "chat.send", {"text": wire.stamped(sent_at, number)}, answered)

    def ask(
        self,
        number: int,
        do: str,
        data: dict[str, Any],
        answered: Callable[[dict[str, Any]], None],
    ) -> None:
        self.commands += 1
        self.asked[self.commands] = answered
        try:
            self.sockets[number].send(wire.command(self.commands, do, data))
        except OSError:
            self.refused["lost"] += 1

    def still(self) -> list[int]:
        """The numbers of those who are there."""
        return [number for number, one in enumerate(self.there) if one.fd >= 0]


def handshake(path: str, port: int) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: bGl2ZWNvbW1lcmNlIGJlbg==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
