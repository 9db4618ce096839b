"""Payments, holds and refunds that meet, against the database that `DATABASE_URL` names.

A process of its own, as `tests.orders.race`: `python -m tests.orders.money_race` prints what came
of each race as one JSON object.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from tests.orders import race  # first: it sets Django up

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.models import Q

from core.clock import now
from orders.models import Order, OrderState, Payment, PaymentState, Refund
from orders.payments.interface import Notice, PaymentStatus, PaymentTold
from orders.services import holds, payments
from orders.services.fulfil import move_order
from orders.services.refunds import carry_out_refunds
from tests.orders.paying import faults_in_money
from tests.orders.shop import li_orders
from tests.stripe_server import StripeServer, stripe_server
from tests.world import World

ROUNDS = 5
LIMIT_S = 10


def begun(world: World, number: int = 0) -> tuple[Order, Payment]:
    """An order that is held, with a payment under way, and its time over."""
    order = li_orders(world, key=f"order-{number}", payment_method="online", quantity=1)
    at = now()
    payment = Payment.objects.create(
        order=order,
        provider="stripe",
        reference=f"cs_{number}",
        amount_minor=order.total_minor,
        currency=order.currency,
        expires_at=at,
        started_at=at,
    )
    Order.objects.filter(pk=order.pk).update(held_until=at - timedelta(seconds=1))
    order.refresh_from_db()
    return order, payment


def notice(payment: Payment, event_id: str = "evt") -> Notice:
    told = PaymentTold(
        status=PaymentStatus.PAID,
        reference=payment.reference or "",
        payment_id=payment.public_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        charge=f"pi_{payment.pk}",
    )
    return Notice("stripe", f"{event_id}-{payment.pk}", "checkout.session.completed", told)


def settles(payment: Payment, event_id: str = "evt") -> Callable[[], str]:
    return lambda: str(payments.settle(notice(payment, event_id)).outcome)


def expires() -> str:
    return f"ended {holds.expire_holds() > 0}"


def told(**more: object) -> dict[str, object]:
    return {
        "states": dict(Counter(Order.objects.values_list("state", flat=True))),
        "surplus": Payment.objects.filter(is_surplus=True).count(),
        "refunds": Refund.objects.count(),
        "faults": faults_in_money(),
        **more,
    }


def paid_or_expired() -> dict[str, object]:
    """The sweeper and the notices, also repeated ones, come at the same time, several times."""
    world = race.world_of_boxes()
    for number in range(ROUNDS):
        _order, payment = begun(world, number)
        twice = [settles(payment), settles(payment), settles(payment, "other")]
        race.together([*twice, expires, expires, expires])
    return told()


def cancelled_or_paid() -> dict[str, object]:
    """The buyer cancels while the money comes."""
    world = race.world_of_boxes()
    for number in range(ROUNDS):
        order, payment = begun(world, number)

        def cancel(order: Order = order) -> str:
            return str(move_order(order.public_id, OrderState.CANCELLED, order.buyer).state)

        race.together([settles(payment), settles(payment, "other"), cancel, cancel])
    return told()


def sweeper_that_looked_before() -> dict[str, object]:
    """It found the hold over, and then the money came: it must not end what is paid for."""
    world = race.world_of_boxes()
    _order, payment = begun(world)
    found = holds._due()
    payments.settle(notice(payment))
    with mock.patch.object(holds, "_due", side_effect=[found, []]):
        ended = holds.expire_holds()
    return told(ended=ended)


def sweeper_that_waits() -> dict[str, object]:
    """The money's transaction is open when the sweeper comes, and then is committed."""
    world = race.world_of_boxes()
    order, payment = begun(world)
    ended: list[bool] = []

    def sweep() -> None:
        ended.append(holds._ended(order))
        connections.close_all()

    late = threading.Thread(target=sweep)
    with transaction.atomic():
        payments.settle(notice(payment))
        late.start()
        race.wait_until_somebody_waits()
    late.join()
    return told(ended=sum(ended))


