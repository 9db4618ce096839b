"""What offers have sold, and goods that come back. Offers' rows are taken before those of stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core import bulk, outbox
from core.accounts.models import User
from core.clock import now
from orders.events import OfferChanged
from orders.models import Offer, Order
from sellers.services import stock
from sellers.services.stock import Change, NotAll

NOT_TOO_MANY = "o.sold + r.pieces >= 0 AND (o.quantity IS NULL OR o.sold + r.pieces <= o.quantity)"
"""What must be true of an offer for its counter to move; a CHECK stands behind it."""


def count_sold(pieces: Mapping[int, int]) -> None:
    """Add to (or take from) what offers have sold, by primary key; all or `NotAll`.

    Of those with a quantity, rooms are told how many are left.
    """
    if not pieces:
        return
    if len(pieces) > 1:  # PostgreSQL locks the rows of an UPDATE in any order
        list(Offer.objects.select_for_update(no_key=True).filter(pk__in=pieces).order_by("pk"))
    rows = bulk.execute(count_sql(), bulk.encode(pieces.items()))
    if len(rows) != len(pieces):
        raise NotAll(f"offers {sorted(pieces)} do not take {dict(pieces)}")
    if limited := [pk for pk, quantity in rows if quantity is not None]:
        tell_changed(pk__in=limited)


def count_sql() -> str:
    """The statement that counts, of rows (offer, pieces)."""
    return (
        'UPDATE "orders_offer" AS o SET sold = o.sold + r.pieces, '  # noqa: S608 - of constants
        "version = o.version + CASE WHEN o.quantity IS NULL THEN 0 ELSE 1 END "
        f"FROM {bulk.rows(offer='bigint', pieces='bigint')} "
        f"WHERE o.id = r.offer AND {NOT_TOO_MANY} RETURNING id, quantity"
    )


def tell_changed(**chosen: Any) -> None:
    """Let rooms know of offers whose `version` has gone up in this transaction."""
    at = now()
    rows = Offer.objects.filter(**chosen).values_list("show_id", "public_id", "version")
    outbox.publish(
        OfferChanged(show_id=show_id, offer_id=offer_id, version=version, at=at)
        for show_id, offer_id, version in rows
    )


def give_back(order: Order, *, actor: User | None) -> None:
    """The goods of an order that is gone can be sold again, in stock and in its offers.

    In the transaction of the move, whose lock on the order's row comes first. Raises `NotAll` if
    the books do not have what the order held.
    """
    lines = list(order.lines.all())
    sold = Counter[int]()
    for line in lines:
        if line.offer_id is not None:
            sold[line.offer_id] -= line.quantity
    count_sold(sold)
    stock.release_many([_change(order, line.variant_id, line.quantity, actor) for line in lines])


def ship(order: Order, *, actor: User | None) -> None:
    """The goods of an order leave the house. Raises `NotAll`, as `give_back`."""
    stock.ship_many(
        [_change(order, line.variant_id, line.quantity, actor) for line in order.lines.all()]
    )


def _change(order: Order, variant_pk: int, quantity: int, actor: User | None) -> Change:
    return Change(variant_pk, quantity, order.public_id, actor.pk if actor else None)
