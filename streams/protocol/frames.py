"""What the server says besides events: answers, hello and the snapshot."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from core.realtime.frames import Event
from orders.selectors import OfferView
from streams.protocol.events import PinnedMessage


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
    """The order that `order.place` made, or had made before.

    `held_until_ms` (milliseconds since 1970): until then it can be paid, if it is `held`. With
    `pickup_code` it is fetched at a pick-up point; "" if it is brought.
    """

    id: UUID
    number: str
    total_minor: int
    currency: str
    state: str
    url: str
    payment_method: str
    held_until_ms: int | None
    pickup_code: str = ""


class ShowView(Struct, frozen=True):
    """The show as the room shows it. `stopped`: an operator ended it."""

    id: UUID
    title: str
    state: Literal["scheduled", "live", "ended"]
    started_at: str | None
    interrupted: bool
    host: str
    seller: str
    audience: Literal["public", "unlisted", "invited"]
    stopped: bool = False


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
    that the server did not announce after a random time of up to `retry_within_s` seconds. `at_ms`
    is the server's clock, in milliseconds since 1970; `ping` asks for it again.
    """

    epoch: str
    seq: int
    recovered: bool
    you: You
    retry_within_s: float
    quiet_s: float
    at_ms: int
    resume: str | UnsetType = UNSET
    snapshot: Snapshot | UnsetType = UNSET


class Hello(Struct, frozen=True):
    """The first frame from the server."""

    hello: HelloBody
