"""How the tests buy: Li's usual order, with what a test wants to be different."""

from __future__ import annotations

from typing import Any

from orders.models import Order
from orders.services.place import place_order
from tests.world import World

TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}


def at_pickup(world: World) -> dict[str, str]:
    point_id = str(world.pickup.public_id)
    return {"kind": "pickup", "point_id": point_id, "name": "Li", "phone": "13800138000"}


def li_orders(world: World, **changes: Any) -> Order:
    """Two boxes of apples to Li's door, unless `changes` say otherwise."""
    usual: dict[str, Any] = {
        "buyer": world.li,
        "key": "first-click",
        "show_id": world.show.public_id,
        "offer_id": world.apple_offer.public_id,
        "quantity": 2,
        "price_minor": 3590,
        "delivery": TO_LI,
    }
    return place_order(**(usual | changes))
