"""Finding a chat message: in the end of the log, or in the database, which may not have the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.utils.translation import gettext as _

from core.errors import NotFound
from core.realtime.log import Entry, Position, TopicLog
from core.realtime.models import LogEntry
from streams import restored
from streams.models import Show
from streams.protocol import (
    ChatAnsweredEvent,
    ChatMessageEvent,
    ChatRemovedEvent,
    ChatRestoredEvent,
    ChatUnansweredEvent,
)

LOOKED_THROUGH = 1000
"""Entries at the end of the log in which a message is looked for that is not stored yet."""
DONE_TO_MESSAGES = {
    kind.type
    for kind in (ChatAnsweredEvent, ChatRemovedEvent, ChatRestoredEvent, ChatUnansweredEvent)
}


class Copy(msgspec.Struct, frozen=True):
    """A restored message's entry: its id, and where it is."""

    id: UUID
    place: Position


class Message(msgspec.Struct, frozen=True):
    """A chat message and where it is. `id` is missing where it was said without one, long ago.

    `copy` is its newest copy, if it was ever brought back.
    """

    id: UUID | None
    epoch: str
    seq: int
    is_present: bool
    at: datetime
    said: ChatMessageEvent
    is_removed: bool = False
    copy: Copy | None = None

    @property
    def shown_seq(self) -> int | None:
        """The seq that clients know it by: one of the present epoch."""
        return self.seq if self.is_present else None

    @property
    def shown_at(self) -> Position:
        """The entry that shows it, or did so last."""
        return self.copy.place if self.copy else Position(self.epoch, self.seq)

    @property
    def name(self) -> str:
        return str(self.id or f"{self.epoch}/{self.seq}")

    def mark(self, show: Show, what: str) -> UUID:
        """The id of what is done to this message: it is done once."""
        return uuid5(show.public_id, f"{what}:{self.name}")

    def removal(self, show: Show) -> UUID:
        """The id of the removal of what is shown, or was shown last."""
        if self.copy is not None:
            return restored.removal_of_copy(self.copy.id)
        return restored.removal_of_message(show, self.name)


@dataclass(frozen=True, slots=True)
class Newest:
    """The end of a room's log: the messages that are there, and what was done to others."""

    end: Position
    messages: list[Message]
    done: dict[UUID, Entry]
    """By its id; a copy that was taken away is not among them, but its removal is."""


async def newest(log: TopicLog, topic: str) -> Newest:
    """The end of the log, which the database may not have yet."""
    end = await log.tail(topic)
    start = Position(end.epoch, max(0, end.seq - LOOKED_THROUGH))
    entries = (await log.read(topic, start, 2 * LOOKED_THROUGH)).entries
    messages = [
        Message(one.fact_id, end.epoch, one.seq, True, one.at, _said(one.data))
        for one in entries
        if one.type == ChatMessageEvent.type
    ]
    done = {one.fact_id: one for one in entries if one.fact_id and one.type in DONE_TO_MESSAGES}
    return Newest(end, messages, done)


def find(show: Show, newest: Newest, message_id: UUID | None, seq: int | None) -> Message:
    """The message of this id, or at this seq of the present epoch; raises `NotFound`.

    One that was taken away already is found too: whoever does the same again must get an answer.
    """
    if message_id is None and seq is None:
        raise NotFound(_("There is no such message."), field="id")
    for message in newest.messages:
        if message.id == message_id if message_id is not None else message.seq == seq:
            return message
    stored = LogEntry.objects.filter(topic=show.topic, type=ChatMessageEvent.type)
    here = {"epoch": newest.end.epoch, "seq": seq}
    row = stored.filter(**({"fact_id": message_id} if message_id is not None else here)).first()
    if row is None:
        raise NotFound(_("There is no such message."), field="seq" if message_id is None else "id")
    return _with_copies(show, _stored(row, newest), newest)


def all_of(show: Show, newest: Newest, user_id: UUID) -> list[Message]:
    """Everything that a viewer has said in the show and that is still there, in order."""
    stored = LogEntry.objects.filter(
        topic=show.topic, type=ChatMessageEvent.type, data__user_id=str(user_id)
    )
    rows = list(stored.order_by("epoch", "seq"))
    copies = {
        message_id: Copy(row.fact_id, Position(row.epoch, row.seq))
        for message_id, row in restored.copies_shown(show, rows).items()
        if row.fact_id
    } | _newest_copies(newest)
    found: dict[tuple[str, int], Message] = {}
    for row in rows:
        copy = copies.get(row.fact_id) if row.fact_id else None
        if copy is not None or not row.removed_at:
            message = _stored(row, newest)
            shown = msgspec.structs.replace(message, copy=copy, is_removed=False)
            found[row.epoch, row.seq] = shown
    for message in newest.messages:
        if message.said.user_id == user_id:
            found.setdefault((message.epoch, message.seq), message)
    return list(found.values())


def _newest_copies(newest: Newest) -> dict[UUID, Copy]:
    """By the id of the message; what is restored last is last in the log."""
    return {
        UUID(entry.data["id"]): Copy(copy_id, Position(newest.end.epoch, entry.seq))
        for copy_id, entry in newest.done.items()
        if entry.type == ChatRestoredEvent.type
    }


def _with_copies(show: Show, message: Message, newest: Newest) -> Message:
    """The message as what was done to it has left it, one removal and restoration at a time."""
    while True:
        removal = message.removal(show)
        copy_id = restored.copy_after(removal)
        ids = [removal, copy_id]
        rows = LogEntry.objects.filter(topic=show.topic, fact_id__in=ids)
        places = {row.fact_id: Position(row.epoch, row.seq) for row in rows}
        for done in ids:
            if done in newest.done:
                places[done] = Position(newest.end.epoch, newest.done[done].seq)
        if removal not in places and not message.is_removed:
            return message
        if copy_id not in places:
            return msgspec.structs.replace(message, is_removed=True)
        copy = Copy(copy_id, places[copy_id])
        message = msgspec.structs.replace(message, copy=copy, is_removed=False)


def _stored(row: LogEntry, newest: Newest) -> Message:
    return Message(
        id=row.fact_id,
        epoch=row.epoch,
        seq=row.seq,
        is_present=row.epoch == newest.end.epoch,
        at=row.at,
        said=_said(row.data),
        is_removed=row.removed_at is not None,
    )


def _said(data: dict[str, Any]) -> ChatMessageEvent:
    return msgspec.convert(data, ChatMessageEvent)
