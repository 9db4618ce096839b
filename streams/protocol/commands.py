"""What clients send: every command, and what it is wrapped in."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

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


class OfferOpen(Command, frozen=True):
    """Open a flash drop for everybody, three seconds from now (host, operator). Answer: the
    `opens_at_ms` and `closes_at_ms` of the offer, milliseconds since 1970; again: the same.
    """

    do: ClassVar[str] = "offer.open"
    offer_id: UUID


class OfferClose(Command, frozen=True):
    """End an offer's time at once (host, operator). Answer as of `offer.open`."""

    do: ClassVar[str] = "offer.close"
    offer_id: UUID


class Courier(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="courier"):
    """To the buyer's door; `region` is the code of a province, where the seller's fees need it."""

    name: str
    phone: str
    address: str
    region: str = ""


class Pickup(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pickup"):
    """To one of the seller's pick-up points."""

    point_id: UUID
    name: str
    phone: str


class WishedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """So many of an offer of the show, or of a variant at its own price: one of the two ids.

    `price_minor` is the price of one as the buyer saw it.
    """

    quantity: int
    price_minor: int
    offer_id: UUID | None = None
    variant_id: UUID | None = None


class OrderPlace(Command, frozen=True):
    """Order 1 to 20 lines of one seller. Answer: the `order`, which is committed by then.

    `key` is made by the client for each intent to buy: a repeat with the same key and the same
    content is answered by the same order, however often it is sent. `total_minor` is what the buyer
    saw, with the delivery fee; it may be null where there is none. Paid online, an order is `held`
    until `held_until_ms`. What a show offers can be ordered from when it is scheduled, before its
    start and from its replay too.
    """

    do: ClassVar[str] = "order.place"
    key: str
    lines: list[WishedLine]
    delivery: Courier | Pickup
    total_minor: int | None = None
    payment_method: Literal["cash_on_delivery", "online"] = "cash_on_delivery"
    note: str = ""


class HostVoice(Command, frozen=True):
    """Whether the host was heard in the last second or so; the studio says so in a practice."""

    do: ClassVar[str] = "host.voice"
    is_heard: bool


class Ping(Command, frozen=True):
    """Ask whether the room is there. Answer: `at_ms`, the server's clock, as in `hello`.

    The middle of the way there and back was at that time: so a countdown is right on every phone.
    """

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
        OfferOpen,
        OfferClose,
        OrderPlace,
        HostVoice,
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
