"""The socket of a show's own people: the room's frames and recovery, with another door and log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from core.accounts.access import AnyUser
from core.realtime.log import Entry, Position
from streams import selectors
from streams.access import show_by_id
from streams.consumers import room_application
from streams.door import Door
from streams.protocol import You
from streams.studio.access import show_to_moderate
from streams.studio.selectors import studio_snapshot
from streams.studio.topics import PREFIX


class StudioDoor(Door):
    """Lets in who keeps order in the show, and no longer than they do.

    Nothing here is for strangers: nobody comes back on a token alone, and who lost their part in
    the show is sent away within `recheck_s`.
    """

    prefix: ClassVar[str] = PREFIX
    resumes: ClassVar[bool] = False
    listens_only: ClassVar[bool] = True
    for_keepers: ClassVar[bool] = True

    def admit(self, user: AnyUser) -> You:
        return selectors.you(user, show_to_moderate(user, self.show_id))

    def admit_stranger(self) -> You | None:
        return None

    def paint(
        self, here: Position, recent: Sequence[Entry], latest: Mapping[str, int]
    ) -> msgspec.Struct:
        return studio_snapshot(show_by_id(self.show_id), here, recent)


application = room_application(StudioDoor)
