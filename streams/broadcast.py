"""Broadcasting a video file through the door that cameras use: for tests, the demo, and operators.

await broadcast(Path("video.mp4"), show_id=show_id, key=key, url="http://localhost:8000")
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from media_pipeline.ingest.errors import SomebodyBroadcasts, TakeIsOver
from streams.broadcast_source import FileCamera, VideoFile, camera_arguments

CHUNK_HEAD = struct.Struct(">Id")
# Against these closing codes trying again would not help.
FINAL = frozenset({4400, 4401, 4403, 4404, 4409, 4410, 4413, 4415})
GIVE_UP_S = 60.0
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 4.0
STOP_WITHIN_S = 10.0
# So little of the film is not worth another take.
REST_S = 1.0
BARREN_TAKES = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """What was broadcast. `duration_s` is what the server has of it, over all takes.

    `lost_s` is what it should have besides: film that was asked for and did not arrive.
    """

    duration_s: float
    bytes_sent: int
    takes: int
    reconnects: int
    lost_s: float = 0.0


class BroadcastFailed(Exception):
    """It could not be broadcast; the message is for the person who tried.

    `summary` tells of what came before, if anything did.
    """

    summary: Summary | None = None


class BroadcastRefused(BroadcastFailed):
    """The server said no, with a closing code of the ingest protocol and the code of its reason."""

    def __init__(self, close: int, code: str, message: str) -> None:
        super().__init__(message)
        self.close = close
        self.code = code


class _TakeLost(Exception):
    """The server cannot continue the take, of which it has `duration_s`: a new one has to begin."""

    def __init__(self, duration_s: float) -> None:
        super().__init__(duration_s)
        self.duration_s = duration_s


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a broadcast has come."""

    elapsed_s: float = 0.0
    confirmed_bytes: int = 0
    waiting_bytes: int = 0
    connected: bool = False
    takes: int = 0
    reconnects: int = 0


async def broadcast(
    file: Path,
    *,
    show_id: uuid.UUID,
    key: str,
    url: str = "http://localhost:8000",
    loop: bool = False,
    duration_s: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    pace: float = 1.0,
) -> Summary:
    """Broadcast the file until it is over, with `loop` again and again, or for `duration_s`.

    Lost connections are taken up where they were, lost takes where the server's recording of them
    ends. Cancelling stops the camera and seals the take
    before this returns. `pace` above 1 is faster than life and for tests alone. Raises
    `SourceUnreadable` for a file without video, and `BroadcastFailed`.
    """
    video = await asyncio.to_thread(VideoFile.open, file)
    link = CameraLink(ingest_url(url, show_id), key, on_progress or _ignore)
    work = asyncio.create_task(_all_takes(link, video, loop, duration_s, pace))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        link.stop()
        await asyncio.wait({work}, timeout=STOP_WITHIN_S)
        raise
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, BroadcastFailed):
            await work


