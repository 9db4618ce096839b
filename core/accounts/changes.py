"""Who may do something else than before, told to every process within a second.

A socket lives for hours. What it may do is looked up with everything it asks for; whether it may
go on hearing is looked up here, by each process, for those whose part has just changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

from django.db import transaction

from core.accounts.models import AccessChange
from core.clock import now

# A change counts from its commit, which may be later than its time says, on another clock.
LOOK_BACK = timedelta(seconds=15)
KEPT_FOR = timedelta(minutes=1)


listeners: list[Callable[[Collection[int]], None]] = []
"""Who in this process wants to know at once, after the commit."""


def note(user_pks: Collection[int]) -> None:
    """Write it beside the change, in its transaction."""
    AccessChange.objects.bulk_create(AccessChange(user_pk=pk) for pk in user_pks)
    transaction.on_commit(lambda: _tell(user_pks))


def _tell(user_pks: Collection[int]) -> None:
    for listener in listeners:
        listener(user_pks)


def recent() -> dict[int, int]:
    """The changes of the last moments: whose, by the number of the change."""
    rows = AccessChange.objects.filter(at__gt=now() - LOOK_BACK)
    return dict(rows.values_list("pk", "user_pk"))


def forget_old() -> None:
    AccessChange.objects.filter(at__lt=now() - KEPT_FOR).delete()
