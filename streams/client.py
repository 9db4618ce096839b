"""A client of the room protocol: for scripted viewers, tests, and as an example to read.

    async with RoomClient("ws://localhost:8000", show_id, ticket=ticket, comes_back=True) as room:
        await room.command("chat.send", text="How heavy is a box?")
        sold = await room.event("order.placed")

It keeps its position and the token of the last hello. `resume()` continues where it was; with
`comes_back` it does so by itself, when and as often as the server wants it to.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PATIENCE_S = 10.0
QUIET = 4000
"""The code of a line that this client gave up, because nothing was heard or a part was missing."""
FINAL = {4401, 4403, 4404}
"""Codes after which coming back is pointless."""
LONGEST_PAUSES_S = (3.0, 8.0)
"""While the server may be back any moment, and later: who pauses longer is not back within 10 s."""
SOON_ATTEMPTS = 12
IDS_KEPT = 5_000
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
    """One socket in one room, and after a loss the next one, with the same position.

    Without a `cookie` it comes as a program does, with a `ticket` or anonymously; with one it
    comes as a browser does, from a page of `origin`. `events` has each event once since the last
    snapshot.
    """

    def __init__(
        self,
        server: str,
        show_id: UUID | str,
        *,
        ticket: str | None = None,
        cookie: str | None = None,
        origin: str | None = None,
        comes_back: bool = False,
    ) -> None:
        self.url = f"{server.rstrip('/')}/ws/shows/{show_id}/"
        self.ticket = ticket
        self.comes_back = comes_back
        self.hello: dict[str, Any] = {}
        self.hellos = 0
        self.snapshot: dict[str, Any] = {}
        self.events: list[Event] = []
        self.now: dict[str, int] = {}
        self.frames = 0
        self.thinned = 0
        self.stray_errors: list[dict[str, Any]] = []
        self.unasked: list[dict[str, Any]] = []
        self.epoch = ""
        self.seq = 0
        self.close_code: int | None = None
        self.close_reason = ""
        self._first: dict[str, Any] = {"ticket": ticket}
        self._headers = {"Cookie": cookie} if cookie is not None else {}
        self._origin = origin
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = 0
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._changed = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._leaving = False
        self._fault: Gap | None = None

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
        self.hello, self.close_code, self._leaving, self._fault = {}, None, False, None
        await self._connect()
        self._reading = asyncio.create_task(self._stay())
        await self.until(lambda: self.hello)

    async def resume(self, ticket: str | None = None) -> None:
        """Connect again and continue after the last event that was seen."""
        await self.close()
        if ticket is not None:
            self._first["ticket"] = ticket
        await self.open()

    async def close(self) -> None:
        self._leaving = True
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            if self.close_code is not None:
                self._reading.cancel()  # between two connections
            await asyncio.wait({self._reading})

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
        """Ask for something and wait for the `ok`; raises `Refused` or `RoomClosed`.

        What has a `key` may be asked for again after `RoomClosed`: it is done once.
        """
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

        Raises `RoomClosed` if the room closes for good before, `Gap` if a part was left out and
        this client does not come back by itself, `TimeoutError` if nothing happens.
        """
        async with asyncio.timeout(patience_s), self._changed:
            while not condition():
                if self._fault is not None and not self.comes_back:
                    raise self._fault
                if self.close_code is not None and not self._returns():
                    raise RoomClosed(self.close_code)
                await self._changed.wait()

    # Connections

    def _returns(self) -> bool:
        return self.comes_back and not self._leaving and self.close_code not in FINAL

    async def _connect(self) -> None:
        query = f"?epoch={self.epoch}&seq={self.seq}" if self.epoch else ""
        is_browser, returns = self._origin is not None, "resume" in self._first
        if returns:
            query += f"{'&' if query else '?'}resume=1"
        self._socket = await connect(
            self.url + query,
            additional_headers=self._headers,
            origin=self._origin,  # type: ignore[arg-type] # its own NewType over str
            compression=None,
            max_size=None,
            proxy=None,
        )
        if returns or not is_browser:
            await self.send_text(msgspec.json.encode(self._first).decode())

    async def _stay(self) -> None:
        """Read one connection after the other, with the pauses that the server asks for."""
        failed = 0
        while True:
            hellos = self.hellos
            await self._read()
            if not self._returns():
                return
            failed = 0 if self.hellos > hellos else failed + 1
            await asyncio.sleep(pause_s(self.hello, self.close_reason, failed))
            try:
                await self._connect()
            except (OSError, InvalidHandshake, TimeoutError, RoomClosed):
                self._socket = None
            else:
                self.close_code = None

    async def _read(self) -> None:
        code, reason = 1006, ""
        if self._socket is not None:
            code, reason = await self._read_on(self._socket)
        self.close_code, self.close_reason = code, reason
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(RoomClosed(code))
        self._answers.clear()
        await self._tell()

    async def _read_on(self, socket: ClientConnection) -> tuple[int, str]:
        """Until the line is closed or dead; the code and the reason."""
        try:
            while True:
                async with asyncio.timeout(self.hello.get("quiet_s", PATIENCE_S)):
                    text = await socket.recv()
                self._take(msgspec.json.decode(text))
                await self._tell()
        except ConnectionClosed:
            return socket.close_code or 1006, socket.close_reason or ""
        except TimeoutError:
            socket.transport.abort()  # a dead line carries no close
        except Gap as fault:
            self._fault = fault
            await socket.close(QUIET)
        return QUIET, ""

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # Frames

    def _take(self, frame: dict[str, Any]) -> None:
        self.frames += 1
        match frame:
            case {"hello": hello}:
                self._welcome(hello)
            case {"events": events}:
                self._advance(frame["from"], frame["to"], events)
                self.thinned += frame.get("thinned", 0)
            case {"now": values}:
                self.now = values
            case {"id": int(command_id)}:
                self._answered(command_id, frame)
            case {"error": error}:
                self.stray_errors.append(error)

    def _welcome(self, hello: dict[str, Any]) -> None:
        self.hello = hello
        self.hellos += 1
        if "resume" in hello:
            # A ticket works once; "ticket": null goes on letting in who watches without an account.
            used = {"ticket": None} if self._first.get("ticket", "") is None else {}
            self._first = {"resume": hello["resume"], **used}
        if not hello["recovered"]:
            self.snapshot, self.events = hello["snapshot"], []
            for event in (*self.snapshot.get("chat", ()), *self.snapshot.get("recent_orders", ())):
                self._is_new(event)
        self.epoch, self.seq = hello["epoch"], hello["seq"]

    def _advance(self, first: int, last: int, events: list[Event]) -> None:
        if first > self.seq + 1:
            raise Gap(f"expected {self.seq + 1}, got {first}")
        self.events += [e for e in events if e["seq"] > self.seq and self._is_new(e)]
        self.seq = max(self.seq, last)

    def _is_new(self, event: Event) -> bool:
        """Each id is shown once: a new epoch may tell again what the old one had told."""
        if "id" not in event or event["id"] is None:
            return True
        is_new = event["id"] not in self._shown
        self._shown[event["id"]] = None
        if len(self._shown) > IDS_KEPT:
            self._shown.popitem(last=False)
        return is_new

    def _answered(self, command_id: int, frame: dict[str, Any]) -> None:
        answer = self._answers.pop(command_id, None)
        if answer is None or answer.done():
            self.unasked.append(frame)
            return
        if "error" in frame:
            answer.set_exception(Refused(frame["error"]))
        else:
            answer.set_result(frame["ok"])


def pause_s(hello: dict[str, Any], reason: str, failed: int) -> float:
    """How long to stay away, after so many attempts that failed since the last hello.

    The server's word first, as each socket got its own; then a place in the spread that it asked
    for; then longer each time.
    """
    if failed == 0 and (told := re.search(r"retry_after=([0-9.]+)", reason)):
        return float(told[1])
    spread_s = float(hello.get("retry_within_s", 1.0))
    longest_s = max(LONGEST_PAUSES_S[failed > SOON_ATTEMPTS], spread_s)
    doubled_s = min(longest_s, max(0.5, spread_s / 4) * 2 ** min(failed, 10))
    return random.uniform(0, doubled_s if failed else spread_s)  # noqa: S311
