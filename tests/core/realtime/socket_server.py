"""Sockets and a hub behind a real server, which do what their clients say: for `test_transports`.

Answers to HTTP fail.

python -m tests.core.realtime.socket_server uvicorn|daphne PORT [untested]
"""

from __future__ import annotations

import logging
import sys
from typing import Any
from uuid import uuid4

import django

django.setup()

from core.realtime.frames import Media, Prepared  # noqa: E402 - settings come first
from core.realtime.sockets import Socket, open_socket  # noqa: E402
from core.realtime.transports import daphne, uvicorn  # noqa: E402
from livecommerce import serve, web  # noqa: E402
from media_pipeline.live.audience import Audience, Viewer, leave, skipped  # noqa: E402
from media_pipeline.live.frames import Opening  # noqa: E402

everybody: list[Socket] = []
picture = Audience("source")
picture.open(Opening(uuid4(), "video/mp4", 0.0, b"init"))


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await answer(scope["path"], send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    socket = open_socket(send)
    everybody.append(socket)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            obey(socket, *message["text"].split())
    finally:
        everybody.remove(socket)
        for viewer in [one for one in picture.viewers if one.socket is socket]:
            leave(viewer)
        socket.gone()


async def answer(path: str, send: Any) -> None:
    """One that fails, before it has begun or in its middle."""
    if path == "/middle":
        length = [(b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ValueError("as it is meant to")


def obey(socket: Socket, do: str, *words: str) -> None:
    match do:
        case "offer":
            socket.offer(Prepared(*words))
        case "release":
            socket.release(*words)
        case "answer":
            socket.answer(words[0])
        case "both":
            for number in range(int(words[0])):
                socket.offer(Prepared(f"event {number}"))
                socket.answer(f"answer {number}")
        case "flood":
            flood(int(words[0]), int(words[1]))
        case "close":
            socket.close(int(words[0]), words[1])
            socket.close(4404, "the first one counts")
        case "watch":
            picture.join(Viewer(socket))
        case "watching":
            socket.answer(str(len(picture.viewers)))
        case "part":
            show(int(words[0]), is_key=words[1] == "key")
        case "owed":
            owed = max(one.socket.owes() for one in picture.viewers)
            socket.answer(f"{owed} {skipped['source']}")
        case "kind":
            socket.answer(type(socket).__name__)
        case "count":
            socket.answer(str(len(everybody)))


def flood(frames: int, size: int) -> None:
    """Offer everybody so much at once, as a hub does."""
    frame = Prepared("x" * size)
    for _ in range(frames):
        for socket in [one for one in everybody if not one.offer(frame)]:
            socket.close(4408, "retry_after=0.250")


def show(size: int, *, is_key: bool) -> None:
    picture.show(Media((b"k" if is_key else b"p") * size), 0.1, is_key=is_key)


async def nothing() -> None:
    """There is no runtime here."""


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    server, port, *untested = sys.argv[1:]
    if untested:
        uvicorn.TESTED = "0.0."
        daphne.TESTED = {"daphne": "0.0."}
    vars(serve)["application"] = application
    vars(web)["start"] = vars(serve)["let_everybody_go"] = nothing
    serve.SERVERS[server]("127.0.0.1", int(port))
