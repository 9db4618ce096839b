"""Segments and playlists behind nginx, which carries the load: the site of `deploy/nginx.conf`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from media_pipeline import serving
from media_pipeline.storage import storage
from tests import nginx as server
from tests.realtime import QuietServer, until

pytestmark = pytest.mark.process

SEGMENT = "public/recordings/delivered/t/00007.m4s"
PLAYLIST = "public/recordings/delivered/live.m3u8"
SIGNED = "private/recordings/delivered/t/00007.m4s"
CONTENT = bytes(range(256)) * 2000


class Upstream:
    """The media files' own application; notes what it is asked, answers once `gate` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await self.gate.wait()
        if self.is_broken:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await serving.application(scope, receive, send)


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    yield made
    made.gate.set()


@pytest_asyncio.fixture
async def web(upstream: Upstream) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        host, port = listener.getsockname()
        running = QuietServer(uvicorn.Config(upstream, log_level="warning", lifespan="off"))
        serving_it = asyncio.create_task(running.serve(sockets=[listener]))
        await until(lambda: running.started)
        yield f"{host}:{port}"
        running.should_exit = True
        await serving_it


@pytest.fixture(autouse=True)
def files() -> None:
    for key in (SEGMENT, SIGNED):
        storage().write(key, CONTENT)
    storage().write(PLAYLIST, b"#EXTM3U\n")


@pytest.fixture
def front(web: str, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        yield stack.enter_context(server.nginx(tmp_path, [web]))


async def send(address: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**22)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def answer(
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> tuple[int, str, bytes]:
    """Status, head and body."""
    reader, writer = line
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.read()
    writer.close()
    return int(head.split()[1]), head.lower(), body


async def get(address: str, path: str) -> tuple[int, str, bytes]:
    return await answer(await send(address, path))


async def test_a_hundred_viewers_of_a_segment_are_one_request(
    front: str, upstream: Upstream
) -> None:
    upstream.gate.clear()
    lines = await asyncio.gather(*(send(front, f"/media/{SEGMENT}") for _viewer in range(100)))
    upstream.gate.set()
    answers = await asyncio.gather(*map(answer, lines))
    assert {(status, body) for status, _head, body in answers} == {(200, CONTENT)}
    assert len(upstream.asked) == 1
    assert "cache-control: public, max-age=31536000, s-maxage=300, immutable" in answers[0][1]


async def test_without_the_lock_they_would_be_many(
    web: str, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""
    site = server.site
    monkeypatch.setattr(
        server,
        "site",
        lambda *given: site(*given).replace("proxy_cache_lock on;", "proxy_cache_lock off;"),
    )
    upstream.gate.clear()
    with server.nginx(tmp_path, [web]) as front:
        lines = [await send(front, f"/media/{SEGMENT}") for _viewer in range(20)]
        await until(lambda: len(upstream.asked) == 20)
        upstream.gate.set()
        await asyncio.gather(*map(answer, lines))


async def test_a_playlist_is_fetched_anew_after_a_second_and_old_while_that_fails(
    front: str, upstream: Upstream
) -> None:
    for _viewer in range(5):
        status, head, _body = await get(front, f"/media/{PLAYLIST}")
        assert (status, "max-age=1" in head) == (200, True)
    assert len(upstream.asked) <= 2  # the second may turn while five ask

    storage().write(PLAYLIST, b"#EXTM3U\n#grown\n")
    await until_body(front, PLAYLIST, b"#EXTM3U\n#grown\n")

    upstream.is_broken = True
    asked = len(upstream.asked)
    while len(upstream.asked) == asked:
        assert (await get(front, f"/media/{PLAYLIST}"))[::2] == (200, b"#EXTM3U\n#grown\n")
    assert "x-cache: stale" in (await get(front, f"/media/{PLAYLIST}"))[1]


async def until_body(front: str, key: str, wanted: bytes) -> None:
    async with asyncio.timeout(30):
        while (await get(front, f"/media/{key}"))[2] != wanted:
            continue


async def test_what_is_signed_is_kept_for_nobody(front: str, upstream: Upstream) -> None:
    """Each signature is judged by the web process, each time: it may have expired."""
    url = storage().url(SIGNED)
    for _time in range(2):
        status, head, body = await get(front, url)
        assert (status, body) == (200, CONTENT)
        assert "cache-control: private" in head
    assert len(upstream.asked) == 2
    token = url.split("/")[3]
    assert (await get(front, url.replace(token, token[::-1])))[0] == 403


async def test_strangers_do_not_reach_the_hooks_of_media_servers(
    front: str, upstream: Upstream
) -> None:
    assert (await get(front, "/hooks/rtmp"))[0] == 404
    assert upstream.asked == []
