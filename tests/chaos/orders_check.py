"""The judge of the chaos run for orders: the database, the journals and the bank's book, at rest.

Nothing of what the buyers or the killer remember counts here, and nothing of the product decides:
only its tables are read.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from orders.models import Offer, Order, OrderLine, OrderMove, Payment
from sellers.models import MovementKind, Stock, StockMovement

GONE = {"cancelled", "expired"}
PROMISED = {"held", "placed", "paid", "packed"}
LEFT = {"sent", "delivered", "refunded"}
SHOWN = 30
Json = dict[str, Any]
Name = tuple[str, str]
"""Buyer and key."""
FIGURES = (
    "oversold",
    "acknowledged_missing",
    "duplicate_orders",
    "duplicate_charges",
    "limits_broken",
    "ledger_mismatch",
    "money_without_order",
    "orders_without_money",
    "totals_wrong",
    "orders_nobody_asked",
)


@dataclass(slots=True)
class Journal:
    """What the buyers wrote down: asked before they asked, and answered when they heard it."""

    asked: dict[Name, Json] = field(default_factory=dict)
    acknowledged: dict[Name, list[Json]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    last_refused: set[Name] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    notes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, path: Path) -> Journal:
        found = cls()
        with path.open() as lines:
            for line in lines:
                found._take(json.loads(line))
        return found

    def _take(self, said: Json) -> None:
        name = said["buyer"], said.get("key", "")
        self.notes[said["what"]] += 1
        match said["what"]:
            case "asks":
                self.asked[name] = said["wish"]
            case "ordered":
                self.acknowledged[name].append(said["order"])
                self.last_refused.discard(name)
            case "refused":
                self.refused[said["code"]] += 1
                self.last_refused.add(name)
            case "cancelled":
                self.cancelled.add(said["order"])


@dataclass(slots=True)
class Books:
    """The database, read once."""

    orders: list[Order]
    lines: dict[int, list[OrderLine]]
    gone_at: dict[int, datetime]
    offers: list[Offer]
    stocks: list[Stock]
    movements: dict[int, list[StockMovement]]
    payments: dict[int, list[Payment]]

    @classmethod
    def read(cls) -> Books:
        ended = OrderMove.objects.filter(state__in=GONE).values_list("order_id", "at")
        return cls(
            orders=list(Order.objects.select_related("buyer").order_by("pk")),
            lines=_by(OrderLine.objects.order_by("pk"), "order_id"),
            gone_at=dict(ended),
            offers=list(Offer.objects.all()),
            stocks=list(Stock.objects.all()),
            movements=_by(StockMovement.objects.order_by("pk"), "variant_id"),
            payments=_by(Payment.objects.all(), "order_id"),
        )

    def name(self, order: Order) -> Name:
        return str(order.buyer.public_id), order.idempotency_key


class Bank:
    """What the payment service has taken and given back, by the order it was for."""

    def __init__(self, book: Json) -> None:
        back = Counter[str]()
        for refund in book["refunds"].values():
            if refund["status"] != "failed":
                back[refund["payment_intent"]] += refund["amount"]
        self.kept: dict[str, list[int]] = defaultdict(list)
        for name, intent in book["intents"].items():
            self.kept[intent["metadata"]["order"]].append(intent["amount"] - back[name])
        self.taken = len(book["intents"])
        self.given_back = len(book["refunds"])


@dataclass(slots=True)
class Found:
    """Faults by figure; the first of them in words."""

    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def add(self, figure: str, words: str, count: int = 1) -> None:
        self.counts[figure] += count
        if len(self.words) < SHOWN:
            self.words.append(f"{figure}: {words}")


def check(journal_file: Path, book_file: Path) -> Json:
    """The figures of one run; all of `FIGURES` should be 0."""
    journal, books = Journal.read(journal_file), Books.read()
    bank = Bank(json.loads(book_file.read_text()))
    found = Found()
    _check_acknowledged(journal, books, found)
    _check_keys(journal, books, found)
    check_goods(books, found)
    check_money(books, bank, found)
    return {
        **{figure: found.counts[figure] for figure in FIGURES},
        "unsold": _unsold(books),
        "faults": found.words,
        **_told(journal, books, bank),
    }


def check_goods(books: Books, found: Found) -> None:
    """What must be so at any moment: nobody has what another has, and every sum is right."""
    _check_stock(books, found)
    _check_offers(books, found)
    _check_totals(books, found)


def _check_acknowledged(journal: Journal, books: Books, found: Found) -> None:
    """What a buyer was told is so: the order is there, and what was cancelled is cancelled."""
    there = {str(order.public_id): order for order in books.orders}
    for name, told in journal.acknowledged.items():
        for one in told:
            order = there.get(one["id"])
            if order is None or books.name(order) != name:
                found.add("acknowledged_missing", f"{name} was told of {one['id']}")
            elif order.total_minor != one["total_minor"]:
                found.add("totals_wrong", f"{name} was told {one['total_minor']} of {order}")
    for public_id in journal.cancelled:
        order = there.get(public_id)
        if order is None or order.state != "cancelled":
            state = order.state if order else "not there"
            found.add("acknowledged_missing", f"{public_id} was cancelled and is {state}")


def _check_keys(journal: Journal, books: Books, found: Found) -> None:
    made = Counter(books.name(order) for order in books.orders)
    for name, count in made.items():
        if count > 1:
            found.add("duplicate_orders", f"{name} made {count} orders", count - 1)
        if name not in journal.asked:
            found.add("orders_nobody_asked", f"{name}")
    for name, told in journal.acknowledged.items():
        if len({one["id"] for one in told}) > 1 and made[name] < 2:
            found.add("duplicate_orders", f"{name} was told of different orders")


def _check_stock(books: Books, found: Found) -> None:
    """Each variant: what was sold of it, its ledger from the first line on, and its row."""
    states = {order.pk: order.state for order in books.orders}
    for stock in books.stocks:
        here = [line for line in _all_lines(books) if line.variant_id == stock.pk]
        kept = [line for line in here if states[line.order_id] not in GONE]
        sold = sum(line.quantity - line.returned for line in kept)
        most = max(sold - _stocked(books, stock), *_missing_over_time(books, stock))
        if most > 0:
            words = f"{sold} sold, {most} more than there were of variant {stock.pk}"
            found.add("oversold", words, most)
        ledger = books.movements.get(stock.pk, [])
        sums = (
            sum(one.on_hand_change for one in ledger),
            sum(one.reserved_change for one in ledger),
        )
        if sums != (stock.on_hand, stock.reserved):
            found.add("ledger_mismatch", f"{sums} in the ledger of {stock.pk}, not {vars(stock)}")
        promised = sum(line.quantity for line in here if states[line.order_id] in PROMISED)
        if promised != stock.reserved:
            words = f"{stock.reserved} of {stock.pk} set aside for {promised} in orders"
            found.add("ledger_mismatch", words)
    _check_each_ledger(books, found)


def _check_each_ledger(books: Books, found: Found) -> None:
    """Each order took what is in its lines once, and gave it back at most once."""
    moved: dict[tuple[object, int], Counter[str]] = defaultdict(Counter)
    for variant_pk, ledger in books.movements.items():
        for one in ledger:
            if one.order_id is not None:
                pieces = abs(one.reserved_change or one.on_hand_change)
                moved[one.order_id, variant_pk][one.kind] += pieces
    for order in books.orders:
        for line in books.lines.get(order.pk, []):
            expected = Counter({MovementKind.RESERVE.value: line.quantity})
            if order.state in GONE:
                expected[MovementKind.RELEASE.value] = line.quantity
            elif order.state in LEFT:
                expected[MovementKind.SHIP.value] = line.quantity
            if line.returned:
                expected[MovementKind.RETURN.value] = line.returned
            is_so = moved.pop((order.public_id, line.variant_id), Counter())
            if is_so != expected:
                words = f"{order}, {order.state}: {dict(is_so)}, not {dict(expected)}"
                found.add("ledger_mismatch", words)
    for (order_id, _variant), kinds in moved.items():
        found.add("ledger_mismatch", f"order {order_id} is not there: {dict(kinds)}")


def _missing_over_time(books: Books, stock: Stock) -> Iterator[int]:
    """How many more were set aside than were there, after each line of the ledger.

    Its lines are in the order in which they had the row's lock.
    """
    missing = 0
    for one in books.movements.get(stock.pk, []):
        missing += one.reserved_change - one.on_hand_change
        yield missing


def _check_offers(books: Books, found: Found) -> None:
    """Limits hold at every moment, and offers have counted what is in orders."""
    by_pk = {order.pk: order for order in books.orders}
    for offer in books.offers:
        lines = [line for line in _all_lines(books) if line.offer_id == offer.pk]
        sold = sum(one.quantity for one in lines if by_pk[one.order_id].state not in GONE)
        if sold != offer.sold:
            found.add("ledger_mismatch", f"offer {offer.pk} sold {offer.sold}, orders {sold}")
        if offer.quantity is not None and (most := _most(books, by_pk, lines)) > offer.quantity:
            found.add("limits_broken", f"{most} of {offer.quantity} in offer {offer.pk}")
        if offer.per_buyer is None:
            continue
        for buyer, theirs in _by_buyer(by_pk, lines).items():
            if (most := _most(books, by_pk, theirs)) > offer.per_buyer:
                words = f"buyer {buyer} had {most} of {offer.per_buyer} in offer {offer.pk}"
                found.add("limits_broken", words)


def _most(books: Books, by_pk: dict[int, Order], lines: Iterable[OrderLine]) -> int:
    """The most pieces that were in orders at one time.

    Placing looks at its clock under the locks, and what ends an order before it has them: two
    orders that overlap by these times did overlap.
    """
    changes: list[tuple[datetime, int]] = []
    for line in lines:
        changes.append((by_pk[line.order_id].placed_at, line.quantity))
        if (ended := books.gone_at.get(line.order_id)) is not None:
            changes.append((ended, -line.quantity))
    most = total = 0
    for _at, change in sorted(changes):
        total += change
        most = max(most, total)
    return most


def _by_buyer(by_pk: dict[int, Order], lines: Iterable[OrderLine]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = defaultdict(list)
    for line in lines:
        found[by_pk[line.order_id].buyer_id].append(line)
    return found


def _check_totals(books: Books, found: Found) -> None:
    for order in books.orders:
        goods = sum(one.quantity * one.price_minor for one in books.lines.get(order.pk, []))
        if not goods or order.total_minor != goods + order.delivery_fee_minor:
            found.add("totals_wrong", f"{order}: {order.total_minor} for {goods} and the fee")


def check_money(books: Books, bank: Bank, found: Found) -> None:
    """The bank has kept what orders keep, for each one once, and nothing else."""
    kept = dict(bank.kept)
    charges: Counter[Name] = Counter()
    for order in books.orders:
        amounts = [amount for amount in kept.pop(str(order.public_id), []) if amount]
        charges[books.name(order)] += len(amounts)
        due = _due(order, books.payments.get(order.pk, []))
        if sum(amounts) > due:
            words = f"{order}, {order.state}: {sum(amounts)} kept, {due} due"
            found.add("money_without_order", words)
        elif sum(amounts) < due:
            words = f"{order}, {order.state}: {sum(amounts)} kept, {due} due"
            found.add("orders_without_money", words)
        if order.state == "paid" and not due:
            found.add("orders_without_money", f"{order} is paid by nothing")
    for public_id, rest in kept.items():
        if sum(rest):
            found.add("money_without_order", f"{sum(rest)} for {public_id}, which is not there")
    for name, count in charges.items():
        if count > 1:
            found.add("duplicate_charges", f"{name} was charged {count} times", count - 1)


def _due(order: Order, payments: list[Payment]) -> int:
    """What the order keeps of the bank's money, in minor units."""
    if order.state in GONE:
        return 0
    paid = [one for one in payments if one.state == "paid" and one.provider == "stripe"]
    charge = sum(one.amount_minor for one in paid if not one.is_surplus)
    return charge - order.refunded_minor if charge else 0


