"""Buyers who come at the same time, against the database that `DATABASE_URL` names.

A process of its own, so that the same races run on every database: `python -m tests.orders.race`
prints what came of each as one JSON object.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest import mock
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, connections, transaction  # noqa: E402
from django.db.models import F, Q  # noqa: E402

from core.accounts.models import User  # noqa: E402
from core.errors import Conflict  # noqa: E402
from orders.models import Order, OrderState  # noqa: E402
from orders.services.fulfil import move_order  # noqa: E402
from sellers.errors import SoldOut  # noqa: E402
from sellers.models import Stock  # noqa: E402
from sellers.services import stock  # noqa: E402
from tests import world as world_module  # noqa: E402
from tests.books import faults_in_books  # noqa: E402
from tests.orders.shop import li_orders  # noqa: E402
from tests.world import World  # noqa: E402

BUYERS = 20
BOXES = 10
LIMIT_S = 20


def together(actions: Sequence[Callable[[], str]]) -> Counter[str]:
    """Start all at once, each in its own thread and connection; count what came of them."""
    start = threading.Barrier(len(actions))
    outcomes: list[str] = []

    def run(action: Callable[[], str]) -> None:
        start.wait()
        try:
            outcomes.append(action())
        except (SoldOut, Conflict, IntegrityError) as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def last_boxes() -> dict[str, object]:
    """Twenty buyers, ten boxes."""
    world = world_of_boxes()
    buyers = [User.objects.create_user(f"buyer{number}") for number in range(BUYERS)]

    def buys(buyer: User) -> Callable[[], str]:
        return lambda: outcome(li_orders(world, buyer=buyer, quantity=1))

    return told(together([buys(buyer) for buyer in buyers]))


def same_click() -> dict[str, object]:
    """One buyer whose phone sends the same order eight times."""
    world = world_of_boxes()
    numbers: list[str] = []

    def click() -> str:
        numbers.append(li_orders(world).number)
        return "ordered"

    outcomes = together([click] * 8)
    return told(outcomes) | {"numbers": len(set(numbers))}


def sent_or_cancelled() -> dict[str, object]:
    """The order is sent by one and cancelled by another, several times over."""
    world = world_of_boxes()
    order = li_orders(world)
    move_order(order.public_id, OrderState.PACKED, world.zhang)

    def move(to: OrderState) -> Callable[[], str]:
        return lambda: str(move_order(order.public_id, to, world.zhang).state)

    outcomes = together([move(OrderState.SENT), move(OrderState.CANCELLED)] * 4)
    return told(outcomes) | {
        "moves": order.moves.count(),
        "winners": len(set(outcomes) - {"Conflict"}),
    }


def while_another_decides() -> dict[str, object]:
    """A buyer of six boxes waits for another's six to be committed, of ten."""
    world = world_of_boxes()
    outcomes: list[str] = []
    late = threading.Thread(target=lambda: outcomes.append(late_outcome(world)))
    with transaction.atomic():
        li_orders(world, quantity=6)
        late.start()
        wait_until_somebody_waits()
    late.join()
    return told(Counter(outcomes))


def while_another_decides_joined() -> dict[str, object]:
    """The negative control: the variant named by a join, which Django makes a subquery of."""

    def joined(variant_id: UUID, condition: Q, *, on_hand: int = 0, reserved: int = 0) -> bool:
        rows = Stock.objects.filter(condition, variant__public_id=variant_id)
        changed = rows.update(
            on_hand=F("on_hand") + on_hand,
            reserved=F("reserved") + reserved,
            version=F("version") + 1,
        )
        return changed == 1

    with mock.patch.object(stock, "_change", joined):
        return while_another_decides()


def late_outcome(world: World) -> str:
    try:
        return outcome(li_orders(world, buyer=world.wang, quantity=6))
    except (SoldOut, IntegrityError) as error:
        return type(error).__name__
    finally:
        connections.close_all()


def wait_until_somebody_waits() -> None:
    """PostgreSQL shows who waits for a lock; on SQLite a writer waits before it has read anything,
    so that it does not matter when it began.
    """
    deadline = time.monotonic() + LIMIT_S
    while connection.vendor == "postgresql" and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return


def without_condition() -> dict[str, object]:
    """The negative control: what if the UPDATE did not look at what is left?"""
    with unconditional():
        return last_boxes()


def without_condition_or_check() -> dict[str, object]:
    """And what if no CHECK stood behind it?"""
    (check,) = Stock._meta.constraints
    # SQLite makes the table anew, with the constraints that the model has by then.
    with mock.patch.object(Stock._meta, "constraints", []), connection.schema_editor() as editor:
        editor.remove_constraint(Stock, check)
    with unconditional():
        return last_boxes()


@contextmanager
def unconditional() -> Iterator[None]:
    change = stock._change

    def careless(variant_id: UUID, condition: Q, **amounts: int) -> bool:
        return change(variant_id, Q(), **amounts)

    with mock.patch.object(stock, "_change", careless):
        yield


def world_of_boxes() -> World:
    call_command("flush", interactive=False, verbosity=0)
    world = world_module.build()
    stock.adjust(
        world.apples.public_id, on_hand=BOXES, reason="ten boxes are left", actor=world.zhang
    )
    return world


def outcome(order: Order) -> str:
    return "ordered" if order.pk else "lost"


def told(outcomes: Counter[str]) -> dict[str, object]:
    return {
        "outcomes": dict(outcomes),
        "orders": Order.objects.count(),
        "faults": faults_in_books(),
    }


RACES = (
    last_boxes,
    same_click,
    sent_or_cancelled,
    while_another_decides,
    while_another_decides_joined,
    without_condition,
    without_condition_or_check,  # the last: it leaves the table without its CHECK
)


def main() -> None:
    call_command("migrate", verbosity=0)
    report = {race.__name__: race() for race in RACES}
    json.dump({"database": connection.vendor, **report}, sys.stdout)


if __name__ == "__main__":
    main()
