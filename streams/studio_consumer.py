"""The socket of a show's own people: the room's frames and recovery, with another door and log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

import msgspec
from django.db import DatabaseError

from core.accounts.access import AnyUser
from core.accounts.sockets import user_by_public_id
from core.errors import AppError
from core.realtime.db import run_in_db
from core.realtime.log import Entry, Position
from core.realtime.runtime import Runtime
from streams import selectors
from streams.access import show_by_id
from streams.consumers import room_application
from streams.door import Door
from streams.protocol import You
from streams.studio.access import show_to_moderate
from streams.studio.selectors import studio_snapshot
from streams.studio.topics import PREFIX

log = logging.getLogger(__name__)

NOT_ALLOWED = 4403


class StudioDoor(Door):
    """Lets in who keeps order in the show, and no longer than they do.

    Nothing here is for strangers: nobody comes back on a token alone, and who lost their part in
    the show is sent away within `recheck_s`.
    """

    prefix: ClassVar[str] = PREFIX
    resumes: ClassVar[bool] = False
    listens_only: ClassVar[bool] = True
    recheck_s: ClassVar[float] = 15.0

    def __init__(self, running: Runtime, show_id: UUID) -> None:
        super().__init__(running, show_id)
        self._people: set[UUID] = set()
        self._guarding: asyncio.Task[None] | None = None

    def admit(self, user: AnyUser) -> You:
        you = selectors.you(user, show_to_moderate(user, self.show_id))
        if you.id is not None:
            self._people.add(you.id)
        return you

    def admit_stranger(self) -> You | None:
        return None

    async def enter(self, here: Position) -> None:
        await super().enter(here)
        if self._guarding is None:
            self._guarding = asyncio.create_task(self._guard(), name=f"guard of {self.topic}")

    def leave(self) -> None:
        super().leave()
        if not self.inside and self._guarding is not None:
            self._guarding.cancel()
            self._guarding = None

    def paint(
        self, here: Position, recent: Sequence[Entry], latest: Mapping[str, int]
    ) -> msgspec.Struct:
        return studio_snapshot(show_by_id(self.show_id), here, recent)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(self.recheck_s)
            try:
                gone = await run_in_db(self._no_longer_allowed)
            except DatabaseError:  # asked again next time
                log.exception("who may be in %s could not be looked up", self.topic)
                continue
            for person in gone:
                self._people.discard(person)
                for socket in list(self.running.hub.sockets_of(self.topic, f"user:{person}")):
                    socket.close(NOT_ALLOWED)

    def _no_longer_allowed(self) -> list[UUID]:
        return [person for person in tuple(self._people) if not self._may_stay(person)]

    def _may_stay(self, person: UUID) -> bool:
        try:
            show_to_moderate(user_by_public_id(person), self.show_id)
        except AppError:
            return False
        return True


application = room_application(StudioDoor)