def _unsold(books: Books) -> int:
    """Boxes in no order, of all there were."""
    states = {order.pk: order.state for order in books.orders}
    sold = sum(one.quantity for one in _all_lines(books) if states[one.order_id] not in GONE)
    return sum(_stocked(books, stock) for stock in books.stocks) - sold


def _stocked(books: Books, stock: Stock) -> int:
    ledger = books.movements.get(stock.pk, [])
    return sum(one.on_hand_change for one in ledger if one.kind == MovementKind.ADJUST)


def _told(journal: Journal, books: Books, bank: Bank) -> Json:
    """What happened, for people."""
    made = {books.name(order) for order in books.orders}
    paid = [one for some in books.payments.values() for one in some if one.state == "paid"]
    return {
        "intents": len(journal.asked),
        "acknowledged": len(journal.acknowledged),
        "orders": len(books.orders),
        "states": dict(Counter(order.state for order in books.orders)),
        "refused": dict(journal.refused),
        "refused_and_ordered": len(journal.last_refused & made),
        "journal": dict(journal.notes),
        "charges": bank.taken,
        "refunds": bank.given_back,
        "paid_too_late": sum(one.is_surplus for one in paid),
    }


def _all_lines(books: Books) -> Iterator[OrderLine]:
    for lines in books.lines.values():
        yield from lines


def _by(rows: Iterable[Any], name: str) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
