"""The ingest desk: every camera that this process receives. There is one desk a process."""

from __future__ import annotations

import asyncio
import logging
import uuid
from concurrent.futures import Future
from functools import partial

from core.realtime.db import run_in_db
from media_pipeline.ingest.broadcast import Broadcast, Patience
from media_pipeline.ingest.connection import Connection
from media_pipeline.ingest.errors import ShowIsOver
from media_pipeline.services import takes

log = logging.getLogger(__name__)


class Desk:
    """Where cameras connect, shows are closed, and a stopping server leaves what is open."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._broadcasts: dict[uuid.UUID, Broadcast] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def connect(
        self,
        show_id: uuid.UUID,
        *,
        is_public: bool,
        take_id: uuid.UUID,
        mime: str,
        take_over: bool = False,
    ) -> Connection:
        """A broadcaster's hold on its take, with `take_over` instead of whoever films now.

        Raises `IngestRefused`.
        """
        self._loop = asyncio.get_running_loop()
        if show_id not in self._broadcasts:
            recording = await run_in_db(takes.recording_of, show_id, is_public=is_public)
            end = partial(self.end_show, show_id, is_public=is_public)
            self._broadcasts.setdefault(show_id, Broadcast(recording, self.patience, end))
        return await self._broadcasts[show_id].connect(take_id, mime, take_over=take_over)

    def broadcast_of(self, show_id: uuid.UUID) -> Broadcast | None:
        return self._broadcasts.get(show_id)

    async def end_show(self, show_id: uuid.UUID, *, is_public: bool) -> None:
        """The show is over: let its broadcaster go and seal its recording."""
        broadcast = self._broadcasts.get(show_id)
        if broadcast is not None:
            await broadcast.end(ShowIsOver())
        await run_in_db(takes.seal_recording, show_id, is_public=is_public)
        self._broadcasts.pop(show_id, None)

    def end_show_from_thread(self, show_id: uuid.UUID, *, is_public: bool) -> None:
        """`end_show` for callers outside the event loop, which do not wait for a running camera.

        Where another process receives the camera, that one is asked to do it.

        A recording that the process fails to seal by that is found by the next
        `streams.services.shows.seal_leftovers`.
        """
        if self._loop is None or self._loop.is_closed() or show_id not in self._broadcasts:
            if not takes.ask_to_end(show_id):
                takes.seal_recording(show_id, is_public=is_public)
            return
        ending = self.end_show(show_id, is_public=is_public)
        asyncio.run_coroutine_threadsafe(ending, self._loop).add_done_callback(_log_failure)

    async def stop(self) -> None:
        """The server stops: let every broadcaster go. Their takes stay open for its return."""
        broadcasts = list(self._broadcasts.values())
        self._broadcasts.clear()
        await asyncio.gather(*(broadcast.leave() for broadcast in broadcasts))


def _log_failure(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("a show's recording could not be sealed", exc_info=error)


desk = Desk()
