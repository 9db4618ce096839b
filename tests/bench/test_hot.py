"""The load client's C finds what a plain reader with a library of others finds."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from bench import client, hot, wire
from bench.crowd import Crowd, clock
from bench.latency import TICKS_PER_S, Counts, percentile_ms

VIEWERS = 6
FRAMES = 40
MESSAGES = 3  # in a frame; the last is a fact in every fourth frame
LEFT_OUT = {(1, 7), (1, 8), (4, 20), (4, 30), (5, 39)}  # which viewer is not told which frame
FACTS = FRAMES // 4
WAITED_S = 20.0


def stretch(number: int, sent_at_s: float) -> str:
    """A frame of the room, in which each message was sent a little later than the one before."""
    first = 1 + MESSAGES * number
    events: list[dict[str, Any]] = [
        {
            "seq": first + more,
            "type": "chat.message",
            "data": {"text": wire.stamped(sent_at_s + 0.01 * (number + more), 7) + "a" * 90_000}
            if number % 10 == 0
            else {"text": wire.stamped(sent_at_s + 0.01 * (number + more), 7)},
        }
        for more in range(MESSAGES)
    ]
    if number % 4 == 3:
        events[-1] = {"seq": first + MESSAGES - 1, "type": "product.pinned", "data": {}}
    told = {"from": first, "to": first + MESSAGES - 1, "events": events}
    return json.dumps(told, separators=(",", ":"))


class Room:
    """A server that tells each viewer what it is to be told, once `begin` was called."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.port = 0
        self._began = threading.Event()

    def begin(self, sent_at_s: float) -> None:
        self.frames = [stretch(number, sent_at_s) for number in range(FRAMES)]
        self._began.set()

    def serve_one(self, socket: ServerConnection) -> None:
        viewer = int(json.loads(socket.recv())["ticket"])
        socket.send('{"hello": {"epoch": "0", "seq": 0}}')
        self._began.wait(10)
        for number, frame in enumerate(self.frames):
            if (viewer, number) not in LEFT_OUT:
                socket.send(frame)
            socket.send('{"now": {"viewers": 6}}')
        socket.recv()


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    with serve(room.serve_one, "127.0.0.1", 0, compression=None) as server:
        room.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield room
        server.shutdown()
    thread.join()


class Plain:
    """Reads everything, and looks at each message by itself."""

    def __init__(self, sockets: list[ClientConnection], facts_sent_s: list[float]) -> None:
        self.last, self.facts = [0] * VIEWERS, [0] * VIEWERS
        self.frames = self.gaps = 0
        self.waits: Counts = {}
        self._facts_sent_s = facts_sent_s
        for viewer, one in enumerate(sockets):
            self._read(viewer, one)

    def _read(self, viewer: int, one: ClientConnection) -> None:
        last = 3 * (FRAMES - ((viewer, FRAMES - 1) in LEFT_OUT))
        while self.last[viewer] < last:
            told = json.loads(one.recv(10))
            if "events" not in told:
                continue
            self.frames += 1
            self.gaps += told["from"] != self.last[viewer] + 1
            self.last[viewer] = told["to"]
            for event in told["events"]:
                self._count(viewer, event)

    def _count(self, viewer: int, event: dict[str, Any]) -> None:
        if event["type"] == "chat.message":
            sent_s = int(event["data"]["text"].split("t=")[1].split()[0]) / 1e6
        else:
            self.facts[viewer] += 1
            sent_s = self._facts_sent_s[(event["seq"] // MESSAGES - 4) // 4]
        waited = int((clock() - sent_s) * TICKS_PER_S)
        self.waits[waited] = self.waits.get(waited, 0) + 1


@contextmanager
def crowd_at(port: int, **more: Any) -> Iterator[Crowd]:
    target = {"host": "127.0.0.1", "port": port, "path": "/", "pin_data": {}, "pids": []}
    crowd = Crowd(target | more)
    yield crowd
    crowd.close()


def serve_until(happened: Callable[[], bool], crowd: Crowd) -> None:
    deadline = clock() + 10
    while not happened():
        assert clock() < deadline
        crowd.serve(clock() + 0.01)


def test_both_count_the_same(room: Room) -> None:
    sent_at_s = clock() - WAITED_S
    facts_sent_s = [sent_at_s] * FACTS
    with ExitStack() as stack:
        crowd = stack.enter_context(crowd_at(room.port))
        crowd.fact_sent.extend(facts_sent_s)
        client.connect(crowd, tickets=[str(viewer) for viewer in range(VIEWERS)])
        uri = f"ws://127.0.0.1:{room.port}/"
        sockets = [stack.enter_context(connect(uri, compression=None)) for _ in range(VIEWERS)]
        for viewer, one in enumerate(sockets):
            one.send(json.dumps({"ticket": viewer}))
        began_s = clock()
        room.begin(sent_at_s)
        plain = Plain(sockets, facts_sent_s)
        serve_until(lambda: crowd.last == plain.last, crowd)
        took_ms = 1000 * (clock() - began_s)

        assert (crowd.gaps, crowd.facts) == (plain.gaps, plain.facts)
        assert client.facts_told(crowd, FACTS)["facts_missing"] == FACTS * VIEWERS - sum(
            plain.facts
        )
        told = [sum(crowd.received(number).values()) for number in range(len(crowd.frames))]
        assert sum(told) == plain.frames == VIEWERS * FRAMES - len(LEFT_OUT)
        found = client.waits(crowd, 0)
        assert found["deliveries"] == sum(plain.waits.values())
        # Both read between the same two moments: they cannot differ by more than these do.
        for figure, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0)):
            assert found[figure] == pytest.approx(percentile_ms(plain.waits, share), abs=took_ms)
        assert took_ms < 1000 * WAITED_S


def test_what_is_sent_again_and_again_is_said_by_who_hears_it(room: Room) -> None:
    with crowd_at(room.port) as crowd:
        heard: list[int] = []
        crowd.fact_sent.extend([0.0] * FACTS)
        crowd.hear_own(heard.append)
        client.connect(crowd, tickets=["0"] * 9)
        room.begin(clock())
        serve_until(lambda: crowd.last == [MESSAGES * FRAMES] * 9, crowd)
        assert heard == [7] * FRAMES


def test_who_is_refused_ends_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        crowd_at(server.getsockname()[1]) as crowd,
    ):
        crowd.open(None)
        theirs, _ = server.accept()
        theirs.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        with pytest.raises(SystemExit, match="403"):
            serve_until(lambda: False, crowd)
        theirs.close()


def test_without_a_compiler_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(hot.NoCompiler, match="apt install gcc"):
        hot.compile_to(tmp_path / "crowd.so", "no-such-compiler")
    with pytest.raises(hot.NoCompiler, match="failed"):
        hot.compile_to(tmp_path / "crowd.so", "false")
    assert list(tmp_path.iterdir()) == []
