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


Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Seconds = Annotated[int, Meta(ge=10, le=366 * 24 * 3600)]


class ChatSend(Command, frozen=True):
    """Say something. Answer: the `seq` and the `id` of the message.

    `key` is made by the client for each message: sent again with the same key, as after an answer
    that was lost, it is still one message.
    """

    do: ClassVar[str] = "chat.send"
    text: str
    key: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class MessageCommand(Command, frozen=True):
    """Something done to one message, named by its `id`, or by its `seq` in the present epoch."""

    id: UUID | None = None
    seq: Seq | None = None


class ChatRemove(MessageCommand, frozen=True):
    """Take a message away, from replays too (moderators). Name it by `id` or `seq`."""

    do: ClassVar[str] = "chat.remove"


class ChatRestore(MessageCommand, frozen=True):
    """Bring back a message that was taken away (moderators). Name it by `id` or `seq`.

    What was never taken away is a `conflict`.
    """

    do: ClassVar[str] = "chat.restore"


class ChatPin(MessageCommand, frozen=True):
    """Show a message on top of the chat (moderators). Name it by `id` or `seq`."""

    do: ClassVar[str] = "chat.pin"


class ChatUnpin(Command, frozen=True):
    """Show no message on top (moderators)."""

    do: ClassVar[str] = "chat.unpin"


class ChatAnswer(MessageCommand, frozen=True):
    """Mark a question as answered (moderators). Name it by `id` or `seq`."""

    do: ClassVar[str] = "chat.answer"


class ChatUnanswer(MessageCommand, frozen=True):
    """Take back that a question was answered (moderators). Name it by `id` or `seq`."""

    do: ClassVar[str] = "chat.unanswer"


class ViewerMute(Command, frozen=True):
    """Let a viewer no longer chat in this show (moderators), for good or `for_s` seconds."""

    do: ClassVar[str] = "viewer.mute"
    user_id: UUID
    reason: str = ""
    for_s: Seconds | None = None


class ViewerUnmute(Command, frozen=True):
    """Let a viewer chat again (moderators)."""

    do: ClassVar[str] = "viewer.unmute"
    user_id: UUID


class ViewerBan(Command, frozen=True):
    """Send a viewer away from this show, for good or `for_s` seconds (moderators).

    They are no longer in its room and cannot order through it. `remove_messages` takes away
    everything that they said in it. Answer: how many messages were `removed`.
    """

    do: ClassVar[str] = "viewer.ban"
    user_id: UUID
    reason: str = ""
    for_s: Seconds | None = None
    remove_messages: bool = False


class ViewerUnban(Command, frozen=True):
    """Let a viewer in again (moderators)."""

    do: ClassVar[str] = "viewer.unban"
    user_id: UUID


class RoomSlowMode(Command, frozen=True):
    """Let each viewer write once every so many seconds (moderators); 0 switches it off."""

    do: ClassVar[str] = "room.slow_mode"
    every_s: Annotated[int, Meta(ge=0, le=600)]


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
        ChatRestore,
        ChatPin,
        ChatUnpin,
        ChatAnswer,
        ChatUnanswer,
        ViewerMute,
        ViewerUnmute,
        ViewerBan,
        ViewerUnban,
        RoomSlowMode,
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
    """The first frame of a client that is not a browser, or that comes back (`resume=1`).

    `ticket` is null for an anonymous viewer. `resume` is the token of the last `hello`; where it
    is no longer good, the `ticket` beside it, or a browser's cookie, says who comes.
    """

    ticket: str | UnsetType | None = UNSET
    resume: str | UnsetType = UNSET


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
    """The room as it is; `chat` has the last 50 messages, `recent_orders` the last 5 orders.

    `answered` are the ids of the questions among them that were answered.
    """

    show: ShowView
    pinned: OfferView | None
    offers: list[OfferView]
    chat: list[Event]
    recent_orders: list[Event]
    viewers: int
    likes: int
    pinned_message: PinnedMessage | None = None
    slow_mode_s: int = 0
    answered: list[UUID] = []


class You(Struct, frozen=True):
    """Who you are here. `muted_until` (ISO 8601) is null for who is not muted, or for good."""

    signed_in: bool
    id: UUID | None
    name: str | None
    role: Literal["viewer", "moderator", "host", "operator"]
    muted: bool
    muted_until: str | None = None


class HelloBody(Struct, frozen=True):
    """Where you are in the log: the next frame of events begins at `seq` + 1.

    If `recovered`, `seq` is the position that you asked for, everything after it follows, and
    there is no snapshot. If not, begin anew from `snapshot`. `resume` is a token for coming back
    within 15 minutes. Nothing heard for `quiet_s` seconds is a dead line. Come back from a loss
    that the server did not announce after a random time of up to `retry_within_s` seconds.
    """

    epoch: str
    seq: int
    recovered: bool
    you: You
    retry_within_s: float
    quiet_s: float
    resume: str | UnsetType = UNSET
    snapshot: Snapshot | UnsetType = UNSET


class Hello(Struct, frozen=True):
    """The first frame from the server."""

    hello: HelloBody


CLOSE_CODES: dict[int, str] = {
    1009: "A message of more than 64 KiB, finished or not.",
    4401: "Sign in first.",
    4403: "Not allowed here, banned, or a page of another site asked.",
    4404: "No such show.",
    4408: "Too slow to keep up: come back with your position (`retry_after`).",
    4429: "Far too many frames, pings included, or far too many bytes.",
    4503: "Not now, as when the server restarts: come back with your position (`retry_after`).",
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
    "muted": "You may not chat in this show; `details` has `until` (null: for good).",
    "banned": "You may not be in this show; `details` has `until` (null: for good).",
    "slow_mode": "Everybody writes slowly here; write again after `retry_after` seconds.",
    "blocked_word": "The seller does not want a word of this message here; change it.",
    "links_not_allowed": "New accounts may not send links yet.",
    "show_not_live": "The show is over.",
    "key_reused": "The key of an order was used for another one.",
    "conflict": "Not in a state in which this can be done.",
    "try_again": "The server could not do it now; try again after `retry_after` seconds.",
}
