"""The socket of one person: what happens to their orders and their money, wherever they are.

The room's frames and recovery, with the topic `user:<id>` of whoever comes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.sockets import Handshake
from core.errors import SignInRequired
from core.realtime.db import run_in_db
from core.realtime.log import Entry, Position
from core.realtime.runtime import Runtime
from orders.selectors import orders_under_way
from streams.consumers import NO_SHOW, Visit, room_application
from streams.door import Door
from streams.doors import doors_of
from streams.facts import Facts
from streams.guard import Seat, who_is_over
from streams.guests import Guest, guest_at
from streams.me_protocol import MySnapshot, OrderUnderWay
from streams.models import Audience
from streams.protocol import FirstFrame, You

PREFIX = "user"
SHOWN = 20


class MyDoor(Door):
    """Lets in whoever is signed in, to what is theirs; `show_id` is their own public id."""

    prefix: ClassVar[str] = PREFIX
    resumes: ClassVar[bool] = False
    listens_only: ClassVar[bool] = True
    counts_viewers: ClassVar[bool] = False

    def admit(self, user: AnyUser) -> You:
        person = signed_in(user)
        return You(
            signed_in=True,
            id=person.public_id,
            name=person.shown_name,
            role="viewer",
            muted=False,
        )

    def admit_stranger(self) -> You | None:
        return None

    def look(self) -> Facts:
        return Facts(Audience.INVITED, muted={}, banned={}, looked_at=time.monotonic())

    def paint(
        self, here: Position, recent: Sequence[Entry], latest: Mapping[str, int]
    ) -> msgspec.Struct:
        return MySnapshot(
            [
                OrderUnderWay(order.public_id, order.number, order.state)
                for order in orders_under_way(self.show_id)[:SHOWN]
            ]
        )

    async def _recheck(self) -> None:
        """Send away who has signed out, got another password or lost the account."""
        self._close(await run_in_db(who_is_over, set(self._seats.values())))

    def who_is_another(self, seats: Collection[Seat]) -> Mapping[Seat, int]:
        return who_is_over(seats)


class MyVisit(Visit):
    """Which room it is, only the proof of who comes tells: nobody can name another's."""

    __slots__ = ()

    async def _meet(
        self, running: Runtime, handshake: Handshake, first: FirstFrame
    ) -> tuple[Door, Guest]:
        guest = await guest_at(MyDoor(running, NO_SHOW), handshake, first)
        if guest.you.id is None:
            raise SignInRequired(_("Please sign in first."))
        self._show_id = guest.you.id
        return doors_of(running).at(MyDoor, guest.you.id), guest


application = room_application(MyDoor, MyVisit)
