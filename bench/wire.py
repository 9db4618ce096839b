"""WebSocket frames by hand, and what the frames of a room say.

All sockets get the same frames, so each is understood once, when it is first met, and known again
by its first bytes (bench/crowd.c).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bench.latency import US_PER_TICK

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FIN = 0x80
# Holds the frame's header (up to 10 bytes), `from` and `to`: no two frames of a room share them.
KEY_BYTES = 48  # as in bench/crowd.c
FACTS = {"product.pinned", "product.unpinned"}
# Whole microseconds: a number with a dot in it could be taken for an address.
STAMP = re.compile(r"t=(\d+) s=(\d+) ")
SAYING = "how heavy is one box, and does it travel?"


@dataclass(slots=True)
class RoomFrame:
    """A stretch of the log.

    `sent` are the ticks in which its messages were sent, `authors` the sockets that sent them,
    `facts` the places of what must never be missing.
    """

    first: int
    last: int
    sent: list[int]
    authors: frozenset[int]
    facts: list[int]
    thinned: int


def room_frame(told: dict[str, Any]) -> RoomFrame:
    """The frame of a stretch (`from`, `to`, `events`); facts have no stamp of their own."""
    stamps = [
        (int(found[1]) // US_PER_TICK, int(found[2]))
        for event in told["events"]
        if event["type"] == "chat.message" and (found := STAMP.match(event["data"]["text"]))
    ]
    return RoomFrame(
        first=told["from"],
        last=told["to"],
        sent=[tick for tick, _ in stamps],
        authors=frozenset(author for _, author in stamps),
        facts=[event["seq"] for event in told["events"] if event["type"] in FACTS],
        thinned=told.get("thinned", 0),
    )


def stamped(sent_at_s: float, author: int) -> str:
    """What a viewer says: when it was sent (`time.perf_counter`), by which socket, and words."""
    return f"t={int(sent_at_s * 1e6)} s={author} {SAYING}"


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame from a client. Its mask is zero, which costs the server what any other would."""
    size = len(payload)
    if size < 126:
        return bytes((FIN | opcode, 0x80 | size)) + b"\0\0\0\0" + payload
    return bytes((FIN | opcode, 0x80 | 126)) + size.to_bytes(2, "big") + b"\0\0\0\0" + payload


def server_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame from a server, which masks nothing."""
    size = len(payload)
    if size < 126:
        return bytes((FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def command(number: int, do: str, data: dict[str, Any]) -> bytes:
    return client_frame(json.dumps({"id": number, "do": do, "data": data}).encode())


def next_frame(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and ends; `None` if it is not all there."""
    left = len(data) - at
    if left < 2:
        return None
    size, head = data[at + 1], 2
    if size > 125:
        head = 4 if size == 126 else 10
        if left < head:
            return None
        size = int.from_bytes(data[at + 2 : at + head], "big")
    return (at + head, at + head + size) if left >= head + size else None
