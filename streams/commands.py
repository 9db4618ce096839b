"""What each command of the room does: one service called, one answer shaped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from msgspec.structs import asdict

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.accounts.proof import Proof
from core.clock import epoch_ms, now
from core.errors import SignInRequired, TooMany
from core.realtime.db import run_in_db
from core.realtime.log import NewEntry
from core.realtime.runtime import Runtime
from orders.models import Offer, Order
from orders.services import offers
from orders.services.place import place_order_soon
from streams import access
from streams.models import Show
from streams.protocol import (
    ChatAnswer,
    ChatPin,
    ChatRemove,
    ChatRestore,
    ChatSend,
    ChatUnanswer,
    ChatUnpin,
    Command,
    HostVoice,
    OfferClose,
    OfferOpen,
    OrderPlace,
    Ping,
    PlacedOrder,
    ProductPin,
    ProductUnpin,
    React,
    RoomSlowMode,
    ViewerBan,
    ViewerMute,
    ViewerUnban,
    ViewerUnmute,
)
from streams.services import chat, messages, moderation, pins, reactions, voices
from streams.services.chat import Standing
from streams.services.messages import Message, Newest
from streams.watch import Chat, chats_of

REMOVED_AT_ONCE = 100
"""Entries in one append: whoever else writes meanwhile gets a turn between two of them."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, in which room. Strangers have no `proof`."""

    user: AnyUser
    show_id: UUID
    topic: str
    viewer_key: str
    runtime: Runtime
    proof: Proof | None

    @property
    def chat(self) -> Chat:
        return chats_of(self.runtime).at(self.topic, self.show_id)

    def show_and_user(self) -> tuple[Show, User]:
        """Both as the database has them now: a socket may be hours old.

        Raises `SignInRequired`, also for somebody who has signed out since, has another password
        or no account any more, and what `access.show_to_watch` raises.
        """
        user = signed_in(self.proof.person() if self.proof else self.user)
        return access.show_to_watch(user, self.show_id), user

    async def standing(self) -> Standing:
        """Who they are in the chat, as of a moment ago; raises `SignInRequired` and `NotFound`."""
        if self.proof is None:
            raise SignInRequired(_("Please sign in first."))
        standing = await self.chat.standing(self.proof.user_pk, self.proof.session_key)
        if standing.password != self.proof.password:
            raise SignInRequired(_("Please sign in first."))
        return standing


async def act(speaker: Speaker, command: Command) -> dict[str, Any]:
    """Do it; the `ok` of the answer. Raises `AppError`."""
    return await ACTIONS[type(command)](speaker, command)


async def send_chat(speaker: Speaker, command: ChatSend) -> dict[str, Any]:
    room = speaker.chat
    standing = await speaker.standing()
    entry = chat.compose(standing, command.text, command.key)
    if (said := room.seq_of(entry.fact_id)) is not None:
        return {"seq": said, "id": entry.fact_id}  # sent again: neither haste nor a second message
    try:
        await chat.slow_down(speaker.runtime.shared, standing)
    except TooMany:
        if command.key is None or not await run_in_db(chat.is_said, speaker.topic, entry):
            raise
    return await _append(speaker, entry)


async def remove_chat(speaker: Speaker, command: ChatRemove) -> dict[str, Any]:
    newest = await _newest(speaker)

    def removal() -> tuple[Message, list[NewEntry]]:
        show, user = speaker.show_and_user()
        access.require_moderator(user, show)
        message = messages.find(show, newest, command.id, command.seq)
        return message, moderation.remove(show=show, actor=user, messages=[message])

    message, [entry] = await run_in_db(removal)
    answer = await _append(speaker, entry)
    await run_in_db(_unpin_removed, speaker, [message])
    return answer


