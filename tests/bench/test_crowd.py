"""What the load client counts, however the kernel cuts what the server wrote."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench import wire
from bench.blaster import ANSWER, HELLO
from bench.client import facts_told
from bench.crowd import Crowd, clock

FACTS_TO_COME = 50
TEXT_BYTES = (20, 70_000)  # a length of 16 and of 64 bits; what has no words has one of 7
KINDS = ("told", "told", "told", "fact", "gap", "thinned", "now", "ping", "no")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def crowd_at(server: socket.socket) -> Crowd:
    """Nobody yet, and facts sent at the beginning of time."""
    host, port = server.getsockname()
    crowd = Crowd({"host": host, "port": port, "path": "/", "pin_data": {}, "pids": []})
    crowd.fact_sent.extend([0.0] * FACTS_TO_COME)
    return crowd


def come_in(crowd: Crowd, server: socket.socket) -> socket.socket:
    """The server's end of one more viewer, who has said who they are."""
    crowd.open(None)
    theirs, _ = server.accept()
    theirs.settimeout(10)
    serve_until(lambda: theirs.recv(4096, socket.MSG_DONTWAIT | socket.MSG_PEEK), crowd)
    return theirs


def serve_until(happened: Callable[[], object], crowd: Crowd) -> None:
    deadline = clock() + 10
    while clock() < deadline:
        crowd.serve(clock() + 0.01)
        try:
            if happened():
                return
        except BlockingIOError:
            continue
    raise AssertionError("it never happened")


def stretch(first: int, messages: int, text_bytes: int = 20, *, fact: bool = False) -> bytes:
    """A frame with so many messages, the last of which may be a fact."""
    events: list[dict[str, Any]] = [
        {
            "seq": first + more,
            "type": "chat.message",
            "data": {"text": f"{wire.stamped(0.1, 7)}{'a' * text_bytes}"},
        }
        for more in range(messages)
    ]
    if fact:
        events[-1] = {"seq": first + messages - 1, "type": "product.pinned", "data": {}}
    told = {"from": first, "to": first + messages - 1, "events": events}
    return wire.server_frame(json.dumps(told, separators=(",", ":")).encode())


@dataclass
class Written:
    """What a server wrote, and what whoever reads all of it must have counted."""

    data: bytes
    last: int
    frames: int
    gaps: int
    facts: int
    refused: int


@st.composite
def writings(draw: st.DrawFn) -> Written:
    """A room's frames with some left out, and between them such as are for one socket alone."""
    data, seq, gaps, frames, facts, refused = [], 1, 0, 0, 0, 0
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(KINDS))
        if kind == "now":
            data.append(wire.server_frame(b'{"now":1}'))
        elif kind == "ping":
            data.append(wire.server_frame(b"are you there", wire.PING))
        elif kind == "no":
            data.append(wire.server_frame(b'{"id":0,"error":{"code":"slow_mode"}}'))
            refused += 1
        elif kind == "thinned":
            told = f'{{"from":{seq},"to":{seq + 1},"events":[]}}'
            data.append(wire.server_frame(told.encode()))
            seq, frames = seq + 2, frames + 1
        else:
            missing = draw(st.integers(1, 3)) if kind == "gap" else 0
            messages, text = draw(st.integers(1, 3)), draw(st.sampled_from(TEXT_BYTES))
            data.append(stretch(seq + missing, messages, text, fact=kind == "fact"))
            seq += missing + messages
            frames, gaps, facts = frames + 1, gaps + (missing > 0), facts + (kind == "fact")
    return Written(b"".join(data), seq - 1, frames, gaps, facts, refused)


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    bounds = sorted({0, len(data), *(place % len(data) for place in places)})
    return (data[begin:end] for begin, end in pairwise(bounds))


# Most cuts near the beginning, where the headers are, or between bytes that follow each other.
CUTS = st.lists(st.one_of(st.integers(0, 400), st.integers(0, 300_000)), max_size=12)


