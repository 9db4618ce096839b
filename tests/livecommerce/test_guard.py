"""One client that sends too much, under the servers that people run: the others notice nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from livecommerce.guard import CAMERA, ROOM, GuardedDaphne
from tests.core.realtime.test_transports import serving as failing
from tests.server import Served, serving

pytestmark = pytest.mark.process

# No show: a room is told from a camera by its address, and the gate is before both.
SHOW = "01900000-0000-7000-8000-000000000000"
REQUEST = (
    f"GET /ws/shows/{SHOW}/ HTTP/1.1\r\nHost: {{host}}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)
# Below what a person notices; without a gate it took seconds.
NOTICED_AFTER_S = 1.0


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("guarded"), server=request.param) as served:
        yield served


def visit(web: Served, path: str = f"shows/{SHOW}") -> ClientConnection:
    """A socket that waits for its first frame."""
    return connect(f"ws://{web.address}/ws/{path}/", proxy=None, ping_interval=None)


def raw(web: Served, more: str = "", behind: bytes = b"") -> socket.socket:
    """A socket in a room, for sending whatever; `behind` comes in one piece with the request."""
    host, port = web.address.split(":")
    client = socket.create_connection((host, int(port)))
    client.settimeout(10)
    client.sendall(REQUEST.format(host=web.address, more=more).encode() + behind)
    if not behind:
        assert client.recv(4096).startswith(b"HTTP/1.1 101")
    return client


def masked(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def everything(client: socket.socket) -> bytes:
    """What comes until the other side ends it."""
    came = b""
    with suppress(ConnectionResetError):
        while block := client.recv(65536):
            came += block
    return came


def how_long_a_ping_takes(innocent: ClientConnection) -> float:
    started = time.monotonic()
    assert innocent.ping().wait(10)
    return time.monotonic() - started


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PING, Opcode.PONG])
def test_a_flood_of_tiny_frames_is_cut_off_with_its_reason(web: Served, opcode: Opcode) -> None:
    with visit(web) as innocent, raw(web) as rude:
        with suppress(ConnectionResetError, BrokenPipeError):
            rude.sendall(masked(b"", opcode) * 300_000)
        assert how_long_a_ping_takes(innocent) < NOTICED_AFTER_S
        came = everything(rude)
    assert closing(4429) in came
    assert came.count(b"\x8a\x00") == 0  # no ping of it was answered


def closing(code: int) -> bytes:
    return Frame(Opcode.CLOSE, code.to_bytes(2), True).serialize(mask=False)


def test_frames_hidden_behind_the_request_are_not_answered(web: Served) -> None:
    frames = masked(b"", Opcode.PING) * 100_000
    length = f"Content-Length: {len(frames)}\r\n"
    with visit(web) as innocent, raw(web, length, frames) as rude:
        assert how_long_a_ping_takes(innocent) < NOTICED_AFTER_S
        with suppress(OSError):  # it may have been shut out already
            rude.shutdown(socket.SHUT_WR)
        assert everything(rude).count(b"\x8a\x00") <= ROOM.frames


def test_pings_at_a_decent_pace_are_answered(web: Served) -> None:
    with visit(web) as client:
        for _ in range(100):
            assert client.ping().wait(10)


@pytest.mark.parametrize("size", [ROOM.message + 1, 1 << 20])
def test_a_message_too_big_for_a_room_is_closed_with_its_reason(web: Served, size: int) -> None:
    with visit(web) as client:
        with suppress(ConnectionClosed):
            client.send("x" * size)
            client.recv(timeout=10)
        assert client.close_code == 1009


def test_a_message_that_a_room_can_read_is_answered_by_it(web: Served) -> None:
    with visit(web) as client:
        client.send("x" * ROOM.message)
        assert json.loads(client.recv(timeout=10))["error"]["code"] == "invalid_input"


def test_a_message_that_never_ends_is_not_kept(web: Served) -> None:
    with raw(web) as rude:
        rude.sendall(masked(bytes(40_000), fin=False))
        rude.sendall(masked(bytes(40_000), Opcode.CONT, fin=False))
        assert closing(1009) in everything(rude)


def test_who_is_shut_out_and_goes_on_sending_is_dropped(web: Served) -> None:
    with raw(web) as rude, pytest.raises(OSError, match=r"reset|Broken pipe"):
        rude.sendall(masked(b"", Opcode.PING) * 10_000_000)  # 60 MB


def test_a_camera_may_send_more_than_a_room(web: Served) -> None:
    with visit(web, f"ingest/{SHOW}") as camera:
        camera.send(bytes(ROOM.message + 1))
        with suppress(ConnectionClosed):
            camera.recv(timeout=10)
            camera.recv(timeout=10)
        assert camera.close_code not in {1009, 4429}
    assert CAMERA.frames > 10 * ROOM.frames_per_s


def test_daphne_says_nothing_to_a_camera_that_has_just_gone() -> None:
    protocol = GuardedDaphne()
    protocol.client_addr = None
    protocol.state = GuardedDaphne.STATE_CLOSED  # the application has not heard of it yet
    protocol.serverSend('{"ack": {"next": 1}}')  # autobahn's own raises


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "goes_on"),
    [
        (b"GET /", b"a" * 4096),
        (HEAD + b"Cookie: ", b"a" * 4096),
        (HEAD, b"".join(b"X-%d: a\r\n" % number for number in range(400))),
        (CHUNKED + b"2;", b"a" * 4096),
        (CHUNKED + b"2\r\nab\r\n0\r\nX-Trailer: ", b"a" * 4096),
    ],
    ids=["address", "header", "headers", "chunk", "trailer"],
)
def test_a_request_that_never_ends_is_cut_off(web: Served, begin: bytes, goes_on: bytes) -> None:
    with visit(web) as innocent, plain(web) as rude:
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            rude.sendall(begin + goes_on * 5_000)
        assert how_long_a_ping_takes(innocent) < NOTICED_AFTER_S


def plain(web: Served) -> socket.socket:
    host, port = web.address.split(":")
    client = socket.create_connection((host, int(port)))
    client.settimeout(10)
    return client


@pytest.mark.parametrize("web", ["uvicorn"], indirect=True)
def test_a_head_that_is_too_large_is_told_so(web: Served) -> None:
    with plain(web) as rude:
        rude.sendall(HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(201)))
        assert everything(rude).startswith(b"HTTP/1.1 431 ")


def test_a_large_body_that_comes_with_its_head_is_no_large_head(web: Served) -> None:
    body = b"a" * 200_000
    length = b"Content-Length: %d\r\n" % len(body)
    with plain(web) as client:
        client.sendall(HEAD.replace(b"GET", b"POST") + length + b"\r\n" + body)
        client.sendall(HEAD + b"Cookie: " + b"a" * 8_000 + b"\r\nConnection: close\r\n\r\n")
        answers = everything(client)
    assert answers.count(b"HTTP/1.1 ") == 2
    assert b" 431 " not in answers
    assert b" 400 " not in answers


STUCK = """
import asyncio, os, signal, threading
from livecommerce import serve
serve.GONE_WITHIN_S = 0.1
async def stop(): await asyncio.sleep(0)
async def main():
    serve.on_stop_signal(asyncio.get_running_loop(), stop)
    threading.Thread(target=threading.Event().wait).start()  # as one that waits for a database
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.05)
asyncio.run(main())
"""


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    process = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(){STUCK}"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        timeout=30,
        check=False,
    )
    assert process.returncode == 1


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_an_answer_that_fails_in_its_middle_is_broken_off(server: str, tmp_path: Path) -> None:
    with failing(server, tmp_path) as (address, _log):
        own = address.replace("ws:", "http:")
        for _ in range(3):  # the first must not be the last that is noticed
            assert httpx.get(own, timeout=20).status_code == 500
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                httpx.get(f"{own}middle", timeout=20)