async def restore_chat(speaker: Speaker, command: ChatRestore) -> dict[str, Any]:
    newest = await _newest(speaker)
    # The log no longer shows what it was; the database will.
    await speaker.runtime.log.stored(speaker.topic, newest.end)

    def restoration() -> NewEntry:
        show, user = speaker.show_and_user()
        access.require_moderator(user, show)
        message = messages.find(show, newest, command.id, command.seq)
        return moderation.restore(show=show, actor=user, message=message, marks=newest.done)

    return await _append(speaker, await run_in_db(restoration))


async def pin_chat(speaker: Speaker, command: ChatPin) -> dict[str, Any]:
    newest = await _newest(speaker)

    def pin() -> None:
        show, user = speaker.show_and_user()
        access.require_moderator(user, show)
        message = messages.find(show, newest, command.id, command.seq)
        moderation.pin(show=show, actor=user, message=message)

    await run_in_db(pin)
    return {}


async def unpin_chat(speaker: Speaker, command: ChatUnpin) -> dict[str, Any]:
    def unpin() -> None:
        show, user = speaker.show_and_user()
        moderation.unpin(show=show, actor=user)

    await run_in_db(unpin)
    return {}


async def answer_chat(speaker: Speaker, command: ChatAnswer | ChatUnanswer) -> dict[str, Any]:
    newest = await _newest(speaker)
    mark = moderation.answer if isinstance(command, ChatAnswer) else moderation.unanswer

    def answer() -> NewEntry:
        show, user = speaker.show_and_user()
        access.require_moderator(user, show)
        message = messages.find(show, newest, command.id, command.seq)
        return mark(show=show, actor=user, message=message, marks=newest.done)

    return await _append(speaker, await run_in_db(answer))


async def mute_viewer(speaker: Speaker, command: ViewerMute) -> dict[str, Any]:
    def mute() -> None:
        show, user = speaker.show_and_user()
        moderation.mute(
            show=show,
            actor=user,
            user_id=command.user_id,
            reason=command.reason,
            for_s=command.for_s,
        )

    return await _keep_order(speaker, mute)


async def unmute_viewer(speaker: Speaker, command: ViewerUnmute) -> dict[str, Any]:
    def unmute() -> None:
        show, user = speaker.show_and_user()
        moderation.unmute(show=show, actor=user, user_id=command.user_id)

    return await _keep_order(speaker, unmute)


async def ban_viewer(speaker: Speaker, command: ViewerBan) -> dict[str, Any]:
    def ban() -> None:
        show, user = speaker.show_and_user()
        moderation.ban(
            show=show,
            actor=user,
            user_id=command.user_id,
            reason=command.reason,
            for_s=command.for_s,
        )

    await _keep_order(speaker, ban)
    removed = await _remove_all(speaker, command.user_id) if command.remove_messages else 0
    return {"removed": removed}


async def unban_viewer(speaker: Speaker, command: ViewerUnban) -> dict[str, Any]:
    def unban() -> None:
        show, user = speaker.show_and_user()
        moderation.unban(show=show, actor=user, user_id=command.user_id)

    return await _keep_order(speaker, unban)


async def slow_mode(speaker: Speaker, command: RoomSlowMode) -> dict[str, Any]:
    def slow() -> None:
        show, user = speaker.show_and_user()
        moderation.slow_mode(show=show, actor=user, every_s=command.every_s)

    return await _keep_order(speaker, slow)


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


async def open_offer(speaker: Speaker, command: OfferOpen) -> dict[str, Any]:
    return await run_in_db(_window, speaker, command.offer_id, offers.open_now)


async def close_offer(speaker: Speaker, command: OfferClose) -> dict[str, Any]:
    return await run_in_db(_window, speaker, command.offer_id, offers.close_now)


def _window(
    speaker: Speaker, offer_id: UUID, change: Callable[[UUID, User], Offer]
) -> dict[str, Any]:
    show, user = speaker.show_and_user()
    access.require_host(user, show)
    offer = change(pins.offer_in(show, offer_id).public_id, user)
    return {
        "opens_at_ms": epoch_ms(offer.opens_at) if offer.opens_at else None,
        "closes_at_ms": epoch_ms(offer.closes_at) if offer.closes_at else None,
    }


