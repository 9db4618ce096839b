"""What happens in a room: the events of its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from core.realtime.log import NewEntry
from orders.selectors import OfferView


class RoomEvent(Struct, frozen=True):
    """The `data` of one event."""

    type: ClassVar[str]

    def entry(
        self, at: datetime, *, fact_id: UUID | None = None, removes: int | None = None
    ) -> NewEntry:
        """This event as an entry for the room's log."""
        data = msgspec.to_builtins(self)
        return NewEntry(type=self.type, data=data, at=at, fact_id=fact_id, removes=removes)


class ShowStartedEvent(RoomEvent, frozen=True):
    """The first picture is there."""

    type: ClassVar[str] = "show.started"


class ShowInterruptedEvent(RoomEvent, frozen=True):
    """The camera is away; the room goes on."""

    type: ClassVar[str] = "show.interrupted"


class ShowResumedEvent(RoomEvent, frozen=True):
    """The picture is back: viewers are shown what is filmed now."""

    type: ClassVar[str] = "show.resumed"


class ShowEndedEvent(RoomEvent, frozen=True, omit_defaults=True):
    """The show is over. `stopped` is there, and true, if an operator ended it."""

    type: ClassVar[str] = "show.ended"
    stopped: bool = False


class ReplayReadyEvent(RoomEvent, frozen=True):
    """The recording can be watched."""

    type: ClassVar[str] = "replay.ready"
    duration_s: float


Badge = Literal["viewer", "host", "moderator"]


class ChatMessageEvent(RoomEvent, frozen=True, omit_defaults=True):
    """Somebody said something; `user_id` is the public id.

    `question` is there, and true, where a viewer seems to ask something.
    """

    type: ClassVar[str] = "chat.message"
    text: str
    name: str
    user_id: UUID
    role: Badge
    question: bool = False


class ChatRemovedEvent(RoomEvent, frozen=True):
    """The message of this `id` was taken away; later readers find a `tombstone` in its place.

    `seq` is its place, if it is in the present epoch. Who has no `id` of it goes by that.
    """

    type: ClassVar[str] = "chat.removed"
    seq: int | None
    id: UUID | None = None


class ChatRestoredEvent(RoomEvent, frozen=True, omit_defaults=True):
    """The message of this `id` is shown again, at its own place: `at` says when it was said.

    `seq` as in `chat.removed`; the rest is what its `chat.message` had. Taken away once more, it is
    a `chat.removed` of the same `id`. `answered` is there, and true, for a question that was.
    """

    type: ClassVar[str] = "chat.restored"
    seq: int | None
    id: UUID
    at: str
    text: str
    name: str
    user_id: UUID
    role: Badge
    question: bool = False
    answered: bool = False


class PinnedMessage(Struct, frozen=True):
    """A message on top of the chat; `seq` is its place, if it is in the present epoch."""

    id: UUID | None
    seq: int | None
    text: str
    name: str
    role: Badge


class ChatPinnedEvent(RoomEvent, frozen=True):
    """This message is on top of the chat now, and no other."""

    type: ClassVar[str] = "chat.pinned"
    id: UUID | None
    seq: int | None
    text: str
    name: str
    role: Badge


class ChatUnpinnedEvent(RoomEvent, frozen=True):
    """No message is on top of the chat."""

    type: ClassVar[str] = "chat.unpinned"


class ChatAnsweredEvent(RoomEvent, frozen=True):
    """The question of this `id` was answered; `seq` as in `chat.removed`."""

    type: ClassVar[str] = "chat.answered"
    seq: int | None
    id: UUID | None = None


class ChatUnansweredEvent(RoomEvent, frozen=True):
    """The question of this `id` waits for an answer again; `seq` as in `chat.removed`."""

    type: ClassVar[str] = "chat.unanswered"
    seq: int | None
    id: UUID | None = None


class TombstoneEvent(RoomEvent, frozen=True):
    """Something was here and was taken away: only its place in the log is left."""

    type: ClassVar[str] = "tombstone"


class ProductPinnedEvent(RoomEvent, frozen=True):
    """The host shows this offer."""

    type: ClassVar[str] = "product.pinned"
    offer: OfferView


class ProductUnpinnedEvent(RoomEvent, frozen=True):
    """The host shows no offer."""

    type: ClassVar[str] = "product.unpinned"


class OfferChangedEvent(RoomEvent, frozen=True):
    """An offer is new, or has other terms, or another number left. Keep the highest `version`."""

    type: ClassVar[str] = "offer.changed"
    offer: OfferView


class OfferRemovedEvent(RoomEvent, frozen=True):
    """This offer is not on sale here any more. Put back, it is another one, with another id."""

    type: ClassVar[str] = "offer.removed"
    offer_id: UUID
    version: int


class StockChangedEvent(RoomEvent, frozen=True):
    """So many are to sell now. Keep what has the highest `version`."""

    type: ClassVar[str] = "stock.changed"
    variant_id: UUID
    available: int
    version: int


class SoldLine(Struct, frozen=True):
    """What of an order everybody may see."""

    variant_id: UUID
    title: str
    quantity: int


class OrderPlacedEvent(RoomEvent, frozen=True):
    """Somebody bought; `buyer` is masked, e.g. "L**"."""

    type: ClassVar[str] = "order.placed"
    buyer: str
    lines: list[SoldLine]


class ViewerMutedEvent(RoomEvent, frozen=True):
    """This viewer may no longer chat: for good, or until this time (ISO 8601)."""

    type: ClassVar[str] = "viewer.muted"
    user_id: UUID
    until: str | None = None


class ViewerUnmutedEvent(RoomEvent, frozen=True):
    """This viewer may chat again."""

    type: ClassVar[str] = "viewer.unmuted"
    user_id: UUID


class ViewerBannedEvent(RoomEvent, frozen=True):
    """This viewer may no longer be in the room; their sockets are closed with 4403."""

    type: ClassVar[str] = "viewer.banned"
    user_id: UUID


class ViewerUnbannedEvent(RoomEvent, frozen=True):
    """This viewer may come in again."""

    type: ClassVar[str] = "viewer.unbanned"
    user_id: UUID


class RoomSlowModeEvent(RoomEvent, frozen=True):
    """Each viewer may write once every so many seconds; 0: as often as usual."""

    type: ClassVar[str] = "room.slow_mode"
    every_s: int


class NoticeEvent(RoomEvent, frozen=True):
    """Something that everybody in the room should read.

    A client that knows the `code` says it in its reader's language, with `params`; any other
    shows `text`. Codes: `slow_mode_on` (`every_s`), `slow_mode_off`.
    """

    type: ClassVar[str] = "notice"
    text: str
    code: str = ""
    params: dict[str, Any] = {}


EVENTS: dict[str, type[RoomEvent]] = {
    event.type: event
    for event in (
        ShowStartedEvent,
        ShowInterruptedEvent,
        ShowResumedEvent,
        ShowEndedEvent,
        ReplayReadyEvent,
        ChatMessageEvent,
        ChatRemovedEvent,
        ChatRestoredEvent,
        ChatPinnedEvent,
        ChatUnpinnedEvent,
        ChatAnsweredEvent,
        ChatUnansweredEvent,
        TombstoneEvent,
        ProductPinnedEvent,
        ProductUnpinnedEvent,
        OfferChangedEvent,
        OfferRemovedEvent,
        StockChangedEvent,
        OrderPlacedEvent,
        ViewerMutedEvent,
        ViewerUnmutedEvent,
        ViewerBannedEvent,
        ViewerUnbannedEvent,
        RoomSlowModeEvent,
        NoticeEvent,
    )
}
