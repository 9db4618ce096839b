"""Bodies that are too large are refused before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from livecommerce.asgi import application
from livecommerce.body_limit import LARGEST_BODY, MEGABYTE, limited

PIECE = b"x" * (64 * 1024)


async def ask(path: str, pieces: Iterator[bytes], **headers: str) -> tuple[int, bytes, int]:
    """POST; the status, the answer, and how many pieces of the body were taken."""
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()],
    }
    await application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body, taken


def endless() -> Iterator[bytes]:
    while True:
        yield PIECE


@pytest.mark.parametrize(
    ("path", "words"),
    [("/api/v1/orders/x/claims", b'"too_big"'), ("/studio/tracking/", b"at most 40 MB")],
)
async def test_what_is_announced_too_large_is_not_read_at_all(path: str, words: bytes) -> None:
    said = str(LARGEST_BODY + 1)

    status, body, taken = await ask(path, endless(), host="localhost", content_length=said)

    assert (status, taken) == (413, 0)
    assert words in body


async def test_what_is_not_announced_is_read_no_further_than_the_limit() -> None:
    status, body, taken = await ask("/studio/tracking/", endless(), host="localhost")

    assert status == 413
    assert taken == LARGEST_BODY // len(PIECE) + 1
    assert "文件太大".encode() in body


async def test_what_is_within_the_limit_arrives() -> None:
    async def echo(_scope: Any, receive: Any, send: Any) -> None:
        await send(await receive())

    whole = {"type": "http.request", "body": PIECE, "more_body": False}
    told = ApplicationCommunicator(limited(echo), {"type": "http", "path": "/", "headers": []})
    await told.send_input(whole)

    assert await told.receive_output() == whole


def test_nginx_takes_as_much() -> None:
    conf = Path(__file__).parents[2] / "deploy" / "nginx.conf"
    assert f"client_max_body_size {LARGEST_BODY // MEGABYTE}m;" in conf.read_text()
