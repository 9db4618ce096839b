"""What orders do about facts, their own among them."""

from __future__ import annotations

from core import bulk
from core.ids import new_id
from core.outbox import Together, Told
from orders.events import OrderPlaced
from orders.models import Address, Delivery, Order

_ADDRESS = ("public_id", "user_id", "name", "phone", "region", "address", "used_at")
_SAME = (
    "(user_id, name, phone, region, address) DO UPDATE SET used_at = excluded.used_at "
    "WHERE orders_address.used_at < excluded.used_at"
)


@Together
def remember_addresses(told: Told[OrderPlaced]) -> None:
    """Keep where goods were sent for the buyers' next orders, each place once.

    Not with the order: nobody who waits for it waits for this. Hearing it again changes nothing.
    """
    orders = Order.objects.filter(
        public_id__in=[fact.order_id for fact, _fact_id in told],
        delivery=Delivery.COURIER,
        buyer__is_active=True,  # who has left meanwhile has taken theirs along
    )
    places = orders.order_by("placed_at").values_list(
        "buyer_id", "recipient", "phone", "region", "address", "placed_at"
    )
    used = {tuple(place): at for *place, at in places}
    # In the order of the unique key, so that two relays do not wait for each other in a circle.
    rows = [(new_id(), *place, at) for place, at in sorted(used.items())]
    bulk.insert(Address, _ADDRESS, rows, conflict=_SAME)
