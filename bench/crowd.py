"""Thousands of sockets in one process: coming in, being told, saying something.

Plain epoll and `recv`: for one small frame on one of 500 sockets that is cheaper than any loop of
callbacks, and what it can take is measured in the same run.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench import wire
from bench.latency import TICKS_PER_S
from bench.wire import RoomFrame

# Below the 128 KiB from which malloc maps fresh memory and gives it back (`man 3 mallopt`): with
# 256 KiB that was, depending on what it had freed before, three quarters of the client's time.
READ_BYTES = 64 * 1024
EVENTS_AT_ONCE = 256  # between two looks at what is due to be sent
COMMANDS = -1  # the number of what is no socket: where the commands come from
SOCKETS_PER_ADDRESS = 10_000  # each of our own addresses has so many ports to spare
clock = time.perf_counter


class Crowd:
    """The sockets, and what each has been told. Sockets are known by number, in order."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.address = (target["host"], target["port"])
        self.request = handshake(target["path"], target["port"])
        self.pin_data: dict[str, Any] = target["pin_data"]
        self.server_pids: list[int] = target["pids"]
        self.poller = select.epoll()
        self.number_of: dict[int, int] = {}
        self.sockets: list[socket.socket] = []
        self.first_frames: list[bytes] = []
        self.joined: list[bool] = []
        self.rest: list[bytes] = []
        self.last: list[int] = []
        self.facts: list[int] = []
        self.frames: dict[bytes, RoomFrame] = {}
        self.fact_sent: list[float] = []
        self.fact_at: dict[int, int] = {}
        self.joining = 0
        self.commands = 0
        self.asked: dict[int, Callable[[dict[str, Any]], None]] = {}
        self.heard_own: Callable[[int], None] | None = None
        self.last_heard = clock()
        self.gaps = 0
        self.closed: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()

    def heed(self, commands_fd: int) -> None:
        """Let `serve` return as soon as there is something to read from there."""
        self.poller.register(commands_fd, select.EPOLLIN)
        self.number_of[commands_fd] = COMMANDS

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
        self.number_of[one.fileno()] = number
        self.sockets.append(one)
        self.first_frames.append(wire.client_frame(json.dumps({"ticket": ticket}).encode()))
        self.joined.append(False)
        self.rest.append(b"")
        self.last.append(0)
        self.facts.append(0)
        self.joining += 1
        self.poller.register(one.fileno(), select.EPOLLOUT)

    def connected(self, number: int) -> None:
        one = self.sockets[number]
        if error := one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise SystemExit(f"cannot connect: {os.strerror(error)}")
        one.send(self.request)
        self.poller.modify(one.fileno(), select.EPOLLIN)

    def greeted(self, number: int, data: bytes) -> bytes:
        """What follows the answer to the handshake; while that is not all there it is kept."""
        head, end, follows = data.partition(b"\r\n\r\n")
        if not end:
            self.rest[number] = data
            return b""
        if b" 101 " not in head[:20]:
            raise SystemExit(f"refused: {head[:200]!r}")
        self.sockets[number].send(self.first_frames[number])
        self.first_frames[number] = self.rest[number] = b""
        return follows

    # -- being told

    def serve(self, until: float) -> bool:
        """Take what comes until that moment or until there is a command (`True`)."""
        number_of, read = self.number_of, self.read
        ready = self.poller.poll(max(0.0, min(0.05, until - clock())), EVENTS_AT_ONCE)
        for fd, event in ready:
            number = number_of.get(fd)
            if number is None:
                continue
            if number == COMMANDS:
                return True
            if event & select.EPOLLOUT:
                self.connected(number)
            else:
                read(number)
        return False

    def read(self, number: int) -> None:
        try:
            data = self.sockets[number].recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if data:
            self.take(number, data, clock())
        else:
            self.lost(number, 1006)

    def take(self, number: int, data: bytes, when: float) -> None:
        """The hot path: one read of one socket, mostly one frame that is known."""
        if self.rest[number]:
            data = self.rest[number] + data
        if self.first_frames[number] and not (data := self.greeted(number, data)):
            return
        tick, at, size = int(when * TICKS_PER_S), 0, len(data)
        while at < size and (place := wire.next_frame(data, at)) is not None:
            body, end = place
            key = data[at : min(at + wire.KEY_BYTES, end)]
            frame = self.frames.get(key)
            if frame is None:
                frame = self.meet(number, data[at] & 0xF, data[body:end], key)
            if frame is not None:
                self.told(number, frame, tick)
            at = end
        self.rest[number] = data[at:]
        self.last_heard = when

    def told(self, number: int, frame: RoomFrame, tick: int) -> None:
        """Count one frame that one socket has; what it should follow on is what it had last."""
        frame.received[tick] += 1
        if frame.first != self.last[number] + 1:
            self.gaps += 1
        self.last[number] = frame.last
        if frame.facts:
            self.facts[number] += len(frame.facts)
        if self.heard_own is not None and number in frame.authors:
            self.heard_own(number)

    def meet(self, number: int, opcode: int, payload: bytes, key: bytes) -> RoomFrame | None:
        """A frame that no socket has shown yet, or one that is for this socket alone."""
        if opcode == wire.PING:
            self.sockets[number].send(wire.client_frame(payload, wire.PONG))
        elif opcode == wire.CLOSE:
            self.lost(number, int.from_bytes(payload[:2], "big"))
        if opcode != wire.TEXT or payload.startswith(b'{"now"'):
            return None
        told = json.loads(payload)
        if "events" in told:
            frame = self.frames[key] = wire.room_frame(told)
            frame.sent.extend(self.sent_at(seq) for seq in frame.facts)
            return frame
        if "hello" in told:
            self.last[number] = told["hello"]["seq"]
            self.joined[number] = True
            self.joining -= 1
        elif (answered := self.asked.pop(told.get("id"), None)) is not None:
            answered(told)
        elif "error" in told:
            self.refused[told["error"]["code"]] += 1
        return None

    def sent_at(self, seq: int) -> int:
        """When the fact in this place was sent: the log has the host's facts in their order."""
        fact = self.fact_at.setdefault(seq, len(self.fact_at))
        if fact >= len(self.fact_sent):
            raise SystemExit(f"at {seq} is a fact that nobody has sent")
        return int(self.fact_sent[fact] * TICKS_PER_S)

    def lost(self, number: int, code: int) -> None:
        if self.sockets[number].fileno() < 0:
            return
        if not self.joined[number]:
            raise SystemExit(f"socket {number} was closed before it had joined: {code}")
        self.closed[code] += 1
        self.number_of.pop(self.sockets[number].fileno())
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
        return [number for number, one in enumerate(self.sockets) if one.fileno() >= 0]


def handshake(path: str, port: int) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: bGl2ZWNvbW1lcmNlIGJlbg==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