@settings(deadline=None)  # the first example may have to compile the hot path
@given(writings(), CUTS, CUTS)
@example(
    Written(stretch(1, 1), 1, 1, 0, 0, 0), [40, len(ANSWER)], [len(ANSWER), len(ANSWER + HELLO)]
)
def test_every_cut_gives_the_same_counts(
    written: Written, first_cut: list[int], second_cut: list[int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        crowd = crowd_at(server)
        ends = [come_in(crowd, server) for _ in range(2)]
        for number, cuts in enumerate((first_cut, second_cut)):
            for part in cut(ANSWER + HELLO + written.data, cuts):
                crowd.take(number, part, when=1.0)
        assert crowd.joined == [True, True]
        assert crowd.last == [written.last] * 2
        assert [one.size for one in crowd.there] == [0, 0]
        assert crowd.gaps == 2 * written.gaps
        assert crowd.facts == [written.facts] * 2
        assert crowd.refused == (Counter(slow_mode=2 * written.refused) if written.refused else {})
        assert len(crowd.frames) == written.frames
        received = [crowd.received(number) for number in range(written.frames)]
        assert received == [{10_000: 2}] * written.frames
        for one in ends:
            one.close()
        crowd.close()


@pytest.fixture
def room(server: socket.socket) -> Iterator[tuple[Crowd, list[socket.socket]]]:
    """Two viewers who have joined, by the handshake and the hello."""
    crowd = crowd_at(server)
    ends = [come_in(crowd, server) for _ in range(2)]
    for one in ends:
        one.sendall(ANSWER + HELLO)
    serve_until(lambda: all(crowd.joined), crowd)
    yield crowd, ends
    for one in ends:
        one.close()
    crowd.close()


Room = tuple[Crowd, list[socket.socket]]


def test_who_misses_a_stretch_is_seen_though_others_had_it(room: Room) -> None:
    crowd, (li, wang) = room
    one, two, three = stretch(1, 2), stretch(3, 1, fact=True), stretch(4, 2)
    li.sendall(one + two + three)
    wang.sendall(one + three)
    serve_until(lambda: crowd.last == [5, 5], crowd)
    assert crowd.gaps == 1
    assert facts_told(crowd, 1) == {"facts": 1, "facts_missing": 1}


def test_who_is_told_twice_is_seen(room: Room) -> None:
    crowd, (li, _) = room
    li.sendall(stretch(1, 2) + stretch(1, 2) + stretch(3, 1))
    serve_until(lambda: crowd.last[0] == 3, crowd)
    assert crowd.gaps == 1


def test_each_socket_counts_in_the_tick_in_which_it_was_told(room: Room) -> None:
    crowd, _ = room
    for number, when in enumerate((1.0, 1.5)):
        crowd.take(number, stretch(1, 1), when)
    crowd.take(1, stretch(2, 1), 1.5)
    crowd.take(0, stretch(2, 1), 1.5)
    assert crowd.received(0) == {10_000: 1, 15_000: 1}
    assert crowd.received(1) == {15_000: 2}


def test_a_gap_is_seen_over_what_was_forgotten(room: Room) -> None:
    crowd, (li, wang) = room
    li.sendall(stretch(1, 1))
    wang.sendall(stretch(1, 1))
    serve_until(lambda: crowd.last == [1, 1], crowd)
    crowd.forget()
    li.sendall(stretch(2, 1))
    wang.sendall(stretch(3, 1))
    serve_until(lambda: crowd.last == [2, 3], crowd)
    assert crowd.gaps == 1


def test_a_frame_of_many_reads_is_one_delivery(room: Room) -> None:
    crowd, (li, _) = room
    frame = stretch(1, 3, 100_000)
    li.sendall(frame[:9])
    serve_until(lambda: crowd.there[0].size, crowd)
    for begin in range(9, len(frame), 50_000):
        li.sendall(frame[begin : begin + 50_000])
        crowd.serve(clock() + 0.01)
    serve_until(lambda: crowd.last[0] == 3, crowd)
    assert [sum(crowd.received(number).values()) for number in range(len(crowd.frames))] == [1]
    assert (crowd.gaps, crowd.there[0].size) == (0, 0)


def test_who_is_put_out_is_counted_and_their_ping_was_answered(room: Room) -> None:
    crowd, (li, wang) = room
    li.recv(4096)  # the handshake and the ticket
    li.sendall(wire.server_frame(b"there?", wire.PING))
    serve_until(
        lambda: li.recv(4096, socket.MSG_DONTWAIT | socket.MSG_PEEK)[-6:] == b"there?", crowd
    )
    li.sendall(wire.server_frame((4008).to_bytes(2, "big"), wire.CLOSE))
    wang.close()
    serve_until(lambda: crowd.closed.total() == 2, crowd)
    assert crowd.closed == {4008: 1, 1006: 1}
    assert crowd.still() == []


def test_a_command_ends_the_waiting(room: Room) -> None:
    crowd, _ = room
    ours, commands = socket.socketpair()
    crowd.heed(commands.fileno())
    assert not crowd.serve(clock())
    ours.sendall(b"{}\n")
    assert crowd.serve(clock() + 10)
    ours.close()
    commands.close()
