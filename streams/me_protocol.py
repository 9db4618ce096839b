"""What a person is told about what is theirs: the types of `/ws/me/`."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from streams.protocol.events import RoomEvent


class OrderChanged(RoomEvent, frozen=True):
    """An order of yours is in this state now."""

    type: ClassVar[str] = "order.changed"
    order_id: UUID
    number: str
    state: str


class OrderUnderWay(msgspec.Struct, frozen=True):
    """An order of yours that is not at its end, as it is now."""

    order_id: UUID
    number: str
    state: str


class MySnapshot(msgspec.Struct, frozen=True):
    """Your newest orders that are still under way, at most 20."""

    orders: list[OrderUnderWay]
