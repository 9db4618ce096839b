"""Sockets that write to their server's transport, over real connections to both servers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core.realtime.transports import base
from core.realtime.transports.base import WAITING_AT_MOST, Patience
from tests.server import ROOT, free_port

KINDS = {"uvicorn": "UvicornSocket", "daphne": "DaphneSocket"}


@contextmanager
def serving(server: str, folder: Path, *more: str) -> Iterator[tuple[str, Path]]:
    port, log = free_port(), folder / "server.log"
    command = [sys.executable, "-m", "tests.core.realtime.socket_server", server, str(port), *more]
    environment = {**os.environ, "LIVECOMMERCE_DATA": str(folder)}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        until(lambda: "web is served by" in log.read_text() or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        yield f"ws://127.0.0.1:{port}/", log
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sockets")
    with serving(request.param, folder) as (url, _):
        with client(url) as one:
            assert ask(one, "kind") == KINDS[request.param]
        yield url


def client(url: str, max_queue: int = 16) -> ClientConnection:
    return connect(url, compression=None, proxy=None, max_queue=max_queue)


def ask(one: ClientConnection, what: str) -> str:
    one.send("release")
    one.send(what)
    return str(one.recv(timeout=10))


@contextmanager
def sleeper(url: str) -> Iterator[socket.socket]:
    """A client that shakes hands, is released, and then reads nothing."""
    host, port = url.removeprefix("ws://").strip("/").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(15)
    raw.connect((host, int(port)))
    raw.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 101 " in raw.recv(4096)
    raw.sendall(b"\x81\x87\0\0\0\0release")
    with raw:
        yield raw


def test_what_is_offered_before_the_hello_comes_after_it(server: str) -> None:
    with client(server) as one:
        one.send("offer early1 early2")
        one.send("answer early3")
        one.send("release hello missed")
        one.send("offer late")
        told = [one.recv(timeout=10) for _ in range(6)]
    assert told == ["hello", "missed", "early1", "early2", "early3", "late"]


def test_answers_and_events_keep_their_order(server: str) -> None:
    with client(server) as one:
        one.send("release")
        one.send("both 500")
        told = [one.recv(timeout=10) for _ in range(1000)]
    assert told == [f"{what} {n}" for n in range(500) for what in ("event", "answer")]


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_of_any_length_are_whole(size: int, server: str) -> None:
    with client(server) as one:
        one.send("release")
        one.send(f"flood 1 {size}")
        assert one.recv(timeout=10) == "x" * size


def test_pings_and_closing_handshakes_work_beside_ours(server: str) -> None:
    with client(server) as one:
        one.send("release")
        one.send("both 50")
        told = [one.recv(timeout=10) for _ in range(100)]
        assert one.ping().wait(10)
        assert told[-1] == "answer 49"
    assert one.close_code == 1000


@pytest.mark.parametrize("released", [True, False])
def test_a_close_arrives_with_its_code_and_reason(released: bool, server: str) -> None:
    with client(server) as one:
        if released:
            one.send("release hello")
        one.send("offer never")
        one.send("close 4503 retry_after=1.250")
        with suppress(ConnectionClosed):
            while one.recv(timeout=10):
                pass
    assert (one.close_code, one.close_reason) == (4503, "retry_after=1.250")


def test_who_owes_too_much_is_told_to_come_back(server: str) -> None:
    """It reads on in time, so that it learns why."""
    with client(server, max_queue=1) as one:
        one.send("release")
        one.send("flood 100 100000")
        with suppress(ConnectionClosed):
            while one.recv(timeout=10):
                pass
    assert (one.close_code, one.close_reason) == (4408, "retry_after=0.250")


def test_who_reads_nothing_is_dropped_and_the_others_hear_everything(server: str) -> None:
    with client(server) as fine, sleeper(server) as asleep:
        fine.send("release")
        until(lambda: ask(fine, "count") == "2")
        for _ in range(40):
            fine.send("flood 1 30000")
            assert len(fine.recv(timeout=10)) == 30_000
        until(lambda: ask(fine, "count") == "1", within_s=base.CLOSED_WITHIN_S + 5)
        came = 0
        with suppress(ConnectionResetError):
            while block := asleep.recv(65536):
                came += len(block)
        assert came < 2 * WAITING_AT_MOST


def test_a_viewer_who_reads_nothing_owes_little_and_the_others_see_every_part(server: str) -> None:
    """Parts of live media are left out for the slow, who are not closed at once."""
    with client(server) as fine, sleeper(server) as asleep:
        asleep.sendall(b"\x81\x85\0\0\0\0watch")
        until(lambda: ask(fine, "watching") == "1")
        fine.send("watch")
        seen = []
        for number in range(150):
            fine.send(f"part 30000 {'key' if number % 10 == 0 else 'delta'}")
            seen.append(fine.recv(timeout=10))
        parts = [frame for frame in seen if len(frame) == 30_000]
        assert len(parts) > 140  # the first frames were the take and its header
        fine.send("owed")
        owed, skipped = map(int, last_text(fine).split())
        assert 0 < owed <= 15 * 30_010 + 64 * 1024  # the parts of 1.5 s, and a little
        assert skipped > 100


def last_text(one: ClientConnection) -> str:
    while isinstance(frame := one.recv(timeout=10), bytes):
        pass
    return frame


def test_a_client_that_vanishes_while_it_is_told_harms_nobody(server: str) -> None:
    with client(server) as fine:
        fine.send("release")
        for _ in range(5):
            with sleeper(server):
                until(lambda: ask(fine, "count") == "2")
                fine.send("flood 3 30000")
                assert sum(len(fine.recv(timeout=10)) for _ in range(3)) == 90_000
        until(lambda: ask(fine, "count") == "1")


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_version_that_was_not_tested_is_sent_to_and_the_log_says_so_once(
    kind: str, tmp_path: Path
) -> None:
    with serving(kind, tmp_path, "untested") as (url, log):
        for _ in range(3):
            with client(url) as one:
                assert ask(one, "kind") == "AsgiSocket"
                one.send("both 20")
                assert [one.recv(timeout=10) for _ in range(40)][-1] == "answer 19"
        assert log.read_text().count("sockets are sent to one by one") == 1
        assert f"this is {kind}" in log.read_text()


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_patience_ends_when_nothing_leaves(clock: Clock) -> None:
    patience, waiting = Patience(), 1000
    while patience.lasts(waiting, 100):
        waiting += 100
        clock.now += 0.1
    assert clock.now == pytest.approx(100 + base.STALLED_S, abs=0.2)


def test_patience_lasts_while_something_leaves(clock: Clock) -> None:
    patience, waiting = Patience(), 1000
    for _ in range(300):
        assert patience.lasts(waiting, 100)
        waiting += 99
        clock.now += 0.1


def test_patience_ends_at_once_when_too_much_waits(clock: Clock) -> None:
    patience = Patience()
    assert patience.lasts(WAITING_AT_MOST - 100, 100)
    assert not patience.lasts(WAITING_AT_MOST, 1)
