"""What people who were away are told: encoded once for all who come from the same place.

A position is the client's word, so that anybody can name a new one with every socket. Each is read
once at a time, few of the long ones at once, and what was read is soon forgotten.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from core.realtime.frames import Events, encode, event_of
from core.realtime.log import Entry, Position
from core.realtime.runtime import Runtime
from streams.protocol import ChatMessageEvent

RECOVERED_AT_MOST = 5_000
"""Entries: who missed more begins anew."""
CAUGHT_UP_CHAT = 200
"""Who was away gets every fact, and of the chat what a page would still show."""
KEPT = 64
KEPT_S = 15.0
"""A room that comes back as one does so within some ten seconds."""
SAID_SINCE = 300
"""Entries: who comes so much later from the same place is told it all in one frame again."""
SHORT = 500
"""Entries: what the log has in memory and is encoded within a millisecond or two."""
LONG_AT_ONCE = 2

Key = tuple[Position, int]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Told:
    """The frame that somebody who came back was told, and up to where it reaches."""

    upto: Position
    frame: str


class Stretches:
    """What one room's log had between two positions. Everything here runs on the event loop."""

    def __init__(self, running: Runtime, topic: str) -> None:
        self._running = running
        self._topic = topic
        self._reading: dict[Key, asyncio.Task[list[str] | None]] = {}
        self._read: OrderedDict[Key, list[str]] = OrderedDict()
        self._told: OrderedDict[Position, Told] = OrderedDict()

    async def missed(self, after: Position, here: Position) -> list[str] | None:
        """The frames after one position up to another; `None` if the log does not have them all.

        A room that comes back asks for nearly the same 2,000 times: whoever comes from a place from
        which somebody has just come is told the same, and what was said since.
        """
        told = self._told.get(after)
        if told is not None and 0 <= here.seq - told.upto.seq <= SAID_SINCE:
            since = await self._stretch(told.upto, here)
            return None if since is None else [told.frame, *since]
        frames = await self._stretch(after, here)
        if frames:
            _keep(self._told, after, Told(here, frames[0]))
        return frames

    async def _stretch(self, after: Position, here: Position) -> list[str] | None:
        if after == here:
            return []
        key = (after, here.seq)
        if key in self._read:
            return self._read[key]
        if key not in self._reading:
            reading = asyncio.create_task(self._frames(after, here), name="stretch")
            self._reading[key] = reading
            reading.add_done_callback(partial(self._done, key))
        return await asyncio.shield(self._reading[key])

    async def _frames(self, after: Position, here: Position) -> list[str] | None:
        if after.epoch != here.epoch or here.seq - after.seq > RECOVERED_AT_MOST:
            return None
        is_long = here.seq - after.seq > SHORT
        async with _turns(self._running) if is_long else nullcontext():
            found = await self._running.log.read(self._topic, after, RECOVERED_AT_MOST)
            if not found.complete:
                return None
            entries = [entry for entry in found.entries if entry.seq <= here.seq]
            if is_long:  # milliseconds in which nobody else would be told anything
                return [await asyncio.to_thread(stretch_frame, entries)] if entries else []
            return [stretch_frame(entries)] if entries else []

    def _done(self, key: Key, reading: asyncio.Task[list[str] | None]) -> None:
        self._reading.pop(key, None)
        if reading.cancelled() or reading.exception() is not None:
            return  # whoever waits for it has its fault
        if (frames := reading.result()) is not None:
            _keep(self._read, key, frames)


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """For a while, and not too many."""
    kept[key] = value
    asyncio.get_running_loop().call_later(KEPT_S, _forget, kept, key, value)
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _forget(kept: OrderedDict[K, V], key: K, value: V) -> None:
    if kept.get(key) is value:
        del kept[key]


def stretch_frame(entries: Sequence[Entry]) -> str:
    """The frame of a stretch for who was away: every fact, of the viewers' chat the newest."""
    chat = [entry.seq for entry in entries if _is_viewers_chat(entry)]
    left_out = set(chat[:-CAUGHT_UP_CHAT])
    events = [event_of(entry) for entry in entries if entry.seq not in left_out]
    first, last = entries[0].seq, entries[-1].seq
    return encode(Events(from_=first, to=last, events=events, thinned=len(left_out)))


def _is_viewers_chat(entry: Entry) -> bool:
    return entry.type == ChatMessageEvent.type and entry.data.get("role") == "viewer"


_turn: WeakKeyDictionary[Runtime, asyncio.Semaphore] = WeakKeyDictionary()


def _turns(running: Runtime) -> asyncio.Semaphore:
    """For the long stretches of all rooms: their rows would fill the memory and the pool."""
    return _turn.setdefault(running, asyncio.Semaphore(LONG_AT_ONCE))
