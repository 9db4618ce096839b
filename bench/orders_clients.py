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
from collections import deque
from typing import Any

from bench import wire
from bench.orders_tally import Tally

EVERY_S = 0.051
"""The room takes twenty commands a second from one socket, and a buyer here wants more."""
SOCKETS_OF_ONE, SOCKETS_OF_ALL = 8, 128

DELIVERY = {
    "kind": "courier",
    "name": "Li",
    "phone": "13800138000",
    "region": "",
    "address": "8 River Street",
}
CSRF = "c" * 32
ANSWER = b'{"id":'


class Buyer:
    """Somebody who orders, waits for the answer, and orders again."""

    tally: Tally

    def __init__(self, number: int, asked: dict[str, Any]) -> None:
        self.number, self.asked = number, asked
        self.world = asked["world"]
        self.turn = number
        self.ended = asyncio.get_running_loop().create_future()
        self.every_s = asked["clients"] / asked["per_s"] if asked["per_s"] else 0.0

    async def open(self) -> None:
        raise NotImplementedError

    def begin(self, tally: Tally) -> None:
        """Order for the first time. Spread, or all would do so in one moment of each turn."""
        self.tally = tally
        self.due = time.perf_counter() + self.every_s * self.number / self.asked["clients"]
        self.next()

    def lost(self) -> None:
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
        self.due += self.every_s
        self.next()


class HttpBuyer(Buyer, asyncio.Protocol):
    """POST /api/v1/orders over one kept connection."""

    async def open(self) -> None:
        await connect(self, self.asked["port"])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.data = bytearray()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost()

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
    """`order.place` in the room, by several sockets in turn, each no faster than the room takes."""

    async def open(self) -> None:
        count = min(SOCKETS_OF_ONE, max(2, SOCKETS_OF_ALL // self.asked["clients"]))
        self.sockets = deque(RoomSocket(self) for _ in range(count))
        for one in self.sockets:
            await connect(one, self.asked["port"])
            await one.is_open

    def send(self, order: dict[str, Any]) -> None:
        wait = self.sockets[0].free_at - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.send, order)
            return
        self.sockets[0].order(order)
        self.sockets.rotate(-1)


class RoomSocket(asyncio.Protocol):
    """One socket of a buyer. It is told of everybody's orders besides."""

    def __init__(self, buyer: RoomBuyer) -> None:
        self.buyer = buyer
        self.data = bytearray()
        self.commands, self.free_at = 0, 0.0
        self.is_open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        world = self.buyer.world
        head = (
            f"GET /ws/shows/{world['show']}/ HTTP/1.1\r\nHost: localhost\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://localhost\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            f"Cookie: sessionid={world['sessions'][self.buyer.number]}\r\n\r\n"
        )
        transport.write(head.encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.buyer.lost()

    def order(self, order: dict[str, Any]) -> None:
        self.commands += 1
        self.free_at = time.perf_counter() + EVERY_S
        keyed = {"key": uuid.uuid4().hex, **order}
        self.transport.write(wire.command(self.commands, "order.place", keyed))

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.is_open.done():
            head = self.data.find(b"\r\n\r\n")
            if head < 0:
                return
            if not self.data.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(self.data[:500]))
            del self.data[: head + 4]
            self.is_open.set_result(None)
        at = 0
        while (found := wire.next_frame(self.data, at)) is not None:
            begins, at = found
            if self.data.startswith(ANSWER, begins):
                said = bytes(self.data[begins:at])
                self.buyer.answered(placed=b'"ok":' in said[:40], said=said)
        del self.data[:at]


async def connect(protocol: asyncio.Protocol, port: int) -> None:
    await asyncio.get_running_loop().create_connection(lambda: protocol, "127.0.0.1", port)


async def run(asked: dict[str, Any]) -> dict[str, Any]:
    kind = {"http": HttpBuyer, "socket": RoomBuyer}[asked["way"]]
    buyers = [kind(number, asked) for number in range(asked["clients"])]
    for buyer in buyers:
        await buyer.open()
    tally = Tally(warm_s=asked["warm_s"], for_s=asked["for_s"])
    for buyer in buyers:
        buyer.begin(tally)
    before = time.process_time()
    await asyncio.gather(*(buyer.ended for buyer in buyers))
    used = (time.process_time() - before) / (asked["warm_s"] + asked["for_s"])
    return {**tally.told(), "client_cpu_pct": round(used * 100, 1)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
