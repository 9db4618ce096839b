"""The ingest desk: every camera that this process receives. There is one desk a process."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from core.realtime.db import run_in_db
from media_pipeline.ingest.broadcast import Broadcast
from media_pipeline.ingest.connection import Connection
from media_pipeline.ingest.errors import ServerStops, ShowIsOver
from media_pipeline.ingest.late_connection import LateConnection
from media_pipeline.ingest.patience import Patience
from media_pipeline.services import late_takes, takes
from media_pipeline.services.late_takes import KeptTake

log = logging.getLogger(__name__)


class Desk:
    """Where cameras connect, shows are closed, and a stopping server leaves what is open."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._broadcasts: dict[uuid.UUID, Broadcast] = {}
        self._late: dict[uuid.UUID, LateConnection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def connect(
        self,
        show_id: uuid.UUID,
        *,
        is_public: bool,
        take_id: uuid.UUID,
        mime: str,
        take_over: bool = False,
        keeps: Sequence[KeptTake] = (),
    ) -> Connection:
        """A broadcaster's hold on its take, with `take_over` instead of whoever films now.

        `keeps` are earlier takes of the same phone that are not to be waited for. Raises
        `IngestRefused`.
        """
        self._loop = asyncio.get_running_loop()
        if show_id not in self._broadcasts:
            recording = await run_in_db(takes.recording_of, show_id, is_public=is_public)
            end = partial(self.end_show, show_id, is_public=is_public)
            self._broadcasts.setdefault(show_id, Broadcast(recording, self.patience, end))
        broadcast = self._broadcasts[show_id]
        return await broadcast.connect(take_id, mime, take_over=take_over, keeps=keeps)

    async def connect_late(
        self,
        show_id: uuid.UUID,
        *,
        is_public: bool,
        take_id: uuid.UUID,
        keeps: Sequence[KeptTake],
        age_s: float,
    ) -> LateConnection:
        """A phone's hold on one of the takes that it `keeps`; raises `IngestRefused`.

        The take's recorder was started `age_s` ago.
        """
        recording = await run_in_db(takes.recording_of, show_id, is_public=is_public)
        await run_in_db(late_takes.set_aside, recording, keeps)
        if (broadcast := self._broadcasts.get(show_id)) is not None:
            await broadcast.set_aside({one.take_id for one in keeps})
        if (before := self._late.get(take_id)) is not None:
            await before.leave(ServerStops())
        row = await run_in_db(late_takes.receive, recording, take_id)
        self._late[take_id] = connection = await LateConnection.open(row, age_s=age_s)
        connection.refused.add_done_callback(partial(self._forget, take_id, connection))
        return connection

    def _forget(self, take_id: uuid.UUID, gone: LateConnection, done: object) -> None:
        if self._late.get(take_id) is gone:
            del self._late[take_id]

    def broadcast_of(self, show_id: uuid.UUID) -> Broadcast | None:
        return self._broadcasts.get(show_id)

    async def end_show(self, show_id: uuid.UUID, *, is_public: bool) -> None:
        """The show is over: let its broadcaster go and seal its recording.

        While a phone sends what it kept that waits for `shows.seal_leftovers`.
        """
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
        broadcasts, late = list(self._broadcasts.values()), list(self._late.values())
        self._broadcasts.clear()
        await asyncio.gather(
            *(broadcast.leave() for broadcast in broadcasts),
            *(connection.leave(ServerStops()) for connection in late),
        )


def _log_failure(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("a show's recording could not be sealed", exc_info=error)


desk = Desk()
