"""Frames as bytes, and what the load client reads in them."""

from __future__ import annotations

import json

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from bench import wire


def event(seq: int, kind: str, **data: object) -> dict[str, object]:
    return {"seq": seq, "at": "2026-11-21T09:30:01.204Z", "type": kind, "data": data}


def parsed(data: bytes, *, masked: bool) -> Frame:
    """The frame as a library of others reads it."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=masked)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame: Frame = done.value.value
    return frame


@pytest.mark.parametrize("size", [0, 125, 126, 65_535])
def test_others_read_what_the_client_writes(size: int) -> None:
    frame = parsed(wire.client_frame(b"a" * size), masked=True)
    assert (frame.opcode, frame.data) == (Opcode.TEXT, b"a" * size)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_client_finds_each_frame_that_is_all_there(size: int) -> None:
    frame = wire.server_frame(b"a" * size)
    assert parsed(frame, masked=False).data == b"a" * size
    data = frame + frame
    begin, end = wire.next_frame(data, len(frame)) or (0, 0)
    assert (data[begin:end], end) == (b"a" * size, len(data))
    assert not any(wire.next_frame(frame[:part], 0) for part in range(min(len(frame), 12)))
    assert wire.next_frame(frame[:-1], 0) is None


def test_a_frame_says_who_sent_what_when() -> None:
    told = {
        "from": 7,
        "to": 9,
        "events": [
            event(7, "chat.message", text=wire.stamped(12.3456, 41)),
            event(8, "product.pinned", offer={}),
            event(9, "chat.message", text="somebody else"),
        ],
        "thinned": 2,
    }
    frame = wire.room_frame(told)
    assert (frame.first, frame.last, frame.facts, frame.thinned) == (7, 9, [8], 2)
    assert frame.sent == [123456]
    assert frame.authors == {41}


@pytest.mark.parametrize("text_bytes", [20, 200, 70_000])  # each has a longer header
def test_two_frames_of_a_room_never_begin_alike(text_bytes: int) -> None:
    def key(first: int, last: int) -> bytes:
        events = [event(first, "chat.message", text="a" * text_bytes)]
        told = {"from": first, "to": last, "events": events}
        frame = wire.server_frame(json.dumps(told, separators=(",", ":")).encode())
        return frame[: wire.KEY_BYTES]

    places = [(1, 1), (1, 11), (11, 11), (99_999, 100_000), (99_999, 100_001), (100_000, 100_001)]
    late = [(10_000_000, 10_000_010), (10_000_000, 10_000_011)]
    assert len({key(*place) for place in (*places, *late)}) == len(places) + len(late)
