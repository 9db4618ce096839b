"""How the tests buy: Li's usual order, with what a test wants to be different."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from PIL import Image

from core.models import OutboxFact
from orders import handlers
from orders.events import OrderPlaced
from orders.models import Order
from orders.services.place import place_order
from tests.world import World

LINE = {"offer_id", "variant_id", "quantity", "price_minor"}
TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}


def at_pickup(world: World) -> dict[str, str]:
    point_id = str(world.pickup.public_id)
    return {"kind": "pickup", "point_id": point_id, "name": "Li", "phone": "13800138000"}


def line(world: World, **changes: Any) -> dict[str, Any]:
    """Two boxes of apples at the show's price, unless `changes` say otherwise."""
    usual = {"offer_id": world.apple_offer.public_id, "quantity": 2, "price_minor": 3590}
    return usual | changes


def li_orders(world: World, **changes: Any) -> Order:
    """Two boxes of apples to Li's door, unless `changes` (also of the one line) say otherwise."""
    of_line = {name: changes.pop(name) for name in LINE & changes.keys()}
    usual: dict[str, Any] = {
        "buyer": world.li,
        "key": "first-click",
        "show_id": world.show.public_id,
        "lines": [line(world, **of_line)],
        "delivery": TO_LI,
    }
    return place_order(**(usual | changes))


def photo() -> io.BytesIO:
    """A picture as a phone sends it."""
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(written, "JPEG")
    written.seek(0)
    written.name = "box.jpg"
    return written


def hear_of_orders() -> None:
    """What orders themselves do about the facts that orders were placed."""
    rows = OutboxFact.objects.filter(type=OrderPlaced.name).order_by("pk")
    told = [(msgspec.convert(row.data, OrderPlaced), row.pk) for row in rows]
    handlers.remember_addresses.handle_all(told)
