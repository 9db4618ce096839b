"""One show's camera: which take is running, who feeds it, and what happens when they go away."""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Any

from django.db import DatabaseError

from core.clock import now
from core.realtime.db import run_in_db
from media_pipeline.clock import Drift
from media_pipeline.ingest import layout
from media_pipeline.ingest.chunks import ChunkFile
from media_pipeline.ingest.connection import Connection
from media_pipeline.ingest.errors import (
    IngestRefused,
    ServerStops,
    SomebodyBroadcasts,
    TakeIsOver,
    TakenOver,
)
from media_pipeline.ingest.files import in_files
from media_pipeline.ingest.lease import Lease
from media_pipeline.ingest.live_take import LiveTake
from media_pipeline.ingest.patience import OffAir, Patience
from media_pipeline.ingest.screen import Screen
from media_pipeline.models import Recording, Take
from media_pipeline.playlists import TakeSegments
from media_pipeline.services import late_takes, takes
from media_pipeline.services.late_takes import KeptTake

log = logging.getLogger(__name__)

NOTE_EVERY_S = 2.0
LOOK_EVERY_S = 0.25
LEAVE_WITHIN_S = 4.0
"""What a phone that is asked to leave gets to send the rest of its take."""
LEFT_WITHIN_S = 8.0
"""What another process gets to have its phone leave. One that was killed is known to be gone."""
ASK_EVERY_S = 0.2
HEARD_WITHIN_S = 2.5
"""Recorders give something once a second at least: who says nothing for longer has no network."""


