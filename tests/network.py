"""A network that can fail: a relay between a client and the server, to be cut at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """`address` stands for the server; `cut` breaks all connections, as a network does.

    While `is_down`, no new ones are made.
    """

    def __init__(self, server: str) -> None:
        self._host, _, self._port = server.partition(":")
        self._writers: set[asyncio.StreamWriter] = set()
        self.address = ""
        self.is_down = False

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(65536):
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
        relay.cut()
        listener.close()