def ingest_url(url: str, show_id: uuid.UUID) -> str:
    """The address of the show's camera socket on the server at `url`."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    if not separator or scheme not in {"http", "https", "ws", "wss"}:
        raise BroadcastFailed(_("%s is no address of a server.") % url)
    secure = scheme in {"https", "wss"}
    return f"{'wss' if secure else 'ws'}://{rest}/ws/ingest/{show_id}/"


def _ignore(progress: Progress) -> None:
    pass


async def _all_takes(
    link: CameraLink, video: VideoFile, loop: bool, duration_s: float | None, pace: float
) -> Summary:
    """One take, or more where the server lost one: each goes on where its recording ends."""
    wanted_s = _wanted_s(video, loop, duration_s)
    barren = 0
    while True:
        had_s = link.recorded_s
        left_s = None if duration_s is None else duration_s - had_s
        start_s = 0.0 if loop else had_s
        camera = await FileCamera.start(
            camera_arguments(video, start_s=start_s, loop=loop, duration_s=left_s, pace=pace)
        )
        try:
            is_complete = await link.send_take(camera)
        except BroadcastFailed as error:
            error.summary = link.summary(wanted_s, unsealed_s=camera.confirmed_s * pace)
            raise
        is_enough = wanted_s - link.recorded_s < REST_S
        barren = barren + 1 if link.recorded_s == had_s else 0
        if is_complete or is_enough or link.is_stopping or barren == BARREN_TAKES:
            return link.summary(link.recorded_s if is_complete else wanted_s)


def _wanted_s(video: VideoFile, loop: bool, duration_s: float | None) -> float:
    """How much is to be broadcast, in seconds; endless for a loop without an end."""
    asked_s = math.inf if duration_s is None else duration_s
    return asked_s if loop else min(asked_s, video.duration_s)


class CameraLink:
    """The connection to the server, through every loss of it."""

    def __init__(self, url: str, key: str, tell: Callable[[Progress], None]) -> None:
        self.is_stopping = False
        self._url = url
        self._key = key
        self._tell = tell
        self._progress = Progress()
        self.recorded_s = 0.0
        self._earlier_bytes = 0
        self._camera: FileCamera | None = None
        self._next = 0
        self._reason: dict[str, Any] = {}
        self._left: dict[str, Any] = {}

    def stop(self) -> None:
        self.is_stopping = True
        if self._camera is not None:
            self._camera.stop()

    def summary(self, wanted_s: float, *, unsealed_s: float = 0.0) -> Summary:
        """What the server has, of `wanted_s`; `unsealed_s` of it in a take that is still open."""
        has_s = self.recorded_s + unsealed_s
        missing_s = wanted_s - has_s if math.isfinite(wanted_s) else 0.0
        progress = self._progress
        return Summary(
            duration_s=has_s,
            bytes_sent=self._earlier_bytes,
            takes=progress.takes,
            reconnects=progress.reconnects,
            lost_s=missing_s if missing_s >= REST_S else 0.0,
        )

    async def send_take(self, camera: FileCamera) -> bool:
        """Send all of the camera's chunks and seal; raises `BroadcastFailed`.

        Returns `False` where the server lost the take, so that a new one has to begin.
        """
        self._camera = camera
        self._note(takes=self._progress.takes + 1)
        try:
            await self._carry(camera, uuid.uuid4())
        except _TakeLost as lost:
            self.recorded_s += lost.duration_s
            return False
        finally:
            self._earlier_bytes += camera.confirmed_bytes
            await camera.close()
        return True

    async def _carry(self, camera: FileCamera, take_id: uuid.UUID) -> None:
        """Send the take through every loss of the connection."""
        pause_s, alone_s = FIRST_PAUSE_S, 0.0
        while True:
            try:
                async with connect(self._url, proxy=None) as socket:
                    await self._say_hello(socket, take_id)
                    pause_s, alone_s = FIRST_PAUSE_S, 0.0
                    await self._converse(socket, camera)
                    self._check_left()
                    return
            except ConnectionClosed as closed:
                self._check_final(closed)
            except (OSError, InvalidHandshake, InvalidURI) as error:
                if alone_s >= GIVE_UP_S or not self._progress.confirmed_bytes:
                    message = _("The server at %s cannot be reached.") % self._url
                    raise BroadcastFailed(message) from error
            self._note(connected=False, reconnects=self._progress.reconnects + 1)
            await asyncio.sleep(pause_s)
            pause_s, alone_s = min(LONGEST_PAUSE_S, pause_s * 2), alone_s + pause_s

    def _check_final(self, closed: ConnectionClosed) -> None:
        """Raise what the closing code means, unless it means to come back."""
        code = closed.rcvd.code if closed.rcvd else 1006
        if code == TakeIsOver.close:
            raise _TakeLost(self._reason.get("duration_s", 0.0)) from closed
        if code in FINAL:
            message = self._reason.get("message") or _("The server refused it (%d).") % code
            raise BroadcastRefused(code, self._reason.get("code", ""), message) from closed

    def _check_left(self) -> None:
        if self._left:
            code, message = self._left["code"], self._left["message"]
            raise BroadcastRefused(SomebodyBroadcasts.close, code, message)

    async def _say_hello(self, socket: ClientConnection, take_id: uuid.UUID) -> None:
        self._reason = {}
        hello = {"take": str(take_id), "mime": "video/x-matroska", "key": self._key}
        await socket.send(msgspec.json.encode({"hello": hello}).decode())
        self._next = (await self._hear(socket))["ready"]["next"]
        self._note(connected=True)

    async def _converse(self, socket: ClientConnection, camera: FileCamera) -> None:
        """Send and hear at once, until the take is sealed."""
        camera.confirm(self._next)
        sending = asyncio.create_task(self._send(socket, camera))
        try:
            while "sealed" not in (frame := await self._hear(socket)):
                camera.confirm(frame["ack"]["next"])
                self._note(
                    elapsed_s=camera.elapsed_s,
                    confirmed_bytes=self._earlier_bytes + camera.confirmed_bytes,
                    waiting_bytes=camera.waiting_bytes,
                )
            self.recorded_s += frame["sealed"]["duration_s"]
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await sending

    async def _send(self, socket: ClientConnection, camera: FileCamera) -> None:
        """Every chunk from `next` on, then the seal."""
        while not camera.is_drained:
            for chunk in camera.from_number(self._next):
                head = CHUNK_HEAD.pack(chunk.number, chunk.offset_ms)
                await socket.send(head + chunk.payload)
                self._next = chunk.number + 1
            await camera.changed()
        await socket.send('{"do": "seal"}')

    async def _hear(self, socket: ClientConnection) -> dict[str, Any]:
        """The next frame to act on; an error is kept until the closing code follows it.

        Asked to leave, for another camera goes on, it stops and sends the rest.
        """
        while True:
            frame: dict[str, Any] = msgspec.json.decode(await socket.recv())
            if "error" in frame:
                self._reason = frame["error"]
            elif "leave" in frame:
                self._left = frame["leave"]
                self.stop()
            else:
                return frame

    def _note(self, **changes: Any) -> None:
        self._progress = replace(self._progress, **changes)
        self._tell(self._progress)