class Broadcast:
    """The takes of one show while its camera is on. All changes happen under one lock."""

    def __init__(
        self,
        recording: Recording,
        patience: Patience,
        on_end: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """`on_end` ends the show's broadcast when another process asks for it."""
        self._on_end = on_end
        self.recording = recording
        self.take: LiveTake | None = None
        self._row: Take | None = None
        self._connection: Connection | None = None
        self._patience = patience
        self._following: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._lease: Lease | None = None
        self._off_air = OffAir(patience.told_after_s)
        self._told_away = False
        self._heard_at = self._away_at = 0.0
        self._connected_at = 0.0
        self._shown: layout.Shown | None = None
        self._shown_position = -1
        self._told_started = False
        self._noted_at = 0.0
        self._lock = asyncio.Lock()
        key = layout.recording_key(recording.public_id, is_public=recording.is_public)
        self._folder = layout.recording_folder(key)

    @property
    def silent_s(self) -> float:
        """For how long the connection has said nothing; endless where there is none."""
        return self._connection.silent_s if self._connection is not None else math.inf

    async def connect(
        self,
        take_id: uuid.UUID,
        mime: str,
        *,
        take_over: bool = False,
        keeps: Sequence[KeptTake] = (),
    ) -> Connection:
        """Continue the running take, or begin a new one; with `take_over`, in another's place.

        A running take that its phone `keeps` is set aside for it. Raises `SomebodyBroadcasts` while
        another take's connection is open, `TakenOver` for a take that was set aside, and what
        `takes.open_take` raises.
        """
        if keeps:
            await run_in_db(late_takes.set_aside, self.recording, keeps)
            await self.set_aside({one.take_id for one in keeps})
        if self._row is None or self._row.public_id != take_id:
            await run_in_db(late_takes.check_not_replaced, take_id)
            if take_over:
                await self._have_left(self._connection, self._following)
                await self._have_left_elsewhere(take_id)
            self._check_free()
        async with self._lock:
            if self.take is not None and self.take.is_closed:
                await self._finish()
            if self._row is None or self._row.public_id != take_id:
                self._check_free()
                await self._replace(SomebodyBroadcasts())
                await self._begin(take_id, mime)
            return await self._hand_over()

    async def _have_left(
        self, connection: Connection | None, following: asyncio.Task[None] | None
    ) -> None:
        """Have who films now send the rest of the take and seal it; soon it is over anyway."""
        if following is None:
            return
        if connection is not None:
            connection.asked_to_leave.set()
            ends: set[asyncio.Future[Any]] = {following, connection.refused}
            await asyncio.wait(ends, timeout=LEAVE_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        async with self._lock:
            if following is self._following and self._connection in {None, connection}:
                await self._replace(TakenOver())

    async def set_aside(self, kept: Collection[uuid.UUID]) -> None:
        """Show the running take no more where it is one of these: its phone sends the rest beside
        what it films now."""
        async with self._lock:
            if self._row is not None and self._row.public_id in kept:
                await self._replace(ServerStops())

    async def _replace(self, why: IngestRefused) -> None:
        """Make room for another take. Its phone may come back with what it kept of this one."""
        take, row = self.take, self._row
        self._let_go(why)
        if take is not None and row is not None and not take.is_closed:
            await run_in_db(late_takes.set_aside, self.recording, [KeptTake.of(row)])
            row.late_since = now()
            await take.leave(why)
        await self._finish()

    async def _have_left_elsewhere(self, take_id: uuid.UUID) -> None:
        """The same, where another process has the camera. It looks every second what is asked."""
        left = await run_in_db(takes.ask_to_leave, self.recording, but=take_id)
        give_up_at = time.monotonic() + LEFT_WITHIN_S
        while left is not None and time.monotonic() < give_up_at:
            if not await run_in_db(takes.is_kept, left):
                return
            await asyncio.sleep(ASK_EVERY_S)

    def _check_free(self) -> None:
        if self.silent_s < self._patience.silent_s:
            raise SomebodyBroadcasts

    async def _begin(self, take_id: uuid.UUID, mime: str) -> None:
        """A new take, or one that a process which is gone left open."""
        await run_in_db(takes.finish_left, self.recording, but=take_id, also_late=False)
        row = await run_in_db(takes.open_take, self.recording, take_id=take_id, mime=mime)
        # A show's earlier takes may have been received by other processes.
        if row.next_chunk or row.position != self._shown_position + 1 or self._shown is None:
            earlier = await run_in_db(takes.playable_takes, self.recording, but=take_id)
            self._shown = layout.Shown(self._folder, earlier)
        self._shown_position = row.position
        await in_files((self._folder / str(take_id)).mkdir, parents=True, exist_ok=True)
        self.take = await in_files(self._live_take, row)
        self._row, self._told_started = row, row.started_at is not None
        # Whoever finds a take that nobody receives tells the room that the camera is away.
        self._told_away = self._told_started
        self._away_at = self._heard_at = time.monotonic()
        self._lease = Lease(row, partial(self._heed, self.take, row))
        self._following = asyncio.create_task(self._follow(self.take, row, self._lease))
        self._following.add_done_callback(partial(_log_failure, row.public_id))

    def _live_take(self, row: Take) -> LiveTake:
        chunks = ChunkFile(layout.chunks_folder(row.public_id))
        screen = Screen(self.recording.show_id, row.public_id, lambda: take.zero_at)
        take = LiveTake(
            self._folder / str(row.public_id),
            chunks,
            self._grown,
            picture=screen,
            sound_will_do=row.mime.startswith("audio/"),
            started_at=row.started_at,
            drift=Drift.of(row.drift),
        )
        return take

    async def _hand_over(self) -> Connection:
        """Give the running take to a new connection; the one before, if any, is let go."""
        self._let_go(SomebodyBroadcasts())
        if self.take is None or self._lease is None:
            raise TakeIsOver
        if await self._lease.renew() is takes.Kept.LOST:
            raise ServerStops
        self._connected_at = time.monotonic()
        self._connection = Connection(self, self.take)
        return self._connection

    async def _follow(self, take: LiveTake, row: Take, lease: Lease) -> None:
        """Run the take to its end, seal it, and tell its broadcaster why if it did not want it."""
        why: IngestRefused | None = TakeIsOver()
        watching = asyncio.create_task(self._watch(take, row, lease))
        keeping = asyncio.create_task(lease.keep(partial(self._is_silent, take)))
        try:
            why = await take.run()
        finally:
            watching.cancel()
            take.show_nothing()
            if isinstance(why, TakeIsOver):
                why = TakeIsOver(duration_s=take.duration_s)
            try:
                await (self._leave(row) if take.is_left else self._seal(take, row, why))
            finally:
                keeping.cancel()

    async def _leave(self, row: Take) -> None:
        """Let another process have the take at once."""
        self.take, self._row = None, None
        if row.late_since is not None:
            self._off_air.tell_later(row)
        elif self._told_started and not self._told_away:
            await run_in_db(takes.take_away, row)
        await run_in_db(takes.let_go, row)

    def _is_silent(self, take: LiveTake) -> bool:
        """Whether the camera may be elsewhere by now."""
        silent_s = min(self.silent_s, time.monotonic() - self._heard_at)
        return silent_s > self._patience.silent_s and not take.is_closed

    async def _heed(self, take: LiveTake, row: Take, kept: takes.Kept) -> None:
        if kept is takes.Kept.LOST:
            self._told_away = True  # whoever has it now tells of it
            self._let_go(ServerStops())
            await take.leave(ServerStops())
        elif kept is takes.Kept.LATE:
            if self._leaving is None or self._leaving.done():
                self._leaving = asyncio.create_task(self.set_aside({row.public_id}))
        elif kept is takes.Kept.SHOW_IS_OVER and self._on_end is not None:
            # Not `await`: it ends the take, and whoever is here with it.
            self._ending = asyncio.create_task(self._on_end())
            self._on_end = None
        elif kept is takes.Kept.LEAVE and (self._leaving is None or self._leaving.done()):
            leaving = self._have_left(self._connection, self._following)
            self._leaving = asyncio.create_task(leaving)

    async def _seal(self, take: LiveTake, row: Take, why: IngestRefused | None) -> None:
        error = why.message if why else ""
        try:
            await self._note_growth(take, row)
            await self._take_back(take, row)
            await run_in_db(takes.seal_take, row, error=error, quietly=True)
        finally:
            self.take, self._row = None, None
            if why is not None:
                self._let_go(why)
            self._off_air.tell_later(row)

    async def lost(self, connection: Connection) -> None:
        async with self._lock:
            if connection is self._connection:
                self._connection = None

    async def hears(self, take: LiveTake) -> None:
        """Chunks come. After a silence another process may have the take, or is about to."""
        silent_s = time.monotonic() - self._heard_at
        if take is self.take and self._lease is not None and silent_s > self._patience.silent_s:
            await self._lease.renew()

    async def heard(self, take: LiveTake) -> None:
        """Chunks are kept. They may be from an outage: the room hears of the picture (`_look`)."""
        if take is self.take:
            self._heard_at = time.monotonic()

    async def _watch(self, take: LiveTake, row: Take, lease: Lease) -> None:
        """Tell the room when nothing comes any more, and close the take in the end."""
        while not take.is_closed:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                async with self._lock:
                    await self._look(take, row, lease)
            except DatabaseError:
                log.exception("could not tell of the silence of take %s", row.public_id)

    async def _look(self, take: LiveTake, row: Take, lease: Lease) -> None:
        silent_s = time.monotonic() - self._heard_at
        is_due = self._told_started and not self._told_away
        if is_due and silent_s >= self._patience.told_after_s:
            await run_in_db(takes.take_away, row)
            self._told_away, self._away_at = True, time.monotonic()
        await self._take_back(take, row)
        # A camera that has just come back needs time to send its first chunk.
        waited_s = min(silent_s, time.monotonic() - self._connected_at)
        is_over = waited_s >= self._patience.sealed_after_s
        if is_over and await lease.renew() is not takes.Kept.LOST:
            await take.close(TakeIsOver())

    async def _take_back(self, take: LiveTake, row: Take) -> None:
        """Tell the room that it is seen again, where it is."""
        if self._told_away and take.shown_at > self._away_at:
            await run_in_db(takes.take_back, row)
            self._told_away = False

    async def finish(self, by: Connection | None = None) -> None:
        """Seal the running take, if any; when it returns all of it is in segments.

        With `by`, only if the take is still that connection's.
        """
        async with self._lock:
            if by is None or by is self._connection:
                await self._finish()

    async def end(self, why: IngestRefused) -> None:
        """Let the broadcaster go and seal the take.

        One that has not been heard just now may have kept something, and come back with it.
        """
        async with self._lock:
            if self.silent_s > HEARD_WITHIN_S:
                await self._replace(why)
            self._let_go(why)
            await self._finish()
        await self._off_air.tell_now()

    async def leave(self) -> None:
        """The server stops: the camera may continue its take wherever it comes back to."""
        self._let_go(ServerStops())
        async with self._lock:
            if self.take is not None:
                await self.take.leave(ServerStops())
            await self._finish()
        await self._off_air.tell_now()

    def _let_go(self, why: IngestRefused) -> None:
        if self._connection is not None:
            self._connection.refuse(why)
            self._connection = None

    async def _finish(self) -> None:
        if self.take is not None:
            await self.take.close()
        if self._following is not None:
            # Not `await`: whoever waits may be cancelled, and that must not cancel the take.
            await asyncio.wait({self._following})
            self._following = None

    async def _grown(self) -> None:
        """There are new segments: show them, then tell of them."""
        take, row = self.take, self._row
        if take is None or row is None or take.started_at is None:
            return
        if self._shown is not None:
            segments = tuple(take.segments)
            shown = TakeSegments(str(row.public_id), take.started_at, segments, take.drift)
            await in_files(self._shown.show, shown)
        try:
            await self._note(take, row)
        except DatabaseError:  # the picture goes on; the next segment tries again
            log.exception("could not note the growth of take %s", row.public_id)

    async def _note(self, take: LiveTake, row: Take) -> None:
        if not self._told_started and take.started_at is not None:
            await run_in_db(takes.take_started, row, take.started_at)
            self._told_started = True
        if time.monotonic() - self._noted_at < NOTE_EVERY_S:
            return
        self._noted_at = time.monotonic()
        await self._note_growth(take, row)

    async def _note_growth(self, take: LiveTake, row: Take) -> None:
        await run_in_db(
            takes.take_grown,
            row,
            duration_s=take.duration_s,
            bytes_received=take.bytes_received,
            next_chunk=take.next,
            started_at=take.started_at,
            drift=take.drift,
        )


def _log_failure(take_id: uuid.UUID, done: asyncio.Task[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("take %s ended by an error of ours", take_id, exc_info=error)
