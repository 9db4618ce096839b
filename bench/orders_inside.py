"""So many clients order as fast as they are answered, inside this process, by the service itself.

The clients are tasks of one event loop, which is how a web process calls the service. Reads one
JSON object from standard input: `world` (what `bench.orders_world` printed), `clients`, `variants`,
`warm_s` and `for_s`. Prints what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import django

django.setup()

from bench.orders_tally import Tally  # noqa: E402
from core.accounts.models import User  # noqa: E402
from orders.services.place import place_order_soon  # noqa: E402

DELIVERY = {
    "kind": "courier",
    "name": "Li",
    "phone": "13800138000",
    "region": "",
    "address": "8 River Street",
}


async def order(world: dict[str, Any], buyer: User, offer: str) -> None:
    line = {"offer_id": offer, "quantity": 1, "price_minor": world["price_minor"]}
    await place_order_soon(
        buyer=buyer,
        key=uuid.uuid4().hex,
        show_id=world["show"],
        lines=[line],
        total_minor=world["price_minor"],
        delivery=DELIVERY,
    )


async def client(number: int, asked: dict[str, Any], buyer: User, tally: Tally) -> None:
    offers, turn = asked["world"]["offers"][: asked["variants"]], number
    while tally.goes_on():
        began = time.perf_counter()
        await order(asked["world"], buyer, offers[turn % len(offers)])
        tally.add(began, time.perf_counter())
        turn += asked["clients"]


async def run(asked: dict[str, Any], buyers: list[User]) -> dict[str, Any]:
    tally = Tally(warm_s=asked["warm_s"], for_s=asked["for_s"])
    await asyncio.gather(
        *(client(number, asked, buyer, tally) for number, buyer in enumerate(buyers))
    )
    return tally.told()


def main() -> None:
    asked = json.load(sys.stdin)
    buyers = list(User.objects.filter(pk__in=asked["world"]["people_pks"]))[: asked["clients"]]
    print(json.dumps(asyncio.run(run(asked, buyers))))


if __name__ == "__main__":
    main()
