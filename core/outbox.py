"""Facts travel by outbox: a change and the fact that tells of it are one transaction.

`publish()` writes the fact beside the change. The relay (`deliver_waiting`) hands each fact to its
handlers at least once, in order within a topic; handlers are idempotent, for which they are given
the fact's id. A fact whose handler keeps failing is retried with a growing pause, holds back the
later facts of its topic, and ends in `dead_at` with its last error after `MAX_ATTEMPTS`.

Any number of relays may run, in any number of processes. Each fact is claimed by a conditional
update; whoever holds a claim renews it (`renew_claims`), so that those of a process that was killed
come free within `CLAIM_FOR`.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

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


class Fact(msgspec.Struct, frozen=True):
    """A past-tense fact. Subclasses add fields of JSON types, UUIDs and aware datetimes."""

    name: ClassVar[str]

    @property
    def topic(self) -> str:
        """Facts that share a topic are handled in the order in which they were committed."""
        raise NotImplementedError


Handler = Callable[[Any, uuid.UUID], None]


class Wiring:
    """Which handlers hear which facts. Filled once at start by `livecommerce.wiring`."""

    def __init__(self) -> None:
        self._types: dict[str, type[Fact]] = {}
        self._handlers: dict[str, Sequence[Handler]] = {}

    def connect(self, table: Mapping[type[Fact], Sequence[Handler]]) -> None:
        self._types = {fact.name: fact for fact in table}
        self._handlers = {fact.name: handlers for fact, handlers in table.items()}

    def handle(self, row: OutboxFact) -> None:
        fact = msgspec.convert(row.data, self._types[row.type])
        for handler in self._handlers[row.type]:
            handler(fact, row.id)


wiring = Wiring()
_wake = threading.Event()
_in_hand: set[uuid.UUID] = set()


def publish(facts: Fact | Iterable[Fact]) -> None:
    """Write facts into the current transaction; the relay wakes when it commits.

    Raises `TransactionManagementError` outside a transaction: a fact without its change, or a
    change without its fact, is the fault that the outbox exists to prevent.
    """
    batch = [facts] if isinstance(facts, Fact) else list(facts)
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publish facts inside transaction.atomic()")
    at = now()
    bulk.insert(OutboxFact, _COLUMNS, [_row(fact, at) for fact in batch])
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
    this round, is not held against the fact, and the fact comes again after `LATER`.
    """
    handled = 0
    blocked: set[str] = set()
    for row in _due(limit):
        if row.topic in blocked:
            continue
        if not _claim(row):
            blocked.add(row.topic)
            continue
        try:
            if _deliver(row, later):
                handled += 1
            else:
                blocked.add(row.topic)
        except later as error:
            _put_off(row, error)
            break
    return handled


def _due(limit: int) -> list[OutboxFact]:
    """The oldest waiting facts, leaving out topics whose first fact is claimed or pausing."""
    waiting = OutboxFact.objects.filter(sent_at=None, dead_at=None)
    moment = now()
    busy = waiting.filter(
        models.Q(claimed_until__gt=moment) | models.Q(retry_at__gt=moment)
    ).values("topic")
    return list(waiting.exclude(topic__in=busy).order_by("id")[:limit])


def _claim(row: OutboxFact) -> bool:
    moment = now()
    # All that `_due` asked for: another relay may have failed with the row since it was read.
    free = models.Q(claimed_until=None) | models.Q(claimed_until__lte=moment)
    due = models.Q(retry_at=None) | models.Q(retry_at__lte=moment)
    claimed = OutboxFact.objects.filter(free, due, pk=row.pk, sent_at=None, dead_at=None).update(
        claimed_until=moment + CLAIM_FOR, attempts=models.F("attempts") + 1
    )
    return claimed == 1


def _deliver(row: OutboxFact, later: tuple[type[Exception], ...]) -> bool:
    _in_hand.add(row.pk)
    try:
        wiring.handle(row)
    except later:
        raise
    except Exception as error:  # the relay's outermost loop: a bad fact must not stop the others
        _failed(row, error)
        return False
    finally:
        _in_hand.discard(row.pk)
    OutboxFact.objects.filter(pk=row.pk).update(sent_at=now(), claimed_until=None)
    return True


def _put_off(row: OutboxFact, error: Exception) -> None:
    log.debug("fact %s (%s) waits: %s", row.id, row.type, error)
    OutboxFact.objects.filter(pk=row.pk).update(
        claimed_until=None,
        attempts=models.F("attempts") - 1,  # the claim has counted this try
        last_error=f"{type(error).__name__}: {error}"[:2000],
        retry_at=now() + LATER,
    )


def _failed(row: OutboxFact, error: Exception) -> None:
    attempts = row.attempts + 1
    log.exception("fact %s (%s) failed, attempt %d", row.id, row.type, attempts)
    pause = timedelta(seconds=min(60, 0.25 * 2**attempts))
    OutboxFact.objects.filter(pk=row.pk).update(
        claimed_until=None,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        retry_at=now() + pause,
        dead_at=now() if attempts >= MAX_ATTEMPTS else None,
    )
