"""Buyers who come at the same time, against the database that `DATABASE_URL` names.

A process of its own, so that the same races run on every database: `python -m tests.orders.race`
prints what came of each as one JSON object.
"""

from __future__ import annotations

import itertools
import json
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any
from unittest import mock

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, connections, transaction  # noqa: E402
from django.test import override_settings  # noqa: E402

from core.accounts.models import User  # noqa: E402
from core.errors import Conflict  # noqa: E402
from orders.models import Offer, Order, OrderState  # noqa: E402
from orders.services import commit  # noqa: E402
from orders.services.fulfil import move_order  # noqa: E402
from sellers.errors import SoldOut  # noqa: E402
from sellers.models import MovementKind, Stock  # noqa: E402
from sellers.services import stock  # noqa: E402
from tests import world as world_module  # noqa: E402
from tests.books import faults_in_books  # noqa: E402
from tests.orders.shop import li_orders, line  # noqa: E402
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


class Ways:
    """How orders come to their transactions: in groups, each alone, in groups of two processes."""

    @staticmethod
    @contextmanager
    def grouped() -> Iterator[None]:
        yield

    @staticmethod
    @contextmanager
    def alone() -> Iterator[None]:
        with override_settings(GROUP_COMMIT=False):
            yield

    @staticmethod
    @contextmanager
    def in_two() -> Iterator[None]:
        """For the database, two committers are as good as two processes."""
        both = commit.Committer(), commit.Committer()
        turns = itertools.cycle(both)
        asked = mock.Mock(ask=lambda one: next(turns).ask(one))
        with mock.patch.object(commit, "committer", asked):
            yield
        for one in both:
            one.stop(LIMIT_S)


Race = Callable[[], dict[str, object]]


def ways(*names: str) -> Callable[[Race], Race]:
    """The same race, once each way."""

    def several(race: Race) -> Race:
        @wraps(race)
        def run() -> dict[str, object]:
            found: dict[str, object] = {}
            for name in names:
                with getattr(Ways, name)():
                    found[name] = race()
            return found

        return run

    return several


@ways("grouped", "alone", "in_two")
def last_boxes() -> dict[str, object]:
    """Twenty buyers, ten boxes."""
    world = world_of_boxes()
    return told(together([buys(world, buyer) for buyer in twenty_buyers()]))


def twenty_buyers() -> list[User]:
    return [User.objects.create_user(f"buyer{number}") for number in range(BUYERS)]


def buys(world: World, buyer: User, **changes: Any) -> Callable[[], str]:
    return lambda: outcome(li_orders(world, **({"buyer": buyer, "quantity": 1} | changes)))


def more_than_connections() -> dict[str, object]:
    """Forty who have read something, as every request does, before they wait for their order."""
    world = world_of_boxes()
    buyers = [User.objects.create_user(f"buyer{number}") for number in range(40)]

    def looks_and_buys(buyer: User) -> str:
        buyer.refresh_from_db()
        return buys(world, buyer)()

    return told(together([partial(looks_and_buys, buyer) for buyer in buyers]))


@ways("grouped", "alone", "in_two")
def same_click() -> dict[str, object]:
    """One buyer whose phone sends the same order eight times."""
    world = world_of_boxes()
    numbers: list[str] = []

    def click() -> str:
        numbers.append(li_orders(world).number)
        return "ordered"

    outcomes = together([click] * 8)
    return told(outcomes) | {"numbers": len(set(numbers))}


@ways("grouped", "in_two")
def same_key_of_two_offers() -> dict[str, object]:
    """One key for apples and for pears at once: no row is locked that both would wait for."""
    world = world_of_boxes()
    pears = {"offer_id": world.pear_offer.public_id, "price_minor": 2590}
    return told(together([buys(world, world.li), buys(world, world.li, **pears)] * 4))


@ways("grouped", "alone", "in_two")
def limit_of_one_buyer() -> dict[str, object]:
    """Ten orders at once of somebody who may have three."""
    world = world_of_boxes()
    Offer.objects.filter(pk=world.apple_offer.pk).update(per_buyer=3)
    clicks = [buys(world, world.li, key=f"click {number}") for number in range(10)]
    return told(together(clicks))


