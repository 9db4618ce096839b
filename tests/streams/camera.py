"""A scripted camera: speaks the ingest protocol word by word, to see what the server answers."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streams.models import Show
from streams.services import ingest_keys

CHUNK = 8_000


class Camera:
    """One connection of a camera. `answer` is the next frame of the server."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def hello(
        self,
        show: Show | None,
        take: uuid.UUID,
        *,
        key: str | None = "",
        mime: str = "video/webm",
        keeps: Sequence[uuid.UUID] = (),
        **more: Any,
    ) -> dict[str, Any]:
        """Introduce itself, with the show's own key unless told otherwise; the answer.

        `keeps` are the takes that this phone has more of, the oldest first.
        """
        given = ingest_keys.issue(show) if show and key == "" else key
        kept = [{"take": str(one), "mime": mime} for one in keeps]
        frame = {"take": str(take), "mime": mime, "key": given, "keeps": kept, **more}
        await self.socket.send(json.dumps({"hello": frame}))
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            found: dict[str, Any] = json.loads(await self.socket.recv())
        return found

    async def send(self, number: int, payload: bytes, *, offset_ms: float = 0) -> None:
        await self.socket.send(struct.pack(">Id", number, offset_ms) + payload)

    async def film(self, path: Path, *, first: int = 0, last: int | None = None) -> int:
        """Send the file's chunks `first` to `last` (exclusive); the next number, once confirmed."""
        for number, payload in list(chunks(path))[first:last]:
            await self.send(number, payload, offset_ms=number * 50)
            assert await self.answer() == {"ack": {"next": number + 1}}
            first = number + 1
        return first

    async def seal(self) -> float:
        await self.socket.send('{"do": "seal"}')
        duration_s: float = (await self.answer())["sealed"]["duration_s"]
        return duration_s

    async def close_code(self) -> int:
        """Wait for the server to close; acknowledgements before that are passed over."""
        try:
            while True:
                await self.answer()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


def chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    stream = path.read_bytes()
    for number, start in enumerate(range(0, len(stream), CHUNK)):
        yield number, stream[start : start + CHUNK]


@asynccontextmanager
async def camera(site: str, show_id: uuid.UUID, **headers: str) -> AsyncIterator[Camera]:
    """A camera connected to the show; `headers` as a browser would send them."""
    sent = {name.capitalize(): value for name, value in headers.items()}
    url = f"ws://{site}/ws/ingest/{show_id}/"
    async with connect(url, proxy=None, additional_headers=sent) as socket:
        yield Camera(socket)


async def refusal(camera: Camera, answer: dict[str, Any]) -> tuple[str, int]:
    """The code of an error frame and the closing code that follows it."""
    code: str = answer["error"]["code"]
    assert answer["error"]["message"]
    return code, await camera.close_code()
