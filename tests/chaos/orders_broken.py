"""Five ways to build it wrong, each put upon the product from outside, in a process of its own.

Where the product has two guards, one behind the other, both are taken away: the judge has to see
what then happens, not that one of them is missing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from core.errors import AppError
from core.failpoints import failpoint
from orders.models import Offer, Order, OrderState
from orders.services import commit, group, holds
from orders.services.group import Answer, Asked
from orders.shelf import Shelf, already_bought
from sellers.models import MovementKind, Stock
from sellers.services import stock

LATE_S = 0.2
"""So long an answer has to leave the process, however busy the machine is."""


@dataclass(frozen=True, slots=True)
class Broken:
    """`breaks` a process before it serves, `spoils` the tables once."""

    breaks: Callable[[], None]
    spoils: Callable[[], None] = field(default=lambda: None)


def no_where() -> None:
    """The stock's UPDATE takes what it is told to, and nobody looks before it either."""
    stock.EFFECTS[MovementKind.RESERVE] = stock.Effect(0, 1, "1 = 1")
    Shelf.available = lambda self, pick: 10**9  # type: ignore[method-assign]


def drop_stock_check() -> None:
    _drop(Stock, "never_reserve_more_than_on_hand")


def no_unique_key() -> None:
    """What was ordered under a key before is not looked for; nor does the table know."""
    group.known_orders = lambda asked: {}


def drop_unique_key() -> None:
    _drop(Order, "one_order_per_intent")


def _drop(model: Any, name: str) -> None:
    """Take a constraint away; SQLite makes the table anew, with those that the model has then."""
    [dropped] = [one for one in model._meta.constraints if one.name == name]
    model._meta.constraints = [one for one in model._meta.constraints if one.name != name]
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, dropped)


def answers_before_commit() -> None:
    """Whoever waits is answered when the rows are written, and the commit comes a moment later."""

    def commit_late(asked: Sequence[tuple[Asked, Future[Order]]]) -> None:
        with transaction.atomic():
            answers = group._answers([one for one, _future in asked])
            for (_one, future), answer in zip(asked, answers, strict=True):
                if isinstance(answer, AppError):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            time.sleep(LATE_S)
            failpoint("orders.before_commit")

    vars(commit)["_commit"] = commit_late


def sweeps_without_condition() -> None:
    """What looked like a hold that is over is ended, whatever has become of it."""
    holds._sources = lambda: frozenset(OrderState)
    looked = holds._due

    def due() -> Sequence[Order]:
        found = looked()
        time.sleep(0.05 if found else 0)  # a busy machine
        return found

    holds._due = due


def limit_outside() -> None:
    """What a buyer has of an offer is looked up before the transaction, not in it."""
    before: Counter[tuple[int, int]] = Counter()
    placed = group.place_group

    def place_group(asked: Sequence[Asked]) -> list[Answer]:
        limited = Offer.objects.exclude(per_buyer=None).values_list("pk", flat=True)
        before.clear()
        before.update(already_bought(list(limited), {one.buyer.pk for one in asked}))
        return placed(asked)

    def bought(self: Shelf, offer: Offer, buyer_pk: int | None) -> int:
        return before[offer.pk, buyer_pk or 0]

    Shelf.bought = bought  # type: ignore[method-assign]
    vars(commit)["place_group"] = place_group


BROKEN: dict[str, Broken] = {
    "no_where": Broken(no_where, drop_stock_check),
    "no_unique_key": Broken(no_unique_key, drop_unique_key),
    "answers_before_commit": Broken(answers_before_commit),
    "sweeps_without_condition": Broken(sweeps_without_condition),
    "limit_outside": Broken(limit_outside),
}
