"""A network that can fail: a relay between a client and the server, to be cut at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Wire:
    """`address` stands for the server; `cut` breaks all connections, as a network does.

    While `is_down`, no new ones are made. While `is_deaf`, what the server says is lost, and while
    `is_mute`, what the client says; neither side is told. The first `cuts` times that the server
    says `cut_at`, the client does not hear it and all connections break.
    """

    def __init__(self, server: str) -> None:
        self._host, _, self._port = server.partition(":")
        self._writers: set[asyncio.StreamWriter] = set()
        self.address = ""
        self.is_down = False
        self.is_deaf = False
        self.is_mute = False
        self.cut_at = b""
        self.cuts = 0

    def lead_to(self, server: str) -> None:
        """From now on stand for another server at `host:port`, as after a failover."""
        self._host, _, self._port = server.partition(":")

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        except OSError:  # nobody answers there
            writer.transport.abort()
            return
        if self.is_down:  # cut meanwhile
            writer.transport.abort()
            far_writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            _pump(reader, far_writer, lambda _block: self.is_mute),
            _pump(far_reader, writer, self._is_unheard),
        )
        self._writers -= {writer, far_writer}

    def _is_unheard(self, block: bytes) -> bool:
        if self.cuts and self.cut_at in block:
            self.cuts -= 1
            self.cut()
            return True
        return self.is_deaf


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: Callable[[bytes], bool]
) -> None:
    try:
        while block := await reader.read(65536):
            if is_lost(block):
                continue
            writer.write(block)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def wire(server: str) -> AsyncIterator[Wire]:
    """A wire to the server at `host:port`."""
    relay = Wire(server)
    listener = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    relay.address = f"{host}:{port}"
    try:
        yield relay
    finally:
        relay.is_down = True
        relay.cut()
        listener.close()
