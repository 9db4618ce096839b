"""HTTP: what a host does with a show besides the room: end it, look after it, cut its replay."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from core.accounts.access import signed_in
from core.api import may, session_user
from streams import access
from streams.models import BlockedWord, Show
from streams.selectors import ReplayEntry, replay_entries
from streams.services import words
from streams.services.shows import end_show
from streams.studio import selectors
from streams.studio.access import show_to_moderate
from streams.studio.figures import Figures, figures

router = Router(tags=["shows"], auth=session_user)


class Input(Schema):
    model_config = ConfigDict(extra="forbid")


class ShowOut(Schema):
    id: UUID = Field(alias="public_id")
    state: str
    started_at: datetime | None
    ended_at: datetime | None


class OfferOut(Schema):
    id: UUID
    variant_id: UUID
    title: str
    price_minor: int
    currency: str
    available: int
    stock_version: int
    image_url: str | None


class LineOut(Schema):
    title: str
    quantity: int


class OrderOut(Schema):
    id: UUID
    number: str
    state: str
    state_text: str
    buyer: str
    lines: list[LineOut]
    total_minor: int
    currency: str
    delivery_text: str
    note: str
    placed_at: datetime


class TakeOut(Schema):
    id: UUID
    state: str
    duration_s: float
    bytes_received: int
    error: str


class RecordingOut(Schema):
    id: UUID
    state: str
    duration_s: float
    edition: int
    take: TakeOut | None


class StudioOut(Schema):
    state: str
    started_at: datetime | None
    interrupted: bool
    pinned_offer_id: UUID | None
    offers: list[OfferOut]
    orders: list[OrderOut]
    waiting_orders: int
    recording: RecordingOut | None


class MinuteOut(Schema):
    """`viewers` as the minute began; null where nobody counted them."""

    at: datetime
    viewers: int | None
    orders: int


class FiguresOut(Schema):
    """Half an hour by the minute, and the sums of the show without what was cancelled."""

    minutes: list[MinuteOut]
    orders: int
    boxes: int
    total_minor: int
    currency: str
    waiting: int
    cancelled: int


class WordIn(Input):
    word: str


class WordOut(Schema):
    id: int
    word: str


class ReplayEntryOut(Schema):
    """`media_s` is null for what happened while the camera was away for good."""

    seq: int
    at: str
    type: str
    data: dict[str, Any]
    media_s: float | None


@router.post("/shows/{uuid:show_id}/end", response=ShowOut, auth=may("write:shows"))
def end(request: HttpRequest, show_id: UUID) -> Show:
    """End a show for good. Ending it again changes nothing."""
    show = access.show_to_host(request.user, show_id)
    end_show(show.public_id, signed_in(request.user))
    show.refresh_from_db()
    return show


@router.get("/shows/{uuid:show_id}/studio", response=StudioOut, auth=may("read:shows"))
def studio(request: HttpRequest, show_id: UUID) -> selectors.ConsoleView:
    """The console's state: orders with their buyers, stock, and what of the camera is stored."""
    return selectors.console(access.show_to_host(request.user, show_id))


@router.get("/shows/{uuid:show_id}/figures", response=FiguresOut, auth=may("read:shows"))
def figures_of_show(request: HttpRequest, show_id: UUID) -> Figures:
    """Viewers and orders minute by minute, and the sums so far."""
    return figures(show_to_moderate(request.user, show_id))


@router.get("/shows/{uuid:show_id}/blocked-words", response=list[WordOut], auth=may("read:shows"))
def blocked_words(request: HttpRequest, show_id: UUID) -> list[BlockedWord]:
    """The words that the show's seller keeps out of the chat of all shows."""
    show = access.show_to_host(request.user, show_id)
    return words.blocked(seller=show.seller, actor=signed_in(request.user))


@router.post(
    "/shows/{uuid:show_id}/blocked-words", response={201: WordOut}, auth=may("write:shows")
)
def block_word(request: HttpRequest, show_id: UUID, body: WordIn) -> Status[BlockedWord]:
    """Keep a word out of the chat. Blocking it again changes nothing."""
    show = access.show_to_host(request.user, show_id)
    user = signed_in(request.user)
    word = words.block(seller=show.seller, actor=user, word=body.word, show=show)
    return Status(201, word)


@router.delete(
    "/shows/{uuid:show_id}/blocked-words/{int:word_id}",
    response=list[WordOut],
    auth=may("write:shows"),
)
def unblock_word(request: HttpRequest, show_id: UUID, word_id: int) -> list[BlockedWord]:
    """Allow a word again; answers with those that are left."""
    show, user = access.show_to_host(request.user, show_id), signed_in(request.user)
    words.unblock(seller=show.seller, actor=user, word_id=word_id, show=show)
    return words.blocked(seller=show.seller, actor=user)


@router.get("/shows/{uuid:show_id}/replay", response=list[ReplayEntryOut], auth=None)
def replay(request: HttpRequest, show_id: UUID) -> list[ReplayEntry]:
    """What happened in the room, each entry with its second in the recording."""
    return replay_entries(access.replay_to_watch(request.user, show_id))
