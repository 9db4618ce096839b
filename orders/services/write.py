"""Writing orders that were granted: a statement per table, however many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from core import bulk, outbox
from core.failpoints import failpoint
from orders.events import LineSold, OrderPlaced
from orders.models import Address, Delivery, Order, OrderLine, OrderMove
from orders.numbers import new_order_number
from orders.services.counters import count_sold
from orders.shelf import Pick
from sellers.services import stock
from sellers.services.stock import Change

NUMBERS_TRIED = 5
ORDER_COLUMNS = tuple(one.attname for one in Order._meta.concrete_fields if not one.primary_key)
_values = attrgetter(*ORDER_COLUMNS)
_LINE = ("order_id", "variant_id", "offer_id", "title", "quantity", "price_minor", "returned")
_MOVE = ("order_id", "state", "actor_id", "reason", "at")
_ADDRESS = ("public_id", "user_id", "name", "phone", "region", "address", "used_at")
_SAME_ADDRESS = "(user_id, name, phone, region, address) DO UPDATE SET used_at = excluded.used_at"


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is to be written, and what it is made of."""

    order: Order
    picks: list[Pick]

    @property
    def name(self) -> tuple[int, str]:
        return self.order.buyer_id, self.order.idempotency_key


def write(drafts: Sequence[Draft]) -> dict[tuple[int, str], Order]:
    """Write the orders with all that belongs to them; those whose key was free, by their names.

    A key that somebody else has used meanwhile decides: such an order is not written at all.
    """
    if not drafts:
        return {}
    written = _insert_orders(sorted(drafts, key=attrgetter("name")))
    failpoint("orders.after_insert")
    if written:
        _insert_parts(written)
        _count(written)
        outbox.publish(_placed(draft) for draft in written)
    return {draft.name: draft.order for draft in written}


def _insert_orders(drafts: list[Draft]) -> list[Draft]:
    """Those that are written now, with their primary keys. A number that is taken is drawn anew."""
    waiting = {draft.name: draft for draft in drafts}
    written: list[Draft] = []
    for _draw in range(NUMBERS_TRIED):
        new = bulk.insert(
            Order,
            ORDER_COLUMNS,
            [_values(draft.order) for draft in waiting.values()],
            conflict="DO NOTHING",
            returning="id, buyer_id, idempotency_key",
        )
        for pk, buyer_pk, key in new:
            draft = waiting.pop((buyer_pk, key))
            draft.order.pk, draft.order._state.adding = pk, False
            draft.order._state.db = "default"
            written.append(draft)
        waiting = {name: draft for name, draft in waiting.items() if _draw_again(draft)}
        if not waiting:
            return written
    raise RuntimeError(f"no free order number in {NUMBERS_TRIED} draws")


def _draw_again(draft: Draft) -> bool:
    """Whether only its number was taken, which it then has another of; else its key was."""
    buyer_pk, key = draft.name
    if Order.objects.filter(buyer=buyer_pk, idempotency_key=key).exists():
        return False
    draft.order.number = new_order_number()
    return True


def _insert_parts(drafts: Sequence[Draft]) -> None:
    bulk.insert(OrderLine, _LINE, [row for draft in drafts for row in _line_rows(draft)])
    bulk.insert(OrderMove, _MOVE, [_move_row(draft.order) for draft in drafts])
    _remember([draft.order for draft in drafts])


def _line_rows(draft: Draft) -> Iterable[tuple[object, ...]]:
    for pick in draft.picks:
        offer_pk = pick.offer.pk if pick.offer else None
        line = pick.line
        yield (
            draft.order.pk,
            pick.variant.pk,
            offer_pk,
            str(pick.variant),
            line.quantity,
            line.price_minor,
            0,
        )


def _move_row(order: Order) -> tuple[object, ...]:
    return order.pk, order.state, order.buyer_id, "", order.placed_at


def _remember(orders: Iterable[Order]) -> None:
    """Keep the addresses for the buyers' next orders; each once, in the order of its unique key."""
    sent = {
        (one.buyer_id, one.recipient, one.phone, one.region, one.address): one
        for one in orders
        if one.delivery == Delivery.COURIER
    }
    known = [
        (one.public_id, *place, one.placed_at)
        for place, one in sorted(sent.items(), key=lambda pair: pair[0])
    ]
    bulk.insert(Address, _ADDRESS, known, conflict=_SAME_ADDRESS)


def _count(drafts: Sequence[Draft]) -> None:
    """The contended rows: offers, then stock, once each for all of the orders."""
    sold = Counter[int]()
    taken: list[Change] = []
    for draft in drafts:
        order = draft.order
        for pick in draft.picks:
            quantity = pick.line.quantity
            if pick.offer is not None:
                sold[pick.offer.pk] += quantity
            taken.append(Change(pick.variant.pk, quantity, order.public_id, order.buyer_id))
    count_sold(sold)
    stock.reserve_many(taken)


def _placed(draft: Draft) -> OrderPlaced:
    order = draft.order
    return OrderPlaced(
        order_id=order.public_id,
        order_number=order.number,
        seller_id=order.seller.public_id,
        show_id=order.show_id,
        buyer_name=order.buyer.masked_name,
        lines=[
            LineSold(pick.variant.public_id, str(pick.variant), pick.line.quantity)
            for pick in draft.picks
        ],
        total_minor=order.total_minor,
        currency=order.currency,
        state=order.state,
        at=order.placed_at,
    )
