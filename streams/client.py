"""A client of the room protocol: for scripted viewers, tests, and as an example to read.

    async with RoomClient("ws://localhost:8000", show_id, ticket=ticket) as room:
        await room.command("chat.send", text="How heavy is a box?")
        sold = await room.event("order.placed")

It keeps its position, so that `resume()` after a lost connection continues where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE_S = 10.0
Event = dict[str, Any]


class RoomClosed(Exception):
    """The server closed the socket with this code, or the connection broke (1006)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the room was closed with {code}")
        self.code = code


class Refused(Exception):
    """A command was answered by an error; `error` has its `code`, `message` and the rest."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error
        self.code: str = error["code"]


class Gap(Exception):
    """The server left out a part of the log."""


class RoomClient:
    """One socket in one room; after `resume` another one, with the same position.

    Without a `cookie` it comes as a program does, with a `ticket` or anonymously; with one it
    comes as a browser does, from a page of `origin`.
    """

    def __init__(
        self,
        server: str,
        show_id: UUID | str,
        *,
        ticket: str | None = None,
        cookie: str | None = None,
        origin: str | None = None,
    ) -> None:
        self.url = f"{server.rstrip('/')}/ws/shows/{show_id}/"
        self.ticket = ticket
        self.hello: dict[str, Any] = {}
        self.events: list[Event] = []
        self.now: dict[str, int] = {}
        self.frames = 0
        self.stray_errors: list[dict[str, Any]] = []
        self.unasked: list[dict[str, Any]] = []
        self.epoch = ""
        self.seq = 0
        self.close_code: int | None = None
        self._headers = {"Cookie": cookie} if cookie is not None else {}
        self._origin = origin
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = 0
        self._changed = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._fault: Gap | None = None

    @property
    def snapshot(self) -> dict[str, Any]:
        """The room as it was when this client last began anew."""
        found: dict[str, Any] = self.hello["snapshot"]
        return found

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect and wait for the hello; raises `RoomClosed` with the code of a refusal."""
        query = f"?epoch={self.epoch}&seq={self.seq}" if self.epoch else ""
        self.hello, self.close_code = {}, None
        self._socket = await connect(
            self.url + query,
            additional_headers=self._headers,
            origin=self._origin,  # type: ignore[arg-type] # its own NewType over str
            compression=None,
            proxy=None,
        )
        if self._origin is None:
            await self.send_text(msgspec.json.encode({"ticket": self.ticket}).decode())
        self._reading = asyncio.create_task(self._read())
        await self.until(lambda: self.hello)

    async def resume(self, ticket: str | None = None) -> None:
        """Connect again and continue after the last event that was seen."""
        await self.close()
        self.ticket = ticket
        await self.open()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await self._reading

    async def send_text(self, text: str) -> None:
        """Send a frame as it is; raises `RoomClosed`."""
        assert self._socket is not None, "open() first"  # noqa: S101
        try:
            await self._socket.send(text)
        except ConnectionClosed as closed:
            raise RoomClosed(self._socket.close_code or 1006) from closed

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame, which no room understands."""
        assert self._socket is not None, "open() first"  # noqa: S101
        await self._socket.send(data)

    async def command(self, do: str, **data: object) -> dict[str, Any]:
        """Ask for something and wait for the `ok`; raises `Refused` or `RoomClosed`."""
        self._ids += 1
        command_id = self._ids
        answer = self._answers[command_id] = asyncio.get_running_loop().create_future()
        frame = {"id": command_id, "do": do, "data": data}
        await self.send_text(msgspec.json.encode(frame).decode())
        return await asyncio.wait_for(answer, PATIENCE_S)

    async def event(self, kind: str, after: int = 0, patience_s: float = PATIENCE_S) -> Event:
        """The first event of this kind with a `seq` above `after`, once it is there."""

        def found() -> Event | None:
            matching = (e for e in self.events if e["type"] == kind and e["seq"] > after)
            return next(matching, None)

        await self.until(found, patience_s)
        event = found()
        assert event is not None  # noqa: S101 - until() has just seen it
        return event

    async def until(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait for a frame that makes the condition true.

        Raises `RoomClosed` if the room closes before, `TimeoutError` if nothing does.
        """
        async with asyncio.timeout(patience_s), self._changed:
            while not condition():
                if self._fault is not None:
                    raise self._fault
                if self.close_code is not None:
                    raise RoomClosed(self.close_code)
                await self._changed.wait()

    async def _read(self) -> None:
        assert self._socket is not None  # noqa: S101
        try:
            async for text in self._socket:
                self._take(msgspec.json.decode(text))
                async with self._changed:
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        except Gap as fault:
            self._fault = fault
        await self._ended(self._socket.close_code or 1006)

    async def _ended(self, code: int) -> None:
        self.close_code = code
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(RoomClosed(code))
        self._answers.clear()
        async with self._changed:
            self._changed.notify_all()

    def _take(self, frame: dict[str, Any]) -> None:
        self.frames += 1
        match frame:
            case {"hello": hello}:
                self._welcome(hello)
            case {"events": events}:
                self._advance(frame["from"], frame["to"], events)
            case {"now": values}:
                self.now = values
            case {"id": int(command_id)}:
                self._answered(command_id, frame)
            case {"error": error}:
                self.stray_errors.append(error)

    def _welcome(self, hello: dict[str, Any]) -> None:
        if not hello["recovered"]:
            self.events = []
        self.hello = hello
        self.epoch, self.seq = hello["epoch"], hello["seq"]

    def _advance(self, first: int, last: int, events: list[Event]) -> None:
        if first != self.seq + 1:
            raise Gap(f"expected {self.seq + 1}, got {first}")
        self.seq = last
        self.events += events

    def _answered(self, command_id: int, frame: dict[str, Any]) -> None:
        answer = self._answers.pop(command_id, None)
        if answer is None or answer.done():
            self.unasked.append(frame)
            return
        if "error" in frame:
            answer.set_exception(Refused(frame["error"]))
        else:
            answer.set_result(frame["ok"])
