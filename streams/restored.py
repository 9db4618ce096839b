"""Messages that were taken away and brought back.

The log never gives an entry back: who restores a message adds a copy of it (`chat.restored`), which
can be taken away in its turn. The ids follow from each other, so that each step is taken once,
however many take it at once: message → its removal → the copy → the copy's removal → …
A message is shown, at its own place, while its newest copy is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID, uuid5

from core.realtime.models import LogEntry
from streams.models import Show
from streams.protocol import ChatMessageEvent

ASKED_AT_ONCE = 500


def removal_of_message(show: Show, message: str) -> UUID:
    """The id of the first removal; `message` is its id, or its place where it has none."""
    return uuid5(show.public_id, f"removed:{message}")


def copy_after(removal: UUID) -> UUID:
    """The id of the copy that takes this removal back."""
    return uuid5(removal, "restored")


def removal_of_copy(copy: UUID) -> UUID:
    return uuid5(copy, "removed")


def copies_shown(show: Show, rows: Iterable[LogEntry]) -> dict[UUID, LogEntry]:
    """By id, those of these messages that are shown as a copy, each with the copy's row.

    Asks nothing where nothing was taken away, and once where nothing was taken away again.
    """
    asked = {
        copy_after(removal_of_message(show, str(row.fact_id))): row.fact_id
        for row in rows
        if row.removed_at and row.fact_id and row.type == ChatMessageEvent.type
    }
    shown: dict[UUID, LogEntry] = {}
    while asked:
        copies = {row.fact_id: row for row in _rows_of(show, list(asked)) if row.fact_id}
        shown |= {asked[copy]: row for copy, row in copies.items() if not row.removed_at}
        asked = {
            copy_after(removal_of_copy(copy)): asked[copy]
            for copy, row in copies.items()
            if row.removed_at
        }
    return shown


def without_removed(
    show: Show,
    rows: Iterable[LogEntry],
    gone: Collection[UUID] = (),
    back: Collection[UUID] = (),
) -> list[LogEntry]:
    """What of these rows is shown, in their order. Of `gone` and `back` the caller knows better."""
    found = list(rows)
    shown = {*copies_shown(show, found), *back} - set(gone)
    return [
        row
        for row in found
        if row.fact_id in shown or (not row.removed_at and row.fact_id not in gone)
    ]


def _rows_of(show: Show, ids: Sequence[UUID]) -> Iterable[LogEntry]:
    stored = LogEntry.objects.filter(topic=show.topic)
    for first in range(0, len(ids), ASKED_AT_ONCE):
        yield from stored.filter(fact_id__in=ids[first : first + ASKED_AT_ONCE])
