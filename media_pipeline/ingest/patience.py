"""For how long a show's camera may be away before something is said or done about it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from django.db import DatabaseError

from core.realtime.db import run_in_db
from media_pipeline.models import Take
from media_pipeline.services import takes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long nothing may come from a camera, in seconds. Whether its connection is open
    says little: a phone that lost its network leaves it open for a minute."""

    told_after_s: float = 4.0
    """The room is told; a shorter drop is nobody's business. Recorders send MP4 once a second."""
    sealed_after_s: float = 180.0
    """The take is sealed, and what the phone still keeps of it is lost. It keeps 30 s of film, but
    may be without a network for longer before it can send them."""
    silent_s: float = 10.0
    """A connection that says nothing for so long may be replaced: a phone that changed networks
    leaves the old one open, and must not be locked out by itself."""


class OffAir:
    """Tells the room that the last take is over, unless another has begun meanwhile."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._untold: Take | None = None
        self._telling: asyncio.Task[None] | None = None

    def tell_later(self, row: Take) -> None:
        """Give the camera time to begin another take, and the host to end the show."""
        self._stop()
        self._untold = row
        self._telling = asyncio.create_task(self._wait_and_tell())

    async def tell_now(self) -> None:
        self._stop()
        await self._tell()

    def _stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _wait_and_tell(self) -> None:
        while self._untold is not None:
            await asyncio.sleep(self._after_s)
            try:
                await self._tell()
            except DatabaseError:
                show_id = self._untold.recording.show_id
                log.exception("could not tell that the camera of %s is off", show_id)

    async def _tell(self) -> None:
        if self._untold is not None:
            await run_in_db(takes.take_stopped, self._untold)
            self._untold = None
