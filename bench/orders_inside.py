"""So many clients order as fast as they are answered, inside this process, by the service itself.

Reads one JSON object from standard input: `world` (what `bench.orders_world` printed), `clients`
(threads), `variants`, `warm_s` and `for_s`. Prints what came of it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from bench.orders_tally import Tally  # noqa: E402
from core.accounts.models import User  # noqa: E402
from orders.services.place import place_order  # noqa: E402

DELIVERY = {
    "kind": "courier",
    "name": "Li",
    "phone": "13800138000",
    "region": "",
    "address": "8 River Street",
}


def order(world: dict[str, Any], buyer: User, offer: str) -> None:
    line = {"offer_id": offer, "quantity": 1, "price_minor": world["price_minor"]}
    place_order(
        buyer=buyer,
        key=uuid.uuid4().hex,
        show_id=world["show"],
        lines=[line],
        total_minor=world["price_minor"],
        delivery=DELIVERY,
    )


def client(number: int, asked: dict[str, Any], buyer: User, tally: Tally) -> None:
    offers, turn = asked["world"]["offers"][: asked["variants"]], number
    while tally.goes_on():
        began = time.perf_counter()
        order(asked["world"], buyer, offers[turn % len(offers)])
        tally.add(began, time.perf_counter())
        turn += asked["clients"]
    connection.close()


def main() -> None:
    asked = json.load(sys.stdin)
    # A large number of threads, each for a moment: the default of 5 ms would be most of an answer.
    sys.setswitchinterval(0.001)
    buyers = list(User.objects.filter(pk__in=asked["world"]["people_pks"]))[: asked["clients"]]
    tally = Tally(warm_s=asked["warm_s"], for_s=asked["for_s"])
    threads = [
        threading.Thread(target=client, args=(number, asked, buyer, tally))
        for number, buyer in enumerate(buyers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(tally.told()))


if __name__ == "__main__":
    main()
