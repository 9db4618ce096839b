"""A server that does nothing but write prepared frames: what can the load client itself take?

`python -m bench.blaster PORT SOCKETS MESSAGES SECONDS`: lets so many sockets in, and once one of
them says anything, writes frames of so many messages to all of them, one write each, without pause.
"""

from __future__ import annotations

import json
import socket
import sys
import time

from bench import wire

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: not looked at\r\n\r\n"
)
HELLO = wire.server_frame(b'{"hello": {"epoch": "0", "seq": 0}}')


def main(port: int, sockets: int, messages: int, seconds: float) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        print("ready", flush=True)
        crowd = [let_in(listener) for _ in range(sockets)]
    crowd[0].recv(4096)
    blast(crowd, messages, time.monotonic() + seconds)


def let_in(listener: socket.socket) -> socket.socket:
    one, _ = listener.accept()
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while b"\r\n\r\n" not in one.recv(4096):
        pass
    one.sendall(ANSWER)
    one.recv(4096)
    one.sendall(HELLO)
    return one


def blast(crowd: list[socket.socket], messages: int, until: float) -> None:
    writes = [one.sendall for one in crowd]
    seq = 1
    while time.monotonic() < until:
        frame = frame_of(seq, messages)
        for write in writes:
            write(frame)
        seq += messages


def frame_of(seq: int, messages: int) -> bytes:
    """The like of what a room tells: chat messages of a few words."""
    data = {
        "text": wire.stamped(time.perf_counter(), 1),
        "name": "Li",
        "user_id": "0198c0de-0000-7000-8000-000000000001",
        "role": "viewer",
    }
    at = "2026-11-21T09:30:01.204Z"
    events = [
        {"seq": seq + more, "at": at, "type": "chat.message", "data": data}
        for more in range(messages)
    ]
    told = {"from": seq, "to": seq + messages - 1, "events": events}
    return wire.server_frame(json.dumps(told, separators=(",", ":")).encode())


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    except ConnectionError:
        sys.exit(0)  # the client has what it wanted
