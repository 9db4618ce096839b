"""Writing orders that were granted: a statement per table, however many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from core import bulk, outbox
from core.accounts.models import User
from core.failpoints import failpoint
from orders.events import LineSold, OrderPlaced
from orders.models import Order, OrderLine
from orders.numbers import new_order_number
from orders.services.counters import count_sold
from orders.shelf import Pick
from sellers.services import stock
from sellers.services.stock import Change

ORDER_FIELDS = [field for field in Order._meta.concrete_fields if not field.primary_key]
ORDER_COLUMNS = tuple(field.attname for field in ORDER_FIELDS)
USUAL = {field.attname: field.get_default() for field in ORDER_FIELDS}
_values = itemgetter(*ORDER_COLUMNS)
_LINE = ("order_id", "variant_id", "offer_id", "title", "quantity", "price_minor", "returned")

Name = tuple[int, str]
Row = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """An order that is to be written, by its columns, and what it is made of."""

    row: Row
    picks: list[Pick]
    buyer: User
    pk: int = 0

    def __post_init__(self) -> None:
        self.row = {**USUAL, **self.row}

    @property
    def name(self) -> Name:
        return self.row["buyer_id"], self.row["idempotency_key"]

    def order(self) -> Order:
        """As if it had been read: several times faster than a model made field by field."""
        order = Order.from_db("default", ("id", *ORDER_COLUMNS), (self.pk, *_values(self.row)))
        order._state.fields_cache.update(buyer=self.buyer, seller=self.picks[0].seller)
        order.placed_lines = self.picks
        return order


def write(drafts: Sequence[Draft]) -> dict[Name, Order]:
    """Write the orders with all that belongs to them; the orders by their names.

    Raises `IntegrityError` if somebody has used one of the keys meanwhile, or drawn one of the
    numbers; the transaction is then to be begun anew.
    """
    if not drafts:
        return {}
    drafts = sorted(drafts, key=attrgetter("name"))
    for draft, pk in zip(drafts, bulk.next_keys(Order, len(drafts)), strict=True):
        draft.pk = pk
    _draw_free_numbers(drafts)
    with bulk.without_waiting(), outbox.at_once():
        _count(drafts)
        rows = [(draft.pk, *_values(draft.row)) for draft in drafts]
        bulk.insert(Order, ("id", *ORDER_COLUMNS), rows)
        failpoint("orders.after_insert")
        bulk.insert(OrderLine, _LINE, [row for draft in drafts for row in _line_rows(draft)])
        outbox.publish(_placed(draft) for draft in drafts)
        return {draft.name: draft.order() for draft in drafts}


def _draw_free_numbers(drafts: Sequence[Draft]) -> None:
    """Another number for those whose number somebody has: of a million orders, one in ninety."""
    wanted = ((draft.row["number"],) for draft in drafts)
    taken = set(bulk.known(Order, wanted, "number", number="text"))
    for draft in drafts:
        while draft.row["number"] in taken:
            draft.row["number"] = new_order_number()


def _line_rows(draft: Draft) -> Iterable[tuple[object, ...]]:
    for pick in draft.picks:
        offer_pk = pick.offer.id if pick.offer else None
        quantity, price_minor = pick.line.quantity, pick.line.price_minor
        yield draft.pk, pick.variant.id, offer_pk, pick.title, quantity, price_minor, 0


def _count(drafts: Sequence[Draft]) -> None:
    """The contended rows: offers, then stock, once each for all of the orders."""
    sold = Counter[int]()
    taken: list[Change] = []
    for draft in drafts:
        order_id = draft.row["public_id"]
        for pick in draft.picks:
            quantity = pick.line.quantity
            if pick.offer is not None:
                sold[pick.offer.id] += quantity
            # Whoever ordered is known by the order, and need not be looked for to be written here.
            taken.append(Change(pick.variant.id, quantity, order_id, None))
    count_sold(sold)
    stock.reserve_many(taken)


def _placed(draft: Draft) -> OrderPlaced:
    row = draft.row
    return OrderPlaced(
        order_id=row["public_id"],
        order_number=row["number"],
        seller_id=draft.picks[0].seller.public_id,
        show_id=row["show_id"],
        buyer_name=draft.buyer.masked_name,
        lines=[
            LineSold(pick.variant.public_id, pick.title, pick.line.quantity) for pick in draft.picks
        ],
        total_minor=row["total_minor"],
        currency=row["currency"],
        state=row["state"],
        at=row["placed_at"],
    )
