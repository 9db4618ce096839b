"""The log's rows: reading a stretch and adding to the end."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from core import bulk
from core.clock import now
from core.ids import new_id
from core.realtime.log import TOMBSTONE, Entry, NewEntry, Position
from core.realtime.models import LogEntry, Topic

log = logging.getLogger(__name__)

Placed = tuple[int, NewEntry]
"""An entry and its `seq`."""


class AnotherWriter(DatabaseError):
    """The topic's end moved under this writer."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one commit did to a topic: the answer to each request, what is new, what went away."""

    topic: str
    epoch: str
    answers: list[list[Entry]]
    fresh: list[Entry]
    removed: list[int]


def tail(topic: str) -> Position:
    """The end of the topic, which begins its first epoch if nobody has asked before."""
    return tail_and_age(topic)[0]


def tail_and_age(topic: str) -> tuple[Position, bool]:
    """`tail`, and whether the topic is new by this call: nothing was ever in it."""
    row, is_new = Topic.objects.get_or_create(name=topic, defaults={"epoch": new_epoch()})
    return Position(row.epoch, row.last_seq), is_new


def new_epoch(after: str = "") -> str:
    """A name for an epoch, which sorts behind the one before: the log is read in that order."""
    name = new_id().int
    if after and name <= (before := int(after, 16)):  # the clock was set back
        name = before + 1
    return f"{name:032x}"


def begin_epoch(topic: str, instead_of: str, beyond: str) -> str | None:
    """Begin an epoch that sorts behind `beyond`; `None` if somebody else has begun one instead."""
    epoch = new_epoch(after=beyond)
    begun = Topic.objects.filter(name=topic, epoch=instead_of).update(epoch=epoch, last_seq=0)
    return epoch if begun == 1 else None


def between(topic: str, after: Position, upto: Position) -> list[Entry]:
    """The stored entries after one position up to another, tombstones where some were removed."""
    rows = LogEntry.objects.filter(
        topic=topic, epoch=upto.epoch, seq__gt=after.seq, seq__lte=upto.seq
    )
    return [entry_of(row) for row in rows.order_by("seq")]


def newest(topic: str, end: Position, limit: int) -> list[Entry]:
    """The stored entries right before and at `end`, at most `limit`, as far as there is no hole."""
    rows = LogEntry.objects.filter(topic=topic, epoch=end.epoch, seq__lte=end.seq)
    found: list[Entry] = []
    for row in rows.order_by("-seq")[:limit]:
        if row.seq != end.seq - len(found):
            break
        found.append(entry_of(row))
    return found[::-1]


def entry_of(row: LogEntry) -> Entry:
    entry = Entry(seq=row.seq, type=row.type, data=row.data, at=row.at, fact_id=row.fact_id)
    return entry.tombstone() if row.removed_at else entry


def store(
    topic: str, end: Position, requests: Sequence[Sequence[NewEntry]], *, looks: bool
) -> Written:
    """Add the requests' entries behind `end`, inside the caller's transaction.

    Facts hardly ever come twice: without `looks` nobody looks whether these are stored already,
    and one that is raises `IntegrityError`. Raises `AnotherWriter` if `end` is not the end of the
    topic.
    """
    asked = [entry for request in requests for entry in request] if looks else []
    known = known_facts(topic, asked)
    fresh: list[Entry] = []
    answers = [
        [_place(new, end.seq + 1 + len(fresh), known, fresh) for new in request]
        for request in requests
    ]
    everything = [new for request in requests for new in request]
    _insert(topic, end, fresh)
    _remove(topic, end.epoch, everything)
    return Written(topic, end.epoch, answers, fresh, removed_in(end.epoch, everything))


def known_facts(topic: str, entries: Iterable[NewEntry]) -> dict[uuid.UUID, Entry]:
    """The stored entries of those facts that are stored, in whatever epoch."""
    ids = {entry.fact_id for entry in entries if entry.fact_id is not None}
    if not ids:
        return {}
    rows = LogEntry.objects.filter(topic=topic, fact_id__in=ids)
    return {row.fact_id: entry_of(row) for row in rows if row.fact_id is not None}