async def order(speaker: Speaker, command: OrderPlace) -> dict[str, Any]:
    """Whether they are still signed in and may order here is looked up with the order itself."""
    placed = await place_order_soon(
        buyer=signed_in(speaker.user),
        proof=speaker.proof,
        key=command.key,
        show_id=speaker.show_id,
        lines=[asdict(line) for line in command.lines],
        delivery=msgspec.to_builtins(command.delivery),
        total_minor=command.total_minor,
        payment_method=command.payment_method,
        note=command.note,
    )
    return {"order": _placed(placed)}


async def host_voice(speaker: Speaker, command: HostVoice) -> dict[str, Any]:
    def hear() -> None:
        show, user = speaker.show_and_user()
        voices.hear(show=show, actor=user, is_heard=command.is_heard)

    await run_in_db(hear)
    return {}


async def ping(speaker: Speaker, command: Ping) -> dict[str, Any]:
    return {"at_ms": epoch_ms(now())}


def _placed(order: Order) -> PlacedOrder:
    return PlacedOrder(
        id=order.public_id,
        number=order.number,
        total_minor=order.total_minor,
        currency=order.currency,
        state=order.state,
        url=order.get_absolute_url(),
        payment_method=order.payment_method,
        held_until_ms=epoch_ms(order.held_until) if order.held_until else None,
        pickup_code=order.pickup_code,
    )


async def _keep_order(speaker: Speaker, change: Callable[[], None]) -> dict[str, Any]:
    """Make the change, and let it hold here before the log has told of it everywhere."""
    await run_in_db(change)
    speaker.chat.changed()
    return {}


async def _remove_all(speaker: Speaker, user_id: UUID) -> int:
    """Take away everything that somebody has said in the show; how many messages."""
    newest = await _newest(speaker)

    def removals() -> tuple[list[Message], list[NewEntry]]:
        show, user = speaker.show_and_user()
        said = messages.all_of(show, newest, user_id)
        return said, moderation.remove(show=show, actor=user, messages=said)

    said, entries = await run_in_db(removals)
    for first in range(0, len(entries), REMOVED_AT_ONCE):
        some = entries[first : first + REMOVED_AT_ONCE]
        await speaker.runtime.log.append(speaker.topic, some)
    await run_in_db(_unpin_removed, speaker, said)
    return len(said)


def _unpin_removed(speaker: Speaker, gone: list[Message]) -> None:
    show, user = speaker.show_and_user()
    moderation.unpin_removed(show=show, actor=user, messages=gone)


async def _newest(speaker: Speaker) -> Newest:
    return await messages.newest(speaker.runtime.log, speaker.topic)


async def _append(speaker: Speaker, entry: NewEntry) -> dict[str, Any]:
    [stored] = await speaker.runtime.log.append(speaker.topic, [entry])
    return {"seq": stored.seq, "id": stored.fact_id}


Action = Callable[[Speaker, Any], Awaitable[dict[str, Any]]]

ACTIONS: dict[type[Command], Action] = {
    ChatSend: send_chat,
    ChatRemove: remove_chat,
    ChatRestore: restore_chat,
    ChatPin: pin_chat,
    ChatUnpin: unpin_chat,
    ChatAnswer: answer_chat,
    ChatUnanswer: answer_chat,
    ViewerMute: mute_viewer,
    ViewerUnmute: unmute_viewer,
    ViewerBan: ban_viewer,
    ViewerUnban: unban_viewer,
    RoomSlowMode: slow_mode,
    ProductPin: pin_product,
    ProductUnpin: unpin_product,
    React: react,
    OfferOpen: open_offer,
    OfferClose: close_offer,
    OrderPlace: order,
    HostVoice: host_voice,
    Ping: ping,
}