@contextmanager
def careless_sweeper() -> Iterator[None]:
    """The negative control: it ends what it once found, whatever the row says by then."""
    with (
        mock.patch.object(holds, "_sources", return_value=frozenset(OrderState)),
        mock.patch.object(holds, "_is_over", Q),
    ):
        yield


def careless_sweeper_that_looked_before() -> dict[str, object]:
    with careless_sweeper():
        return sweeper_that_looked_before()


def careless_sweeper_that_waits() -> dict[str, object]:
    with careless_sweeper():
        return sweeper_that_waits()


def refunds_together() -> dict[str, object]:
    """Eight parts of 1,000 of 3,590 are asked for at once, each of them twice."""
    order = paid_order(race.world_of_boxes())

    def back(number: int) -> Callable[[], str]:
        return lambda: str(payments.pay_back(order, 1000, "bruised", None, f"k{number}").pk)

    race.together([back(number % 8) for number in range(16)])
    order.refresh_from_db()
    return told(refunded=order.refunded_minor)


def started_together(stripe: StripeServer) -> dict[str, object]:
    """One buyer whose phone starts the same payment eight times."""
    order = li_orders(race.world_of_boxes(), payment_method="online")

    def start() -> str:
        back = "http://testserver/back/"
        return payments.start_payment(order.public_id, order.buyer, return_to=back).reference or ""

    race.together([start] * 8)
    return told(payments=Payment.objects.count(), sessions=len(stripe.books.sessions))


def slow_start(stripe: StripeServer) -> dict[str, object]:
    """How few connections of the pool are borrowed while Stripe takes its time."""
    order = li_orders(race.world_of_boxes(), payment_method="online")
    has_read, is_started = threading.Event(), threading.Event()

    def start() -> None:
        order.refresh_from_db()
        has_read.set()
        payments.start_payment(order.public_id, order.buyer, return_to="http://testserver/back/")
        is_started.set()
        connections.close_all()

    connection.close()
    stripe.faults.delay_s = 0.5
    buyer = threading.Thread(target=start)
    buyer.start()
    has_read.wait(LIMIT_S)
    borrowed = [1]
    while not is_started.wait(0.01) and buyer.is_alive():
        borrowed.append(borrowed_connections())
    buyer.join()
    return {"least_borrowed": min(borrowed), "started": is_started.is_set()}


def borrowed_connections() -> int:
    if connection.vendor == "sqlite":
        return 0  # it has no pool
    database: Any = connection
    stats = database.pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


def carried_out_together(stripe: StripeServer) -> dict[str, object]:
    """Four workers pay back the same at once."""
    order = li_orders(race.world_of_boxes(), payment_method="online")
    back = "http://testserver/back/"
    payment = payments.start_payment(order.public_id, order.buyer, return_to=back)
    stripe.pay(payment.reference or "")
    payments.read_payment(payment)
    move_order(order.public_id, OrderState.CANCELLED, order.buyer)
    race.together([lambda: str(carry_out_refunds())] * 4)
    asked = stripe.books.requests.count(("POST", "/v1/refunds"))
    return told(asked=asked, states_of_refunds=[one.state for one in Refund.objects.all()])


def paid_order(world: World) -> Order:
    order, payment = begun(world)
    payments.settle(notice(payment))
    assert payment.__class__.objects.get(pk=payment.pk).state == PaymentState.PAID
    return order


RACES = (
    paid_or_expired,
    cancelled_or_paid,
    sweeper_that_looked_before,
    sweeper_that_waits,
    careless_sweeper_that_looked_before,
    careless_sweeper_that_waits,
    refunds_together,
)


def main() -> None:
    call_command("migrate", verbosity=0)
    report = {one.__name__: one() for one in RACES}
    for one in (started_together, slow_start, carried_out_together):
        with stripe_server() as stripe:
            settings.STRIPE_API_BASE = stripe.url
            report[one.__name__] = one(stripe)
    json.dump({"database": connection.vendor, **report}, sys.stdout)


if __name__ == "__main__":
    main()