def _place(new: NewEntry, seq: int, known: dict[uuid.UUID, Entry], fresh: list[Entry]) -> Entry:
    """The entry of a fact that is known, or a fresh one at `seq`."""
    if new.fact_id is not None and new.fact_id in known:
        return known[new.fact_id]
    entry = new.at_place(seq)
    fresh.append(entry)
    if new.fact_id is not None:
        known[new.fact_id] = entry
    return entry


def _insert(topic: str, end: Position, fresh: Sequence[Entry]) -> None:
    if not fresh:
        return
    # The ORM would write this anew each time, which takes most of a commit.
    move_end = (
        f'UPDATE "{Topic._meta.db_table}" SET "last_seq" = %s '  # noqa: S608 - of constants
        'WHERE "name" = %s AND "epoch" = %s AND "last_seq" = %s'
    )
    with connection.cursor() as cursor:
        cursor.execute(move_end, (fresh[-1].seq, topic, end.epoch, end.seq))
        if cursor.rowcount != 1:
            raise AnotherWriter(f"{topic} does not end at {end.seq}")
    rows = [(topic, end.epoch, one.seq, one.at, one.type, one.data, one.fact_id) for one in fresh]
    bulk.insert(LogEntry, _COLUMNS, rows)


_COLUMNS = ("topic", "epoch", "seq", "at", "type", "data", "fact_id")


def removed_in(epoch: str, entries: Iterable[NewEntry]) -> list[int]:
    """Which places of this epoch the entries take away."""
    return [
        entry.removes
        for entry in entries
        if entry.removes is not None and entry.removes_epoch in (None, epoch)
    ]


def _remove(topic: str, epoch: str, entries: Sequence[NewEntry]) -> None:
    by_epoch: dict[str, list[int]] = {}
    for entry in entries:
        if entry.removes is not None:
            by_epoch.setdefault(entry.removes_epoch or epoch, []).append(entry.removes)
    for of_epoch, seqs in by_epoch.items():
        LogEntry.objects.filter(topic=topic, epoch=of_epoch, seq__in=seqs, removed_at=None).update(
            removed_at=now()
        )


def _row(topic: str, epoch: str, seq: int, entry: Entry | NewEntry) -> LogEntry:
    return LogEntry(
        topic=topic,
        epoch=epoch,
        seq=seq,
        at=entry.at,
        type=entry.type,
        data=entry.data,
        fact_id=entry.fact_id,
    )


def keep(topic: str, epoch: str, placed: Sequence[Placed]) -> None:
    """Store entries that have their places already, by `seq`; what is stored is left as it is.

    Any number of processes may do this with the same entries, in any order.
    """
    if not placed:
        return
    try:
        _keep(topic, epoch, placed)
    except (DataError, IntegrityError):
        if len(placed) == 1:
            log.exception("%s %s: entry %d cannot be stored", topic, epoch, placed[0][0])
            return
        for one in placed:  # only the one at fault is left out
            keep(topic, epoch, [one])


def _keep(topic: str, epoch: str, placed: Sequence[Placed]) -> None:
    last = placed[-1][0]
    with transaction.atomic():
        rows = [_row(topic, epoch, seq, entry) for seq, entry in placed]
        LogEntry.objects.bulk_create(rows, ignore_conflicts=True)
        _fill_places(topic, epoch, placed)
        _remove(topic, epoch, [entry for _, entry in placed])
        Topic.objects.filter(name=topic, epoch=epoch, last_seq__lt=last).update(last_seq=last)


def _fill_places(topic: str, epoch: str, placed: Sequence[Placed]) -> None:
    """Put a tombstone where a fact was told twice, which is stored in its first place only."""
    seqs = [seq for seq, _ in placed]
    here = LogEntry.objects.filter(topic=topic, epoch=epoch, seq__gte=seqs[0], seq__lte=seqs[-1])
    is_unbroken = seqs[-1] - seqs[0] + 1 == len(seqs)
    if is_unbroken and here.count() == len(seqs):
        return
    stored = set(here.values_list("seq", flat=True))
    LogEntry.objects.bulk_create(
        (
            LogEntry(
                topic=topic,
                epoch=epoch,
                seq=seq,
                at=entry.at,
                type=TOMBSTONE,
                data={},
                removed_at=now(),
            )
            for seq, entry in placed
            if seq not in stored
        ),
        ignore_conflicts=True,
    )
