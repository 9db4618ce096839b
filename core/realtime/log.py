"""What a topic's log promises, whoever keeps it.

A position is `(epoch, seq)`. Within an epoch `seq` rises by exactly one per entry; a new epoch
means that history was lost and that older positions name nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

TOMBSTONE = "tombstone"


class Position(msgspec.Struct, frozen=True):
    """A place in a topic's log; `seq` 0 is before its first entry."""

    epoch: str
    seq: int


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that has no place yet.

    `fact_id` makes the append idempotent: a topic takes each fact once. `removes` is the `seq` of
    an earlier entry that this one takes away: from then on readers find a tombstone there. An entry
    of another epoch than the topic's present one is named by `removes_epoch` too.

    `data` is JSON that every database takes: no NaN, no lone surrogates, no NUL.
    """

    type: str
    data: dict[str, Any]
    at: datetime
    fact_id: uuid.UUID | None = None
    removes: int | None = None
    removes_epoch: str | None = None

    def at_place(self, seq: int) -> Entry:
        return Entry(seq=seq, type=self.type, data=self.data, at=self.at, fact_id=self.fact_id)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in its place."""

    seq: int
    type: str
    data: dict[str, Any]
    at: datetime
    fact_id: uuid.UUID | None = None

    def tombstone(self) -> Entry:
        """What is shown in the place of an entry that was taken away."""
        return Entry(seq=self.seq, type=TOMBSTONE, data={}, at=self.at)


class Stretch(msgspec.Struct, frozen=True):
    """Everything after a position, or nothing: `complete` says which."""

    entries: Sequence[Entry]
    complete: bool


Follower = Callable[[str, str, Sequence[Entry]], None]
"""Called with topic, epoch and entries, on the event loop, in the order of the log.

An epoch that is not the one before, also with no entries, says that history was lost.
"""


class LogClosed(RuntimeError):
    """The log is not running (yet, or any more)."""


class LogUnavailable(RuntimeError):
    """The log cannot be reached just now; whoever asked may try again in a moment.

    What was to be appended may or may not have been: only a fact may be repeated safely.
    """


class TopicLog(Protocol):
    """An ordered, lasting log per topic."""

    async def append(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        """Store the entries and give them their places; nobody sees them before they are stored.

        A repeat of a stored fact is answered by the entry that the fact already has.
        """

    def append_blocking(self, topic: str, entries: Sequence[NewEntry]) -> list[Entry]:
        """`append` for handlers that run in threads."""

    async def read(self, topic: str, after: Position | None, limit: int) -> Stretch:
        """All after `after` (`None`: from the first), if they are known and at most `limit`."""

    async def tail(self, topic: str) -> Position:
        """The place of the last entry."""

    def follow(self, follower: Follower) -> None:
        """Call `follower` with every entry of every watched topic from now on."""

    async def stored(self, topic: str, upto: Position) -> None:
        """Return once every entry up to this place is in the database (for snapshots)."""

    async def watch(self, topic: str) -> Position:
        """Begin to watch; followers hear of everything after the returned place, without a hole."""

    def unwatch(self, topic: str) -> None:
        """Followers need no longer hear of this topic."""
