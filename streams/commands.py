"""What each command of the room does: one service called, one answer shaped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.realtime.db import run_in_db
from core.realtime.log import NewEntry
from core.realtime.runtime import Runtime
from orders.services.place import place_order
from streams import access
from streams.models import Show
from streams.protocol import (
    ChatRemove,
    ChatSend,
    Command,
    OrderPlace,
    Ping,
    PlacedOrder,
    ProductPin,
    ProductUnpin,
    React,
    ViewerMute,
)
from streams.services import chat, pins, reactions


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, in which room."""

    user: AnyUser
    show_id: UUID
    topic: str
    viewer_key: str
    runtime: Runtime

    def show_and_user(self) -> tuple[Show, User]:
        """Both as the database has them now: a socket may be hours old.

        Raises `SignInRequired`, also for somebody whose account was closed meanwhile, and what
        `access.show_to_watch` raises.
        """
        found = User.objects.filter(pk=signed_in(self.user).pk, is_active=True).first()
        user = signed_in(found or AnonymousUser())
        return access.show_to_watch(user, self.show_id), user


async def act(speaker: Speaker, command: Command) -> dict[str, Any]:
    """Do it; the `ok` of the answer. Raises `AppError`."""
    return await ACTIONS[type(command)](speaker, command)


async def send_chat(speaker: Speaker, command: ChatSend) -> dict[str, Any]:
    def compose() -> NewEntry:
        show, user = speaker.show_and_user()
        return chat.compose(show=show, user=user, text=command.text, key=command.key)

    return await _append(speaker, await run_in_db(compose))


async def remove_chat(speaker: Speaker, command: ChatRemove) -> dict[str, Any]:
    def remove() -> NewEntry:
        show, user = speaker.show_and_user()
        return chat.remove(show=show, actor=user, seq=command.seq)

    return await _append(speaker, await run_in_db(remove))


async def mute_viewer(speaker: Speaker, command: ViewerMute) -> dict[str, Any]:
    def mute() -> NewEntry:
        show, user = speaker.show_and_user()
        return chat.mute(show=show, actor=user, user_id=command.user_id)

    return await _append(speaker, await run_in_db(mute))


async def pin_product(speaker: Speaker, command: ProductPin) -> dict[str, Any]:
    def pin() -> None:
        show, user = speaker.show_and_user()
        pins.pin(show=show, actor=user, offer_id=command.offer_id)

    await run_in_db(pin)
    return {}


async def unpin_product(speaker: Speaker, command: ProductUnpin) -> dict[str, Any]:
    def unpin() -> None:
        show, user = speaker.show_and_user()
        pins.unpin(show=show, actor=user)

    await run_in_db(unpin)
    return {}


async def react(speaker: Speaker, command: React) -> dict[str, Any]:
    likes = await reactions.like(speaker.show_id, speaker.viewer_key)
    speaker.runtime.hub.set_now(speaker.topic, likes=likes)
    return {}


async def order(speaker: Speaker, command: OrderPlace) -> dict[str, Any]:
    placed = await run_in_db(_place, speaker, command)
    return {"order": msgspec.to_builtins(placed)}


async def ping(speaker: Speaker, command: Ping) -> dict[str, Any]:
    return {}


def _place(speaker: Speaker, command: OrderPlace) -> PlacedOrder:
    show, user = speaker.show_and_user()
    placed = place_order(
        buyer=user,
        key=command.key,
        show_id=show.public_id,
        offer_id=command.offer_id,
        quantity=command.quantity,
        price_minor=command.price_minor,
        delivery=msgspec.to_builtins(command.delivery),
        note=command.note,
    )
    return PlacedOrder(
        id=placed.public_id,
        number=placed.number,
        total_minor=placed.total_minor,
        currency=placed.currency,
        state=placed.state,
        url=reverse("order", args=[placed.public_id]),
    )


async def _append(speaker: Speaker, entry: NewEntry) -> dict[str, Any]:
    [stored] = await speaker.runtime.log.append(speaker.topic, [entry])
    return {"seq": stored.seq}


Action = Callable[[Speaker, Any], Awaitable[dict[str, Any]]]

ACTIONS: dict[type[Command], Action] = {
    ChatSend: send_chat,
    ChatRemove: remove_chat,
    ViewerMute: mute_viewer,
    ProductPin: pin_product,
    ProductUnpin: unpin_product,
    React: react,
    OrderPlace: order,
    Ping: ping,
}
