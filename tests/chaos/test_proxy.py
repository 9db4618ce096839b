"""The proxy fails as it is told, and only so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.proxy import FaultProxy
from tests.realtime import until

GOODBYE = b"goodbye"


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """In front of a server that sends back what it gets, and hangs up after a goodbye."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        proxy = FaultProxy(server.sockets[0].getsockname())
        await proxy.start()
        yield proxy
        await proxy.stop()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        if data.endswith(GOODBYE):
            break
    writer.close()


class Caller:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def of(cls, proxy: FaultProxy) -> Caller:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def hears(self, text: bytes, within_s: float = 5.0) -> bool:
        self._writer.write(text)
        try:
            async with asyncio.timeout(within_s):
                return await self._reader.readexactly(len(text)) == text
        except TimeoutError:
            return False

    async def is_reset(self) -> bool:
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(20):
                await self._reader.readexactly(1)
        return True


async def test_it_lets_pass_what_it_was_not_told_to_stop(proxy: FaultProxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"hello")


async def test_a_cut_resets_who_is_there_and_lets_others_in(proxy: FaultProxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"hello")
    proxy.cut()
    assert await caller.is_reset()
    assert await (await Caller.of(proxy)).hears(b"again")


async def test_half_open_swallows_and_says_nothing(proxy: FaultProxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"hello")
    proxy.half_open()
    assert not await caller.hears(b"is anybody there?", within_s=0.2)
    assert await (await Caller.of(proxy)).hears(b"another way")


async def test_the_end_of_one_side_of_a_half_open_line_is_not_told(proxy: FaultProxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"hello")
    [link] = proxy.links
    proxy.half_open()
    caller._writer.close()
    await until(lambda: link.near.transport is None)
    assert link.far.transport is not None
    assert not link.far.transport.is_closing()
    link.reset()


async def test_a_stalled_line_goes_on_where_it_was(proxy: FaultProxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"hello")
    proxy.stall()
    assert not await caller.hears(b"wait", within_s=0.2)
    proxy.let_pass()
    assert await caller._reader.readexactly(4) == b"wait"


async def test_who_is_refused_is_reset(proxy: FaultProxy) -> None:
    proxy.refuse()
    assert await (await Caller.of(proxy)).is_reset()


async def test_a_slow_line_is_late_and_in_order_and_ends_after_its_last_word(
    proxy: FaultProxy,
) -> None:
    proxy.slow(50, 5, 100)
    caller = await Caller.of(proxy)
    said = bytes(range(256)) * 700
    began = asyncio.get_running_loop().time()
    assert await caller.hears(said)
    passed_s = asyncio.get_running_loop().time() - began
    stalls = len(said) / 1400 * 0.05
    assert 0.1 + 0.1 * stalls / 3 < passed_s < 30
    caller._writer.write(GOODBYE)
    async with asyncio.timeout(20):
        assert await caller._reader.read() == GOODBYE
