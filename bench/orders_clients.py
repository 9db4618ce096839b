"""Buyers who order over HTTP or in the room, from a process of their own.

Reads one JSON object from standard input: `world` (what `bench.orders_world` printed), `port`,
`way` ("http" or "socket"), `clients`, `variants`, `warm_s`, `for_s`, and `per_s`: how many orders
begin in a second over all clients, or null for as many as are answered. An order that had to wait
for its client's last one is counted from the moment at which it should have begun.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

from bench import wire
from bench.orders_tally import Tally

EVERY_S = 0.051
"""The room takes twenty commands a second from one socket."""

DELIVERY = {
    "kind": "courier",
    "name": "Li",
    "phone": "13800138000",
    "region": "",
    "address": "8 River Street",
}
CSRF = "c" * 32
ANSWER = b'{"id":'


class Buyer(asyncio.Protocol):
    """One connection that orders, waits for the answer, and orders again."""

    least_s = 0.0
    """From one order to the next."""

    def __init__(self, number: int, asked: dict[str, Any], tally: Tally) -> None:
        self.number, self.asked, self.tally = number, asked, tally
        self.world = asked["world"]
        self.turn = number
        self.data = bytearray()
        self.ended = asyncio.get_running_loop().create_future()
        self.every_s = asked["clients"] / asked["per_s"] if asked["per_s"] else 0.0
        # Spread, or all would order in the same moment of each turn.
        self.due = time.perf_counter() + self.every_s * number / asked["clients"]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.begin()

    def begin(self) -> None:
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(f"client {self.number} was cut off"))

    def next(self) -> None:
        """Order when it is due."""
        if not self.tally.goes_on():
            if not self.ended.done():
                self.ended.set_result(None)
            return
        wait = self.due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.order)
        else:
            self.order()

    def order(self) -> None:
        if not self.every_s:
            self.due = time.perf_counter()
        offers = self.world["offers"][: self.asked["variants"]]
        line = {
            "offer_id": offers[self.turn % len(offers)],
            "quantity": 1,
            "price_minor": self.world["price_minor"],
        }
        self.turn += self.asked["clients"]
        total = {"total_minor": self.world["price_minor"]}
        self.send({"lines": [line], "delivery": DELIVERY, **total})

    def send(self, order: dict[str, Any]) -> None:
        raise NotImplementedError

    def answered(self, *, placed: bool, said: bytes) -> None:
        if not placed:
            self.tally.refused += 1
            if self.tally.refused == 1:
                print(said[:2000], file=sys.stderr)
        else:
            self.tally.add(self.due, time.perf_counter())
        self.due += max(self.every_s, self.least_s)
        self.next()


class HttpBuyer(Buyer):
    """POST /api/v1/orders over one kept connection."""

    def send(self, order: dict[str, Any]) -> None:
        body = json.dumps({"show_id": self.world["show"], **order}).encode()
        head = (
            "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Cookie: sessionid={self.world['sessions'][self.number]}; csrftoken={CSRF}\r\n"
            f"X-CSRFToken: {CSRF}\r\nIdempotency-Key: {uuid.uuid4().hex}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        self.data += data
        head = self.data.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = bytes(self.data[:head]).lower().split(b"\r\n")
        sizes = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        if not sizes:
            raise ConnectionError(bytes(self.data[:1000]))
        if len(self.data) < (size := head + 4 + sizes[0]):
            return
        said = bytes(self.data[:size])
        del self.data[:size]
        self.answered(placed=lines[0].startswith(b"http/1.1 201"), said=said)


class RoomBuyer(Buyer):
    """`order.place` over the room's socket, which tells of everybody's orders besides."""

    least_s = EVERY_S

    def begin(self) -> None:
        self.is_open, self.commands = False, 0
        head = (
            f"GET /ws/shows/{self.world['show']}/ HTTP/1.1\r\nHost: localhost\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://localhost\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            f"Cookie: sessionid={self.world['sessions'][self.number]}\r\n\r\n"
        )
        self.transport.write(head.encode())

    def send(self, order: dict[str, Any]) -> None:
        self.commands += 1
        keyed = {"key": uuid.uuid4().hex, **order}
        self.transport.write(wire.command(self.commands, "order.place", keyed))

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.is_open:
            head = self.data.find(b"\r\n\r\n")
            if head < 0:
                return
            if not self.data.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(self.data[:500]))
            del self.data[: head + 4]
            self.is_open = True
            self.next()
        at = 0
        while (found := wire.next_frame(self.data, at)) is not None:
            begins, at = found
            if self.data.startswith(ANSWER, begins):
                said = bytes(self.data[begins:at])
                self.answered(placed=b'"ok":' in said[:40], said=said)
        del self.data[:at]


async def run(asked: dict[str, Any]) -> dict[str, Any]:
    tally = Tally(warm_s=asked["warm_s"], for_s=asked["for_s"])
    kind = {"http": HttpBuyer, "socket": RoomBuyer}[asked["way"]]
    loop = asyncio.get_running_loop()
    buyers = []
    for number in range(asked["clients"]):
        _transport, buyer = await loop.create_connection(
            lambda number=number: kind(number, asked, tally),  # type: ignore[misc]
            "127.0.0.1",
            asked["port"],
        )
        buyers.append(buyer)
    before = time.process_time()
    await asyncio.gather(*(buyer.ended for buyer in buyers))
    used = (time.process_time() - before) / (asked["warm_s"] + asked["for_s"])
    return {**tally.told(), "client_cpu_pct": round(used * 100, 1)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
