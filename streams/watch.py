"""What a process knows of the chats that its people take part in, kept true by following the log.

A message costs no query: who its sender is in the room was read a moment ago, together with
everybody else who writes there. What is read is used for `STANDING_S` seconds at most, and not at
all once the log tells that something about the room or its people has changed. Who was sent away is
sent away from the sockets of every process at once, because every process follows the log.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from core.accounts.proof import living_sessions
from core.realtime.db import run_in_db
from core.realtime.log import Entry
from core.realtime.runtime import Runtime
from streams.doors import doors_of
from streams.protocol import (
    ChatMessageEvent,
    RoomSlowModeEvent,
    ShowEndedEvent,
    ViewerBannedEvent,
    ViewerMutedEvent,
    ViewerUnbannedEvent,
    ViewerUnmutedEvent,
)
from streams.services.chat import Standing, signed_out, standings

STANDING_S = 2.0
WRITES_S = 4.0
"""Who has written within so many seconds is read again together with the others."""
SAID_REMEMBERED = 2000
ROOMS_KEPT = 500

CHANGES_STANDING = {
    ShowEndedEvent.type,
    RoomSlowModeEvent.type,
    ViewerMutedEvent.type,
    ViewerUnmutedEvent.type,
    ViewerBannedEvent.type,
    ViewerUnbannedEvent.type,
}

Writer = tuple[int, str | None]
"""Somebody's primary key, and the key of the session that they write in, if they came with one."""


@dataclass(frozen=True, slots=True)
class Read:
    """A standing, and when it was read: after how many changes of the room, and at what time."""

    standing: Standing
    version: int
    at: float


class Chat:
    """One room's chat, as this process knows it."""

    def __init__(self, show_id: UUID) -> None:
        self.show_id = show_id
        self._said: OrderedDict[UUID, int] = OrderedDict()
        self._epoch = ""
        self._version = 0
        self._people: dict[Writer, Read] = {}
        self._wrote: dict[Writer, float] = {}
        self._reading: asyncio.Task[None] | None = None

    async def standing(self, user_pk: int, session_key: str | None = None) -> Standing:
        """Who this is in the chat; raises `NotFound` (no such show) and `DatabaseError`.

        Who has signed out of the session gets a refusal.
        """
        asked, writer = time.monotonic(), (user_pk, session_key)
        while (found := self._fresh(writer, asked=asked)) is None:
            self._wrote[writer] = time.monotonic()  # one who waits long is not forgotten
            # A reading that is done, but has not said so yet, would be awaited without a pause,
            # over and over: nothing else would ever run again.
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read(), name="standings")
                self._reading.add_done_callback(self._done_reading)
            await asyncio.shield(self._reading)
        self._wrote[writer] = time.monotonic()
        return found

    def seq_of(self, message_id: UUID | None) -> int | None:
        """Where a message is, if it is one of the newest; it may have been sent again."""
        return None if message_id is None else self._said.get(message_id)

    def changed(self) -> None:
        """Use nothing any more that was read before now, nor what is being read."""
        self._version += 1

    def hear(self, epoch: str, entries: Sequence[Entry]) -> None:
        if epoch != self._epoch:
            if self._epoch:
                self.changed()  # history was lost, and with it perhaps what changed somebody
            self._epoch = epoch
            self._said.clear()
        for entry in entries:
            if entry.type == ChatMessageEvent.type and entry.fact_id is not None:
                self._remember(entry.fact_id, entry.seq)
            elif entry.type in CHANGES_STANDING:
                self.changed()

    def _remember(self, message_id: UUID, seq: int) -> None:
        self._said[message_id] = seq
        if len(self._said) > SAID_REMEMBERED:
            self._said.popitem(last=False)

    def _fresh(
        self, writer: Writer, within_s: float | None = None, asked: float = float("inf")
    ) -> Standing | None:
        """What was read not long ago, or since one `asked`: a slow database must not mean never."""
        read = self._people.get(writer)
        if read is None or read.version != self._version:
            return None
        longest_s = STANDING_S if within_s is None else within_s
        is_fresh = time.monotonic() - read.at <= longest_s or read.at >= asked
        return read.standing if is_fresh else None

    async def _read(self) -> None:
        """Read everybody who writes now and is not fresh, so that they are stale together again."""
        began, version = time.monotonic(), self._version
        self._wrote = {who: at for who, at in self._wrote.items() if began - at < WRITES_S}
        self._people = {who: read for who, read in self._people.items() if who in self._wrote}
        stale = [who for who in self._wrote if self._fresh(who, STANDING_S / 2) is None]
        found = await run_in_db(self._look, stale)
        for writer, standing in found.items():
            self._people[writer] = Read(standing, version, began)

    def _look(self, writers: Sequence[Writer]) -> dict[Writer, Standing]:
        """In a thread that may ask the database; a handful of queries for all of them."""
        found = standings(self.show_id, list({pk for pk, _key in writers}))
        alive = {None, *living_sessions({key for _pk, key in writers if key is not None})}
        gone = signed_out(self.show_id)
        return {who: found[who[0]] if who[1] in alive else gone for who in writers}

    def _done_reading(self, reading: asyncio.Task[None]) -> None:
        if self._reading is reading:
            self._reading = None
        if not reading.cancelled():
            reading.exception()  # whoever waits for it has it; here it only counts as seen


class Chats:
    """The chats of this process. Everything here runs on one event loop."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        self._chats: OrderedDict[str, Chat] = OrderedDict()
        running.log.follow(self._heard)

    def at(self, topic: str, show_id: UUID) -> Chat:
        """The chat of a room; the caller has a socket in it, so that its log is being followed."""
        chat = self._chats.get(topic)
        if chat is None:
            chat = self._chats[topic] = Chat(show_id)
            if len(self._chats) > ROOMS_KEPT:
                self._chats.popitem(last=False)
        return chat

    def _heard(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        if (chat := self._chats.get(topic)) is not None:
            chat.hear(epoch, entries)
        for entry in entries:
            if entry.type == ViewerBannedEvent.type:
                self._send_away(topic, entry.data["user_id"])

    def _send_away(self, topic: str, user_id: str) -> None:
        doors_of(self._running).send_away(topic, f"user:{user_id}")


_chats: WeakKeyDictionary[Runtime, Chats] = WeakKeyDictionary()


def chats_of(running: Runtime) -> Chats:
    """The chats of what runs in this process."""
    if running not in _chats:
        _chats[running] = Chats(running)
    return _chats[running]
