"""Viewers of a live picture without a screen: `python -m bench.live_crowd WAY URL SHOW COUNT`.

WAY is `mse` (the live socket, everything read) or `hls` (as hls.js asks: the playlist once a
second, each new segment once). Says `ready` when everybody has had something, and, when its
standard input ends, what they had, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from urllib.parse import urljoin, urlsplit

import httpx
import uvloop
from websockets.asyncio.client import connect

POLL_EVERY_S = 1.0
VARIANT = re.compile(r"#EXT-X-STREAM-INF:.*?BANDWIDTH=(\d+).*\n(.+)")


class Had:
    """What all viewers had so far."""

    def __init__(self, count: int) -> None:
        self.bytes = 0
        self.pieces = 0
        self._missing = set(range(count))
        self.everybody = asyncio.Event()

    def note(self, viewer: int, size: int) -> None:
        self.bytes += size
        self.pieces += 1
        self._missing.discard(viewer)
        if not self._missing:
            self.everybody.set()


async def watch_mse(viewer: int, url: str, show: str, had: Had) -> None:
    address = f"{url.replace('http', 'ws', 1)}/ws/live/{show}/?rendition=source"
    async with connect(address, proxy=None, compression=None, max_size=None) as socket:
        await socket.send('{"ticket": null}')
        async for message in socket:
            if isinstance(message, bytes):
                had.note(viewer, len(message))


async def watch_hls(viewer: int, playlist: str, had: Had) -> None:
    line = Line(playlist)
    await line.open()
    seen: set[str] = set()
    while True:
        began = asyncio.get_running_loop().time()
        listed = [one for one in (await line.get(playlist)).decode().splitlines() if one]
        segments = [urljoin(playlist, one) for one in listed if not one.startswith("#")]
        if not seen:
            seen |= set(segments[:-3])  # a player begins three segments before the end
        for segment in segments:
            if segment not in seen:
                seen.add(segment)
                had.note(viewer, len(await line.get(segment)))
        passed_s = asyncio.get_running_loop().time() - began
        await asyncio.sleep(max(0.0, POLL_EVERY_S - passed_s))


class Line:
    """One connection that is kept, as a browser keeps it. Costs little, so that a hundred fit."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    async def get(self, url: str) -> bytes:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        if not head.startswith("http/1.1 200"):
            raise SystemExit(f"{url}: {head.splitlines()[0]}")
        found = re.search(r"content-length: (\d+)", head)
        if found is None:
            raise SystemExit(f"{url}: an answer without a length")
        return await self._reader.readexactly(int(found[1]))


def source_playlist(url: str, show: str) -> str:
    """The address of the source's own playlist."""
    playback = httpx.get(f"{url}/shows/{show}/playback/").raise_for_status().json()
    address: str = urljoin(url, playback["live_url"])
    variants = VARIANT.findall(httpx.get(address).raise_for_status().text)
    if not variants:
        return address
    _, best = max((int(bits), str(uri)) for bits, uri in variants)
    return urljoin(address, best.strip())


async def main(way: str, url: str, show: str, count: int) -> None:
    had = Had(count)
    playlist = source_playlist(url, show) if way == "hls" else ""
    viewers = [
        asyncio.create_task(
            watch_hls(number, playlist, had) if way == "hls" else watch_mse(number, url, show, had)
        )
        for number in range(count)
    ]
    everybody = asyncio.create_task(had.everybody.wait())
    await asyncio.wait([everybody, *viewers], return_when=asyncio.FIRST_COMPLETED)
    if not everybody.done():
        raise SystemExit("a viewer was sent away")
    before = had.bytes, had.pieces
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    left = sum(one.done() for one in viewers)
    told = {"bytes": had.bytes - before[0], "pieces": had.pieces - before[1], "left": left}
    print(json.dumps(told), flush=True)
    for one in viewers:
        one.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
