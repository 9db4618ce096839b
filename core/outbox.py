"""Facts travel by outbox: a change and the fact that tells of it are one transaction.

`publish()` writes the fact beside the change. The relay (`deliver_waiting`) hands each fact to its
handlers at least once, in order within a topic; handlers are idempotent, for which they are given
the fact's id. A fact whose handler keeps failing is retried with a growing pause, holds back the
later facts of its topic, and ends in `dead_at` with its last error after `MAX_ATTEMPTS`.

Facts whose handlers all take many (`Together`) are handed over in runs of one type: claimed, told
and marked as sent with one statement each. If that fails, each fact of the run is tried alone.

Any number of relays may run, in any number of processes. What a relay has in hand it has claimed
under a lock of the row, and renews the claim (`renew_claims`), so that those of a process that was
killed come free within `CLAIM_FOR`.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import msgspec
from django.db import models, transaction

from core import bulk
from core.clock import now
from core.ids import new_id
from core.models import OutboxFact

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
CLAIM_FOR = timedelta(seconds=5)
RENEW_EVERY_S = 1.5
LATER = timedelta(seconds=1)
AT_ONCE = 100
"""Facts in one run: what a handler tells of them is one append, after which others get a turn."""


class Fact(msgspec.Struct, frozen=True):
    """A past-tense fact. Subclasses add fields of JSON types, UUIDs and aware datetimes."""

    name: ClassVar[str]

    @property
    def topic(self) -> str:
        """Facts that share a topic are handled in the order in which they were committed."""
        raise NotImplementedError


Handler = Callable[[Any, uuid.UUID], None]
F = TypeVar("F", bound=Fact)
Told = Sequence[tuple[F, uuid.UUID]]
"""Facts of one type with their ids, in their order."""


class Together:
    """Makes a `Handler` of a function that takes many facts at once (`Told`).

    If it raises, none of them counts as handled, and each is handed over again, alone.
    """

    def __init__(self, handle_all: Callable[[Told[Any]], None]) -> None:
        self.handle_all = handle_all

    def __call__(self, fact: Any, fact_id: uuid.UUID) -> None:
        self.handle_all([(fact, fact_id)])


class Wiring:
    """Which handlers hear which facts. Filled once at start by `livecommerce.wiring`."""

    def __init__(self) -> None:
        self._types: dict[str, type[Fact]] = {}
        self._handlers: dict[str, Sequence[Handler]] = {}

    def connect(self, table: Mapping[type[Fact], Sequence[Handler]]) -> None:
        self._types = {fact.name: fact for fact in table}
        self._handlers = {fact.name: handlers for fact, handlers in table.items()}

    def take_many(self, kind: str) -> bool:
        """Whether all who hear facts of this type hear many at once."""
        return all(isinstance(one, Together) for one in self._handlers.get(kind, (None,)))

    def handle(self, *rows: OutboxFact) -> None:
        """One fact, or many of a type that `take_many`."""
        kind = rows[0].type
        told = [(msgspec.convert(row.data, self._types[kind]), row.id) for row in rows]
        for handler in self._handlers[kind]:
            if isinstance(handler, Together):
                handler.handle_all(told)
            else:
                [(fact, fact_id)] = told
                handler(fact, fact_id)


wiring = Wiring()
_wake = threading.Event()
_in_hand: set[uuid.UUID] = set()
_gathered: ContextVar[list[bulk.Row] | None] = ContextVar("gathered", default=None)


def publish(facts: Fact | Iterable[Fact]) -> None:
    """Write facts into the current transaction; the relay wakes when it commits.

    Raises `TransactionManagementError` outside a transaction: a fact without its change, or a
    change without its fact, is the fault that the outbox exists to prevent.
    """
    batch = [facts] if isinstance(facts, Fact) else list(facts)
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publish facts inside transaction.atomic()")
    at = now()
    rows = [_row(fact, at) for fact in batch]
    if (gathered := _gathered.get()) is not None:
        gathered += rows
    else:
        _write(rows)


@contextmanager
def at_once() -> Iterator[None]:
    """What is published in here is written at the end, with one statement."""
    rows: list[bulk.Row] = []
    token = _gathered.set(rows)
    try:
        yield
    finally:
        _gathered.reset(token)
    _write(rows)


def _write(rows: Sequence[bulk.Row]) -> None:
    if rows:
        bulk.insert(OutboxFact, _COLUMNS, rows)
        transaction.on_commit(_wake.set)


_COLUMNS = ("id", "topic", "type", "data", "at", "attempts", "last_error")


def _row(fact: Fact, at: datetime) -> tuple[object, ...]:
    data = msgspec.Raw(msgspec.json.encode(fact))
    return new_id(), fact.topic, fact.name, data, at, 0, ""


def wait_for_facts(timeout_s: float) -> None:
    """Return when this process has committed a fact, or after `timeout_s` (facts of others)."""
    _wake.wait(timeout_s)
    _wake.clear()


def wake() -> None:
    """Let the relay of this process look at once."""
    _wake.set()


def release_claims() -> int:
    """Take back what a killed relay had in hand. Only for whoever is the one relay there is."""
    return (
        OutboxFact.objects.filter(sent_at=None)
        .exclude(claimed_until=None)
        .update(claimed_until=None)
    )


def renew_claims() -> None:
    """Keep what this process has in hand; call it every `RENEW_EVERY_S` beside the relay.

    Without it a handler that takes longer than `CLAIM_FOR` would share its fact with another
    relay, which would then go on with the next of the topic.
    """
    if held := list(_in_hand):
        OutboxFact.objects.filter(pk__in=held, sent_at=None).exclude(claimed_until=None).update(
            claimed_until=now() + CLAIM_FOR
        )


def deliver_waiting(limit: int = 200, *, later: tuple[type[Exception], ...] = ()) -> int:
    """Hand waiting facts to their handlers; the number handled. One relay per topic at a time.

    An error of a type in `later` says that something every fact needs is away for now. It ends
    this round, is not held against the facts, and they come again after `LATER`.
    """
    handled = 0
    blocked: set[str] = set()
    for run in _runs(_due(limit)):
        rows = _claim([row for row in run if row.topic not in blocked])
        try:
            done = _deliver_claimed(rows, later) if rows else set()
        except later:
            break
        handled += len(done)
        blocked |= {row.topic for row in run if row.pk not in done}
    return handled


def _due(limit: int) -> list[OutboxFact]:
    """The oldest waiting facts, leaving out topics whose first fact is claimed or pausing."""
    waiting = OutboxFact.objects.filter(sent_at=None, dead_at=None)
    moment = now()
    busy = waiting.filter(
        models.Q(claimed_until__gt=moment) | models.Q(retry_at__gt=moment)
    ).values("topic")
    due = waiting.exclude(topic__in=busy).order_by("id")
    return list(due.only("topic", "type", "data", "attempts")[:limit])


def _runs(rows: Iterable[OutboxFact]) -> list[list[OutboxFact]]:
    """What is handed over together, in this order; a fact never before an older one of its topic.

    A fact joins the newest run of its type, unless a later run has an older one of its topic.
    """
    runs: list[list[OutboxFact]] = []
    newest: dict[str, int] = {}  # run by type
    last: dict[str, int] = {}  # run by topic
    for row in rows:
        place = newest.get(row.type, -1)
        if place < last.get(row.topic, 0) or len(runs[place]) == AT_ONCE:
            place = len(runs)
            runs.append([])
        if wiring.take_many(row.type):
            newest[row.type] = place
        last[row.topic] = place
        runs[place].append(row)
    return runs


def _claim(rows: Sequence[OutboxFact]) -> list[OutboxFact]:
    """Those that are ours from now on; none of a topic that has an older one here that is not."""
    moment = now()
    # All that `_due` asked for: another relay may have failed with a row since it was read.
    free = models.Q(claimed_until=None) | models.Q(claimed_until__lte=moment)
    due = models.Q(retry_at=None) | models.Q(retry_at__lte=moment)
    asked = OutboxFact.objects.filter(
        free, due, pk__in=[row.pk for row in rows], sent_at=None, dead_at=None
    )
    with transaction.atomic():
        # What another relay is claiming now is not waited for: two would wait in a circle.
        ours = set(asked.select_for_update(skip_locked=True).values_list("pk", flat=True))
        taken = {row.topic for row in rows if row.pk not in ours}
        mine = [row for row in rows if row.topic not in taken]
        if mine:
            _all_of(mine).update(claimed_until=moment + CLAIM_FOR)
    return mine


def _all_of(rows: Iterable[OutboxFact]) -> models.QuerySet[OutboxFact]:
    return OutboxFact.objects.filter(pk__in=[row.pk for row in rows])


def _deliver_claimed(
    rows: Sequence[OutboxFact], later: tuple[type[Exception], ...]
) -> set[uuid.UUID]:
    held = {row.pk for row in rows}
    _in_hand.update(held)
    try:
        return _deliver(rows, later)
    finally:
        _in_hand.difference_update(held)


def _deliver(rows: Sequence[OutboxFact], later: tuple[type[Exception], ...]) -> set[uuid.UUID]:
    """The ids of those that were handled. No claim is left on the others."""
    try:
        wiring.handle(*rows)
    except later as error:
        _put_off(rows, error)
        raise
    except Exception as error:  # the relay's outermost loop: a bad fact must not stop the others
        if len(rows) > 1:
            log.warning("%d facts (%s) are tried one by one: %s", len(rows), rows[0].type, error)
            return _deliver_each(rows, later)
        _failed(rows[0], error)
        return set()
    _all_of(rows).update(sent_at=now(), claimed_until=None)
    return {row.pk for row in rows}


def _deliver_each(rows: Sequence[OutboxFact], later: tuple[type[Exception], ...]) -> set[uuid.UUID]:
    """The same one after the other: of each topic up to the first that fails."""
    done: set[uuid.UUID] = set()
    blocked: set[str] = set()
    untried = {row.pk: row for row in rows}
    try:
        for row in rows:
            if row.topic in blocked:
                continue
            del untried[row.pk]
            if handled := _deliver([row], later):
                done |= handled
            else:
                blocked.add(row.topic)
    finally:
        if untried:
            _all_of(untried.values()).update(claimed_until=None)
    return done


def _put_off(rows: Sequence[OutboxFact], error: Exception) -> None:
    log.debug("%d facts (%s) wait: %s", len(rows), rows[0].type, error)
    _all_of(rows).update(
        claimed_until=None,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        retry_at=now() + LATER,
    )


def _failed(row: OutboxFact, error: Exception) -> None:
    attempts = row.attempts + 1
    log.exception("fact %s (%s) failed, attempt %d", row.id, row.type, attempts)
    pause = timedelta(seconds=min(60, 0.25 * 2**attempts))
    _all_of([row]).update(
        attempts=attempts,
        claimed_until=None,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        retry_at=now() + pause,
        dead_at=now() if attempts >= MAX_ATTEMPTS else None,
    )
