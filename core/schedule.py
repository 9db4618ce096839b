"""Periodic work: one table of named jobs, each run by whoever moves its row first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.clock import now
from core.models import ScheduledWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A named piece of work that is due every `every_s` seconds, in one process at a time."""

    name: str
    every_s: float
    run: Callable[[], object]


def run_due(table: Sequence[Periodic]) -> list[str]:
    """Run what is due and not taken by another process; the names of what ran."""
    return [work.name for work in table if _take(work) and _ran(work)]


def _take(work: Periodic) -> bool:
    moment = now()
    ScheduledWork.objects.get_or_create(name=work.name, defaults={"next_run_at": moment})
    taken = ScheduledWork.objects.filter(name=work.name, next_run_at__lte=moment).update(
        next_run_at=moment + timedelta(seconds=work.every_s)
    )
    return taken == 1


def _ran(work: Periodic) -> bool:
    error = ""
    try:
        work.run()
    except Exception as failure:  # the scheduler's outermost loop: the other jobs must still run
        log.exception("periodic work %s failed", work.name)
        error = f"{type(failure).__name__}: {failure}"[:2000]
    ScheduledWork.objects.filter(pk=work.name).update(last_run_at=now(), last_error=error)
    return not error
