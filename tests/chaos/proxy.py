"""A TCP proxy that can be told to fail, between a client and a server that notice nothing of it.

    python -m tests.chaos.proxy LISTEN_PORT TO_PORT

reads one word per line from its standard input, does it, and answers `ok`:

    cut        reset every connection there is
    half-open  swallow what comes on every connection there is, both ways, for ever; no end of one
               side is told to the other. What connects from now on passes.
    dark       likewise, and what connects from now on is swallowed too
    refuse     reset what connects from now on
    stall      read nothing any more on the connections there are, until `pass`
    pass       let through what connects from now on, and what was stalled
    slow DELAY PERCENT STALL
               what connects from now on takes DELAY ms each way, and each 1,400 bytes have so many
               chances in a hundred to be held up for STALL ms more, with all behind them
    to PORT    another server gets what connects from now on
    count      answers `ok N`: how many connections there are

It ends with its standard input, so also when the process that started it is killed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import cast

import uvloop

from tests.chaos.slow import Slowness, SlowWay

RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time: a close sends RST instead of FIN
UNSENT = 64 * 1024  # bytes after which a side is read no more, as by the kernel of a real hop


class Side(asyncio.Protocol):
    """One end of a link; what comes in is written to the other one."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._way: SlowWay | None = None
        self._is_held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=UNSENT)
        self.transport = transport
        if self is self.link.near:
            self.link.proxy.arrived(self.link)

    def pair(self, other: Side) -> None:
        self.other = other
        if (slowness := self.link.proxy.slowness) is not None:
            self._way = SlowWay(slowness, self._arrive, self.link.proxy.next_seed())
        for data in self._early:
            self.data_received(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self.link.swallows:
            return
        if self.other is None:
            self._early.append(data)
        elif self._way is None:
            self._arrive(data)
        else:
            self._way.put(data)
            if self._way.is_full and self.transport is not None:
                self._is_held = True
                self.transport.pause_reading()

    def _arrive(self, data: bytes) -> None:
        """What this side was told, at the other one; nothing at all is its end."""
        other = self.link.far if self is self.link.near else self.link.near
        if other.transport is None:
            return
        if data:
            other.transport.write(data)
        else:
            other.transport.close()
        if self._is_held and self._way is not None and not self._way.is_full:
            self._is_held = False
            other.resume_writing()

    def end(self) -> None:
        """Nothing more comes from here: tell the other side, after all that is on its way."""
        if self._way is not None:
            self._way.put_end()
        else:
            self._arrive(b"")

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.link.stalled or self.other is None or self.other.transport is None:
            return
        self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.link.ended(self)


class Link:
    """A client's connection and ours to the server for it."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.swallows = proxy.swallows_new
        self.stalled = False
        self.near, self.far = Side(self), Side(self)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.near, self.far

    async def open(self) -> None:
        """Reach the server for a client that is here."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.far, *self.proxy.upstream)
        except OSError:
            self.reset()
            return
        if self.near.transport is None:
            self.ended(self.near)
            return
        self.near.pair(self.far)
        self.far.pair(self.near)

    def ended(self, side: Side) -> None:
        """One side has closed: tell the other, unless the network between them is gone."""
        self.proxy.links.discard(self)
        if not self.swallows:
            side.end()

    def reset(self) -> None:
        for side in self.sides:
            if side.transport is not None:
                found = side.transport.get_extra_info("socket")
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                side.transport.abort()

    def stall(self) -> None:
        self.stalled = True
        for side in self.sides:
            if side.transport is not None:
                side.transport.pause_reading()

    def go_on(self) -> None:
        if not self.stalled:
            return
        self.stalled = False
        for side in self.sides:
            if side.transport is not None:
                side.transport.resume_reading()


class FaultProxy:
    """Listens on a port of its own and hands everything on to another one, until told otherwise."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.links: set[Link] = set()
        self.swallows_new = False
        self.refuses_new = False
        self.slowness: Slowness | None = None
        self._seeds = 0
        self._server: asyncio.Server | None = None
        self.port = 0
        self._opening: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """The port on which it listens."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", port, backlog=4096)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def _accept(self) -> Side:
        return Link(self).near

    def arrived(self, link: Link) -> None:
        """A client is here."""
        if self.refuses_new:
            link.reset()
            return
        self.links.add(link)
        task = asyncio.ensure_future(link.open())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def cut(self) -> None:
        for link in list(self.links):
            link.reset()

    def half_open(self) -> None:
        for link in self.links:
            link.swallows = True

    def dark(self) -> None:
        self.half_open()
        self.swallows_new = True

    def refuse(self) -> None:
        self.refuses_new = True

    def stall(self) -> None:
        for link in self.links:
            link.stall()

    def slow(self, delay_ms: float, percent: float, stall_ms: float) -> None:
        self.slowness = Slowness(delay_ms / 1000, percent / 100, stall_ms / 1000)

    def next_seed(self) -> int:
        """The same lines stall at the same places in each run."""
        self._seeds += 1
        return self._seeds

    def let_pass(self) -> None:
        self.swallows_new = self.refuses_new = False
        for link in self.links:
            link.go_on()

    @property
    def orders(self) -> dict[str, Callable[[], None]]:
        return {
            "cut": self.cut,
            "half-open": self.half_open,
            "dark": self.dark,
            "refuse": self.refuse,
            "stall": self.stall,
            "pass": self.let_pass,
        }


class ProxyProcess:
    """A `FaultProxy` in a process of its own, so that it takes no time from who measures."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    @classmethod
    async def start(cls, to_port: int, port: int = 0) -> ProxyProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.proxy",
            str(port),
            str(to_port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        return cls(process, int(await process.stdout.readline()))

    async def tell(self, order: str) -> str:
        """Do it; returns once it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{order}\n".encode())
        answer = (await self._process.stdout.readline()).decode().strip()
        assert answer.startswith("ok"), answer
        return answer[3:]

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def serve_orders(listen: int, to: int) -> None:
    """Be a proxy that does what its standard input says."""
    proxy = FaultProxy(("127.0.0.1", to))
    print(await proxy.start(listen), flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line == "count":
            print("ok", len(proxy.links), flush=True)
            continue
        if line.startswith("to "):
            proxy.upstream = ("127.0.0.1", int(line[3:]))
        elif line.startswith("slow "):
            proxy.slow(*map(float, line.split()[1:]))
        else:
            proxy.orders[line]()
        print("ok", flush=True)
    proxy.cut()


if __name__ == "__main__":
    uvloop.run(serve_orders(int(sys.argv[1]), int(sys.argv[2])))
