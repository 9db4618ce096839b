"""Streams of encoders, fetched from the media server and sent in through the door of cameras.

One ffmpeg a stream reads it as the media server plays it and copies it to Matroska; what comes
out is sent by the client of `livecommerce broadcast`. So takes, acknowledgements, the limits of
the door and everything after it are those of every camera. Each stream is taken in by one web
process, the one that was asked; if that is gone the next one that is asked begins the next take.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid

from django.conf import settings
from django.db import DatabaseError

from core.realtime.db import run_in_db
from media_pipeline.ingest.errors import SomebodyBroadcasts
from streams.broadcast import BroadcastFailed, BroadcastRefused, CameraLink, Progress, ingest_url
from streams.broadcast_source import FileCamera
from streams.models import EncoderStream
from streams.services import encoders, ingest_keys

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.4
HOLD_EVERY_S = 2.0
# The connection before it may still be open: the door gives a silent one up after 10 s.
FREE_WITHIN_S = 15.0
TRY_EVERY_S = 0.5
STOP_WITHIN_S = 2.0


def pull_arguments(url: str) -> list[str]:
    """ffmpeg's arguments for a live stream at an RTMP address, as Matroska on standard output."""
    # Looking longer at the stream would only keep viewers waiting; its header says what it is.
    reading = ["-analyzeduration", "1000000", "-probesize", "500000"]
    chosen = ["-map", "0:v:0", "-map", "0:a:0?", "-c", "copy"]
    stream = ["-f", "matroska", "-live", "1", "-cluster_time_limit", "200", "-flush_packets", "1"]
    return [*reading, "-rtmp_live", "live", "-i", url, *chosen, *stream, "pipe:1"]


class Pull:
    """One stream, from its first byte to its end, in one take or several."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url
        self._holder = uuid.uuid4()
        self._camera: FileCamera | None = None
        self._is_stopping = False

    async def run(self) -> None:
        """Take it in until it ends, is ended, or this process stops; nothing if another does."""
        if not await run_in_db(encoders.claim, self._name, self._holder):
            return
        stream = await run_in_db(_stream, self._name)
        watching = asyncio.create_task(self._watch())
        try:
            await self._take_in(stream)
        finally:
            watching.cancel()
            await run_in_db(encoders.let_go, self._name, self._holder)

    def stop(self) -> None:
        """Read no more; what was read is still sent, and the take is sealed."""
        self._is_stopping = True
        if self._camera is not None:
            self._camera.stop()

    async def _watch(self) -> None:
        """Hold it, and stop within `LOOK_EVERY_S` when somebody has ended it."""
        held_at = time.monotonic()
        while not self._is_stopping:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if time.monotonic() - held_at < HOLD_EVERY_S:
                    goes_on = await run_in_db(encoders.is_open, self._name)
                else:
                    goes_on = await run_in_db(encoders.claim, self._name, self._holder)
                    held_at = time.monotonic()
            except DatabaseError:
                log.exception("could not look whether stream %s may go on", self._name)
                continue
            if not goes_on:
                self.stop()

    async def _take_in(self, stream: EncoderStream) -> None:
        """One take after the other, while the door wants another."""
        begun = time.monotonic()
        while not self._is_stopping:
            try:
                if await self._take(stream):
                    return
                await asyncio.sleep(TRY_EVERY_S)
            except BroadcastRefused as error:
                is_late = time.monotonic() - begun > FREE_WITHIN_S
                if error.code != SomebodyBroadcasts.code or is_late:
                    await run_in_db(encoders.end, self._name, error.code)
                    return
                await asyncio.sleep(TRY_EVERY_S)
            except BroadcastFailed as error:
                log.warning("stream %s broke off: %s", self._name, error)
                return

    async def _take(self, stream: EncoderStream) -> bool:
        """Whether the take was sealed, or never began; otherwise the next one has to."""
        camera = self._camera = await FileCamera.start(
            pull_arguments(self._url), protocols="rtmp,tcp"
        )
        try:
            if not await camera.begins():
                return True
            key = await run_in_db(ingest_keys.issue, stream.show)
            address = ingest_url(settings.SELF_URL, stream.show.public_id)
            begun = time.monotonic()
            is_sealed = await CameraLink(address, key, _ignore).send_take(camera)
            log.info("stream %s: a take of %.0f s", self._name, time.monotonic() - begun)
            return is_sealed
        finally:
            self._camera = None
            await camera.close()


def _stream(name: str) -> EncoderStream:
    return EncoderStream.objects.select_related("show").get(name=name)


def _ignore(progress: Progress) -> None:
    pass


class Pulls:
    """Every stream that this process takes in. There is one of these a process."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[str, tuple[Pull, asyncio.Task[None]]] = {}

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def pull_from_thread(self, name: str, url: str) -> None:
        """Take the stream in, unless that is being done; returns at once."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin, name, url)

    async def stop(self) -> None:
        """The process stops: seal what is taken in; another process goes on with it."""
        self._loop = None
        running = list(self._running.values())
        for pull, _task in running:
            pull.stop()
        tasks = [task for _pull, task in running]
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _begin(self, name: str, url: str) -> None:
        if self._loop is None or name in self._running:
            return
        pull = Pull(name, url)
        task = asyncio.create_task(pull.run(), name=f"pull {name}")
        self._running[name] = pull, task
        task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, done: asyncio.Task[None]) -> None:
        del self._running[name]
        with contextlib.suppress(asyncio.CancelledError):
            if (error := done.exception()) is not None:
                log.error("stream %s could not be taken in", name, exc_info=error)


pulls = Pulls()
