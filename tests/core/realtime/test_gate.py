from __future__ import annotations

import random

import pytest
from websockets.frames import Frame, Opcode

from core.realtime.transports.gate import TOO_BIG, TOO_MANY, Gate, Limits

LIMITS = Limits(message=70_000, frames=100, frames_per_s=10, bytes=200_000, bytes_per_s=1_000)


def frame(data: bytes = b"x", opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


PIECES = [1, 2, 3, 7, 1000, 1 << 20]


def codes(gate: Gate, data: bytes, piece: int) -> set[int | None]:
    """What the gate says to the data, given in pieces, until it is shut."""
    found: set[int | None] = set()
    for at in range(0, len(data), piece):
        if not gate.is_shut:
            found.add(gate.code(data[at : at + piece], 0))
    return found


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG])
def test_frames_of_every_kind_are_counted_however_they_arrive(opcode: Opcode, piece: int) -> None:
    gate = Gate(LIMITS, 0)
    sizes = [random.Random(1).choice([0, 1, 125]) for _ in range(100)]
    assert codes(gate, b"".join(frame(bytes(n), opcode) for n in sizes), piece) == {None}
    assert TOO_MANY in codes(gate, frame(b"", opcode), piece)


@pytest.mark.parametrize("piece", PIECES)
def test_lengths_of_all_three_forms_are_understood(piece: int) -> None:
    gate = Gate(LIMITS, 0)
    data = b"".join(frame(bytes(size)) for size in (0, 125, 126, 65535, 65536, 1))
    assert codes(gate, data, piece) == {None}
    assert codes(gate, b"".join(frame() for _ in range(94)), piece) == {None}
    assert TOO_MANY in codes(gate, frame(), piece)


def test_a_message_that_is_too_big_is_refused_at_its_first_bytes() -> None:
    assert Gate(LIMITS, 0).code(frame(bytes(70_000)), 0) is None
    gate = Gate(LIMITS, 0)
    assert gate.code(frame(bytes(70_001))[:14], 0) == TOO_BIG
    assert gate.is_shut


def test_a_message_that_never_ends_is_refused_once_it_is_too_big() -> None:
    gate = Gate(LIMITS, 0)
    assert gate.code(frame(bytes(60_000), fin=False), 0) is None
    assert gate.code(frame(opcode=Opcode.PING), 0) is None  # between the parts of a message
    assert gate.code(frame(bytes(10_000), Opcode.CONT, fin=False), 0) is None
    assert gate.code(frame(bytes(1), Opcode.CONT, fin=False), 0) == TOO_BIG


def test_parts_without_anything_in_them_count_as_frames() -> None:
    gate = Gate(LIMITS, 0)
    assert gate.code(frame(fin=False) + frame(b"", Opcode.CONT, fin=False) * 100, 0) == TOO_MANY


def test_bytes_are_counted_too() -> None:
    gate = Gate(LIMITS, 0)
    answers = [gate.code(frame(bytes(60_000)), 0) for _ in range(4)]
    assert answers == [None, None, None, TOO_MANY]


def test_who_waits_may_send_again() -> None:
    gate = Gate(LIMITS, 0)
    assert gate.code(frame() * 100, 0) is None
    assert gate.code(frame() * 10, 1) is None
    assert gate.code(frame(), 1) == TOO_MANY


def test_what_comes_to_a_shut_gate_is_counted() -> None:
    gate = Gate(LIMITS, 0)
    assert gate.code(frame() * 101, 0) == TOO_MANY
    assert [gate.refused(b"12345"), gate.refused(b"123")] == [5, 8]
