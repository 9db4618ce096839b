"""pretix creating orders of one hot item, driven by its own functions: the peer of `bench.orders`.

Run by the Python of an environment of its own that has pretix; it knows nothing of this project.
Arguments: how many clients (threads), for how many seconds, and how many orders to make ready.
Prints `{"orders": n, "seconds": s}`. It is given the best of it: carts are filled beforehand and
outside the time, no mail is sent, the payment is one that the shop confirms by hand, and what it
hands to its worker (notices, webhooks) costs nothing.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from datetime import timedelta
from decimal import Decimal
from queue import Empty, SimpleQueue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pretix.settings")

import django

django.setup()

from celery import Task  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scope, scopes_disabled  # noqa: E402
from pretix.base.models import CartPosition, Event, Organizer  # noqa: E402
from pretix.base.services.orders import _perform_order  # noqa: E402

logging.disable(logging.CRITICAL)
Task.apply_async = lambda *_args, **_options: None


def shop() -> Event:
    """An event with one item and a quota that never runs out."""
    organizer = Organizer.objects.create(name="Farm", slug="farm")
    event = Event.objects.create(
        organizer=organizer,
        name="Apples",
        slug="apples",
        currency="EUR",
        date_from=now() + timedelta(days=7),
        plugins="pretix.plugins.manualpayment",
        live=True,
    )
    event.settings.set("payment_manual__enabled", True)
    event.settings.set("mail_send_order_placed_attendee", False)
    item = event.items.create(name="Apples, 5 kg", default_price=Decimal("35.90"), active=True)
    quota = event.quotas.create(name="Apples", size=1_000_000)
    quota.items.add(item)
    return event


def fill_carts(event: Event, carts: int) -> list[int]:
    """One position in each cart. They have just run out, so that ordering checks the quota."""
    item = event.items.get()
    made = CartPosition.objects.bulk_create(
        [
            CartPosition(
                event=event,
                item=item,
                price=item.default_price,
                line_price_gross=item.default_price,
                tax_rate=Decimal("0.00"),
                tax_value=Decimal("0.00"),
                cart_id=f"cart-{os.getpid()}-{number}",
                expires=now() - timedelta(seconds=1),
                datetime=now(),
            )
            for number in range(carts)
        ]
    )
    return [position.pk for position in made]


def order(event: Event, position: int) -> None:
    payment: dict[str, object] = {
        "id": "1",
        "provider": "manual",
        "max_value": None,
        "min_value": None,
        "multi_use_supported": False,
        "info_data": {},
    }
    _perform_order(event, [payment], [position], None, "en", None)


def client(event_id: int, waiting: SimpleQueue[int], until: float, done: list[int]) -> None:
    with scopes_disabled():
        event = Event.objects.select_related("organizer").get(pk=event_id)
    with scope(organizer=event.organizer):
        while time.monotonic() < until:
            try:
                position = waiting.get_nowait()
            except Empty:
                break
            order(event, position)
            done.append(position)
    connection.close()


def main(clients: int, seconds: float, carts: int) -> None:
    with scopes_disabled():
        event = Event.objects.first() or shop()
        positions = fill_carts(event, carts)
        order(event, positions.pop())  # what is loaded with the first order is not its cost
    waiting: SimpleQueue[int] = SimpleQueue()
    for position in positions:
        waiting.put(position)
    done: list[int] = []
    began = time.monotonic()
    threads = [
        threading.Thread(target=client, args=(event.pk, waiting, began + seconds, done))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"orders": len(done), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    if sys.argv[1] == "migrate":
        call_command("migrate", verbosity=0)
    else:
        main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
