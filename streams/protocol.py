"""Room protocol v1: every command, event and frame, declared once.

The consumer decodes with these types, the handlers encode with them, and `docs/protocol.md` is
generated from them. A docstring here is what the reader of that page sees.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from core.realtime.frames import Event
from core.realtime.log import NewEntry
from orders.selectors import OfferView

LONGEST_FRAME = 16 * 1024
CommandId = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """The `data` of one command."""

    do: ClassVar[str]


class ChatSend(Command, frozen=True):
    """Say something. Answer: the `seq` of the message.

    `key` is made by the client for each message: sent again with the same key, as after an answer
    that was lost, it is still one message.
    """

    do: ClassVar[str] = "chat.send"
    text: str
    key: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ChatRemove(Command, frozen=True):
    """Take a message away (host, operator)."""

    do: ClassVar[str] = "chat.remove"
    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class ViewerMute(Command, frozen=True):
    """Let a viewer no longer chat in this show (host, operator)."""

    do: ClassVar[str] = "viewer.mute"
    user_id: UUID


class ProductPin(Command, frozen=True):
    """Show one of the show's offers to everybody (host, operator)."""

    do: ClassVar[str] = "product.pin"
    offer_id: UUID


class ProductUnpin(Command, frozen=True):
    """Show no offer (host, operator)."""

    do: ClassVar[str] = "product.unpin"


class React(Command, frozen=True):
    """Send a like. Likes are counted, not logged; the count comes in `now`."""

    do: ClassVar[str] = "react"
    kind: Literal["like"]


class Courier(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="courier"):
    """To the buyer's door."""

    name: str
    phone: str
    address: str


class Pickup(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pickup"):
    """To one of the seller's pick-up points."""

    point_id: UUID
    name: str
    phone: str


class OrderPlace(Command, frozen=True):
    """Order from an offer, paid in cash on delivery. Answer: the order.

    `key` is made by the client for each intent to buy: a repeat with the same key and the same
    content is answered by the same order, however often it is sent. What a show offers can be
    ordered from when it is scheduled, before its start and from its replay too.
    """

    do: ClassVar[str] = "order.place"
    key: str
    offer_id: UUID
    quantity: int
    price_minor: int
    delivery: Courier | Pickup
    note: str = ""


class Ping(Command, frozen=True):
    """Ask whether the room is there."""

    do: ClassVar[str] = "ping"


COMMANDS: dict[str, type[Command]] = {
    command.do: command
    for command in (
        ChatSend,
        ChatRemove,
        ViewerMute,
        ProductPin,
        ProductUnpin,
        React,
        OrderPlace,
        Ping,
    )
}


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """What every command is wrapped in."""

    id: CommandId
    do: str
    data: Raw = Raw(b"{}")


class FirstFrame(Struct, frozen=True, forbid_unknown_fields=True):
    """The first frame of a client that is not a browser; `null` is for an anonymous viewer."""

    ticket: str | None


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """What went wrong: a stable code, a message for people, and what helps to go on."""

    code: str
    message: str
    field: str | None = None
    retry_after: float | None = None
    details: dict[str, Any] = {}


class ErrorAnswer(Struct, frozen=True):
    """The answer to a command that was refused; `id` is null if it could not be read."""

    id: int | None
    error: ErrorBody


class OkAnswer(Struct, frozen=True):
    """The answer to a command that was done."""

    id: int
    ok: dict[str, Any]


class PlacedOrder(Struct, frozen=True):
    """The order that `order.place` made, or had made before."""

    id: UUID
    number: str
    total_minor: int
    currency: str
    state: str
    url: str


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
    """The camera is back."""

    type: ClassVar[str] = "show.resumed"


class ShowEndedEvent(RoomEvent, frozen=True):
    """The show is over."""

    type: ClassVar[str] = "show.ended"


class ReplayReadyEvent(RoomEvent, frozen=True):
    """The recording can be watched."""

    type: ClassVar[str] = "replay.ready"
    duration_s: float


class ChatMessageEvent(RoomEvent, frozen=True):
    """Somebody said something; `user_id` is the public id."""

    type: ClassVar[str] = "chat.message"
    text: str
    name: str
    user_id: UUID
    role: Literal["viewer", "host"]


class ChatRemovedEvent(RoomEvent, frozen=True):
    """The message at this `seq` was taken away; later readers find a `tombstone` in its place."""

    type: ClassVar[str] = "chat.removed"
    seq: int


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
    """This viewer may no longer chat."""

    type: ClassVar[str] = "viewer.muted"
    user_id: UUID


class NoticeEvent(RoomEvent, frozen=True):
    """Something that everybody in the room should read."""

    type: ClassVar[str] = "notice"
    text: str


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
        TombstoneEvent,
        ProductPinnedEvent,
        ProductUnpinnedEvent,
        StockChangedEvent,
        OrderPlacedEvent,
        ViewerMutedEvent,
        NoticeEvent,
    )
}


class ShowView(Struct, frozen=True):
    """The show as the room shows it."""

    id: UUID
    title: str
    state: Literal["scheduled", "live", "ended"]
    started_at: str | None
    interrupted: bool
    host: str
    seller: str
    audience: Literal["public", "unlisted", "invited"]


class Snapshot(Struct, frozen=True):
    """The room as it is; `chat` has the last 50 messages, `recent_orders` the last 5 orders."""

    show: ShowView
    pinned: OfferView | None
    offers: list[OfferView]
    chat: list[Event]
    recent_orders: list[Event]
    viewers: int
    likes: int


class You(Struct, frozen=True):
    """Who you are here."""

    signed_in: bool
    id: UUID | None
    name: str | None
    role: Literal["viewer", "host", "operator"]
    muted: bool


class HelloBody(Struct, frozen=True):
    """Where you are in the log: the next frame of events begins at `seq` + 1.

    If `recovered`, `seq` is the position that you asked for, everything after it follows, and
    there is no snapshot. If not, begin anew from `snapshot`.
    """

    epoch: str
    seq: int
    recovered: bool
    you: You
    snapshot: Snapshot | UnsetType = UNSET


class Hello(Struct, frozen=True):
    """The first frame from the server."""

    hello: HelloBody


CLOSE_CODES: dict[int, str] = {
    4401: "Sign in first.",
    4403: "Not allowed here, or a page of another site asked.",
    4404: "No such show.",
    4408: "Too slow to keep up: come back with your position.",
    4429: "Far too many frames.",
    4503: "The server restarts: come back with your position.",
}

ERROR_CODES: dict[str, str] = {
    "sign_in_required": "Sign in first; keep the draft.",
    "not_allowed": "You may not do this.",
    "not_found": "There is no such thing.",
    "invalid_input": "`field` cannot be used; it is a path within `data`, or of the frame.",
    "unknown_command": "There is no such command.",
    "sold_out": "Not enough left.",
    "price_changed": "The price is another one now; `details` has it.",
    "too_many": "Too often; try again after `retry_after` seconds.",
    "muted": "You may no longer chat in this show.",
    "show_not_live": "The show is over.",
    "key_reused": "The key of an order was used for another one.",
    "conflict": "Not in a state in which this can be done.",
    "try_again": "The server could not do it now; try again after `retry_after` seconds.",
}