def limit_read_outside() -> dict[str, object]:
    """The negative control: the limit looked up before the transaction, when nothing was bought."""
    before = mock.Mock(side_effect=lambda offers, buyers: Counter())
    with mock.patch("orders.shelf.already_bought", before), Ways.alone():
        return limit_of_one_buyer.__wrapped__()  # type: ignore[attr-defined, no-any-return]


@ways("alone")
def quantity_of_the_show() -> dict[str, object]:
    """Twenty buyers of an offer of four pieces."""
    world = world_of_boxes()
    Offer.objects.filter(pk=world.apple_offer.pk).update(quantity=4)
    return told(together([buys(world, buyer) for buyer in twenty_buyers()]))


@ways("alone", "in_two")
def crossing_lines() -> dict[str, object]:
    """Apples and pears, and pears and apples: nobody waits in a circle, and nobody gets half."""
    world = world_of_boxes()
    lines = [
        line(world, quantity=1),
        line(world, offer_id=world.pear_offer.public_id, price_minor=2590, quantity=1),
    ]
    buyers = twenty_buyers()
    return told(
        together(
            [
                buys(world, buyer, lines=lines if number % 2 else lines[::-1])
                for number, buyer in enumerate(buyers)
            ]
        )
    )


def sent_or_cancelled() -> dict[str, object]:
    """The order is sent by one and cancelled by another, several times over."""
    world = world_of_boxes()
    order = li_orders(world)
    move_order(order.public_id, OrderState.PACKED, world.zhang)

    def move(to: OrderState) -> Callable[[], str]:
        return lambda: str(move_order(order.public_id, to, world.zhang).state)

    outcomes = together([move(OrderState.SENT), move(OrderState.CANCELLED)] * 4)
    return told(outcomes) | {
        "moves": len(order.way),
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


def one_more_of_a_rush() -> dict[str, object]:
    """One order where five thousand were written since the database took statistics."""
    world = world_of_boxes()
    order = li_orders(world, quantity=1)
    new = {
        "id": "o.id + 1000000 + n",
        "public_id": "gen_random_uuid()",
        "number": "'rush' || n",
        "idempotency_key": "'rush' || n",
    }
    columns = [field.column for field in Order._meta.concrete_fields]
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order ({', '.join(columns)}) "
            f"SELECT {', '.join(new.get(name, f'o.{name}') for name in columns)} "
            "FROM orders_order o, generate_series(1, 5000) n WHERE o.id = %s",
            [order.pk],
        )
    with Ways.alone():
        before = rows_read_by_scanning("orders_order")
        li_orders(world, buyer=world.wang, quantity=1)
        return {"rows_read": rows_read_by_scanning("orders_order") - before}


def rows_read_by_scanning(table: str) -> int:
    """How many rows this database has read of a table from its beginning, without an index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


def without_looking() -> dict[str, object]:
    """The negative control: nobody looks how many are left but the UPDATE itself."""
    with mock.patch("orders.shelf.Shelf.available", return_value=BUYERS):
        return last_boxes.__wrapped__()  # type: ignore[attr-defined, no-any-return]


def without_condition() -> dict[str, object]:
    """And what if the UPDATE did not look either?"""
    with unconditional():
        return without_looking()


def without_condition_or_check() -> dict[str, object]:
    """And what if no CHECK stood behind it?"""
    (check,) = Stock._meta.constraints
    # SQLite makes the table anew, with the constraints that the model has by then.
    with mock.patch.object(Stock._meta, "constraints", []), connection.schema_editor() as editor:
        editor.remove_constraint(Stock, check)
    with unconditional():
        return without_looking()


@contextmanager
def unconditional() -> Iterator[None]:
    careless = stock.EFFECTS[MovementKind.RESERVE]._replace(condition="true")
    with mock.patch.dict(stock.EFFECTS, {MovementKind.RESERVE: careless}):
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
    more_than_connections,
    same_click,
    same_key_of_two_offers,
    limit_of_one_buyer,
    quantity_of_the_show,
    crossing_lines,
    sent_or_cancelled,
    while_another_decides,
    one_more_of_a_rush,
    limit_read_outside,
    without_looking,
    without_condition,
    without_condition_or_check,  # the last: it leaves the table without its CHECK
)


def main() -> None:
    logging.disable(logging.WARNING)  # groups that fail on purpose say so
    call_command("migrate", verbosity=0)
    report = {race.__name__: race() for race in RACES}
    json.dump({"database": connection.vendor, **report}, sys.stdout)


if __name__ == "__main__":
    main()
