"""The web process and clients that take their time, under the servers that people run."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.livecommerce.command import Running, command, environment, migrate

pytestmark = pytest.mark.process

MEGABYTE = 1_000_000
FILM_BYTES = 120 * MEGABYTE
FILM = "/media/public/clips/orchard/clip.mp4"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, int]]:
    """A web process that has one big film, and its port."""
    data = tmp_path_factory.mktemp("instance")
    migrate(data)
    put_film(data)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    serve = command("serve", "--server", request.param, "--port", str(port))
    with Running(serve, environment(data)) as running:
        running.wait_for("web is served by")
        until(lambda: answers(port))
        yield running, port


def put_film(data: Path) -> None:
    path = data / FILM.lstrip("/")
    path.parent.mkdir(parents=True)
    with path.open("wb") as film:
        film.truncate(FILM_BYTES)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.TransportError:
        return False


def until(condition: Callable[[], object], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def memory(running: Running) -> int:
    """Bytes of it that are in memory."""
    pages = Path(f"/proc/{running.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def open_films(running: Running) -> int:
    handles = Path(f"/proc/{running.process.pid}/fd").iterdir()
    return sum(links_to_film(handle) for handle in handles)


def links_to_film(handle: Path) -> bool:
    try:
        return str(handle.readlink()).endswith("clip.mp4")
    except FileNotFoundError:  # closed meanwhile
        return False


def ask_for_film(port: int) -> socket.socket:
    """A client whose own buffer is small: what it does not read stays with the server."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {FILM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def body_length(client: socket.socket, wanted: int) -> int:
    """Read up to `wanted` bytes of a response's body; how many came."""
    head, _, body = client.recv(65536).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    came = len(body)
    while came < wanted and (block := client.recv(65536)):
        came += len(block)
    return came


def test_a_reader_who_takes_nothing_costs_next_to_no_memory(web: tuple[Running, int]) -> None:
    running, port = web
    before = memory(running)
    with ask_for_film(port) as sleeper:
        until(lambda: open_films(running) == 1)
        with ask_for_film(port) as reader:  # by the time that one has it all, the other could too
            assert body_length(reader, FILM_BYTES) == FILM_BYTES
        assert memory(running) - before < 20 * MEGABYTE
        assert body_length(sleeper, FILM_BYTES) == FILM_BYTES
    until(lambda: open_films(running) == 0)


def test_a_reader_who_leaves_midway_leaves_nothing_behind(web: tuple[Running, int]) -> None:
    running, port = web
    with ask_for_film(port) as client:
        assert body_length(client, MEGABYTE) >= MEGABYTE
        assert open_films(running) == 1
    until(lambda: open_films(running) == 0)


def test_a_connection_is_kept_for_the_next_file(web: tuple[Running, int]) -> None:
    _, port = web
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for first in (0, 5):
            wanted = {"range": f"bytes={first * MEGABYTE}-{(first + 3) * MEGABYTE - 1}"}
            assert len(client.get(FILM, headers=wanted).content) == 3 * MEGABYTE


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [
        (2, {4400}),  # the socket itself says why
        (5, {1009, 1006}),  # the server; where it resets the connection, its reason may be lost
    ],
)
def test_a_big_message_is_answered(
    megabytes: int, expected: set[int], web: tuple[Running, int]
) -> None:
    _, port = web
    show = "01900000-0000-7000-8000-000000000000"
    with connect(f"ws://127.0.0.1:{port}/ws/ingest/{show}/", proxy=None) as client:
        with suppress(ConnectionClosed):
            client.send(bytes(megabytes * 1024 * 1024))
            while client.recv(timeout=10):
                pass
        assert client.close_code in expected
