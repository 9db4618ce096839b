"""The log's rows: reading a stretch and adding to the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from core.clock import now
from core.realtime.log import Entry, NewEntry, Position
from core.realtime.models import LogEntry, Topic


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
    row, _ = Topic.objects.get_or_create(name=topic, defaults={"epoch": uuid.uuid4().hex})
    return Position(row.epoch, row.last_seq)


def between(topic: str, after: Position, upto: Position) -> list[Entry]:
    """The stored entries after one position up to another, tombstones where some were removed."""
    rows = LogEntry.objects.filter(
        topic=topic, epoch=upto.epoch, seq__gt=after.seq, seq__lte=upto.seq
    )
    return [entry_of(row) for row in rows.order_by("seq")]


def entry_of(row: LogEntry) -> Entry:
    entry = Entry(seq=row.seq, type=row.type, data=row.data, at=row.at, fact_id=row.fact_id)
    return entry.tombstone() if row.removed_at else entry


def store(topic: str, end: Position, requests: Sequence[Sequence[NewEntry]]) -> Written:
    """Add the requests' entries behind `end`, inside the caller's transaction.

    Raises `AnotherWriter` if `end` is not the end of the topic.
    """
    known = _known_facts(topic, [entry for request in requests for entry in request])
    fresh: list[Entry] = []
    answers = [
        [_place(new, end.seq + 1 + len(fresh), known, fresh) for new in request]
        for request in requests
    ]
    removed = [new.removes for request in requests for new in request if new.removes is not None]
    _insert(topic, end, fresh)
    _remove(topic, end.epoch, removed)
    return Written(topic, end.epoch, answers, fresh, removed)


def _known_facts(topic: str, entries: Iterable[NewEntry]) -> dict[uuid.UUID, Entry]:
    ids = {entry.fact_id for entry in entries if entry.fact_id is not None}
    if not ids:
        return {}
    rows = LogEntry.objects.filter(topic=topic, fact_id__in=ids)
    return {row.fact_id: entry_of(row) for row in rows if row.fact_id is not None}


def _place(new: NewEntry, seq: int, known: dict[uuid.UUID, Entry], fresh: list[Entry]) -> Entry:
    """The entry of a fact that is known, or a fresh one at `seq`."""
    if new.fact_id is not None and new.fact_id in known:
        return known[new.fact_id]
    entry = Entry(seq=seq, type=new.type, data=new.data, at=new.at, fact_id=new.fact_id)
    fresh.append(entry)
    if new.fact_id is not None:
        known[new.fact_id] = entry
    return entry


def _insert(topic: str, end: Position, fresh: Sequence[Entry]) -> None:
    if not fresh:
        return
    moved = Topic.objects.filter(name=topic, epoch=end.epoch, last_seq=end.seq).update(
        last_seq=fresh[-1].seq
    )
    if moved != 1:
        raise AnotherWriter(f"{topic} does not end at {end.seq}")
    LogEntry.objects.bulk_create(
        LogEntry(
            topic=topic,
            epoch=end.epoch,
            seq=entry.seq,
            at=entry.at,
            type=entry.type,
            data=entry.data,
            fact_id=entry.fact_id,
        )
        for entry in fresh
    )


def _remove(topic: str, epoch: str, seqs: Sequence[int]) -> None:
    if seqs:
        LogEntry.objects.filter(topic=topic, epoch=epoch, seq__in=seqs, removed_at=None).update(
            removed_at=now()
        )
