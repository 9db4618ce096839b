"""A group of orders in one transaction: read what they need, grant in turn, write what was granted.

Locks are taken in one order everywhere, so that groups never wait for each other in a circle: the
shows (shared), offers by key, stock by key, the orders' own new rows by key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core import bulk
from core.accounts.models import User
from core.accounts.proof import Proof, proven
from core.errors import AppError, InvalidInput, SignInRequired
from core.failpoints import failpoint
from core.ids import new_id
from orders import access, shelf, terms
from orders.access import Check
from orders.delivery import Courier, Pickup
from orders.errors import KeyReused, PaymentNotOffered
from orders.models import Delivery, Order, OrderState, PaymentMethod
from orders.numbers import new_order_number, new_pickup_code
from orders.requests import OrderRequest
from orders.services.write import Draft, write
from orders.shelf import Pick, Shelf
from sellers.models import Seller

Name = tuple[int, str]
"""Buyer and key: what makes an intent one order."""
Answer = Order | AppError
T = TypeVar("T")
# Python 3.11 looks for the members of an enumeration as slowly as for a name that is not there.
ONLINE = PaymentMethod.ONLINE
HELD, PLACED = OrderState.HELD.value, OrderState.PLACED.value
COURIER, PICKUP = Delivery.COURIER.value, Delivery.PICKUP.value
TRIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One buyer's clean request, and the language in which they are told what is wrong with it.

    With a `proof` the buyer is looked up again: a socket may be hours old.
    """

    buyer: User
    key: str
    request: OrderRequest
    digest: str = field(repr=False)
    language: str = "en"
    proof: Proof | None = None

    @property
    def name(self) -> Name:
        return self.buyer.id, self.key


def place_group(asked: Sequence[Asked]) -> list[Answer]:
    """An order or the reason why not, for each, in their order; raises `DatabaseError` for all.

    Who comes first is served first. The same buyer and key always get the same order; another
    request under a used key gets `KeyReused`. Nothing is answered before it is committed.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                answers = _answers(asked)
                failpoint("orders.before_commit")
        except IntegrityError:
            # Since we looked, one of the keys was used elsewhere, or one of the numbers drawn.
            if not tries_left:
                raise
        else:
            break
    failpoint("orders.after_commit")
    return answers


def _answers(asked: Sequence[Asked]) -> list[Answer]:
    people = proven([one.proof for one in asked if one.proof is not None])
    checks = _checks(asked)
    goods = _read(asked)
    # After the locks: whoever placed the same order elsewhere has committed it by now.
    known = known_orders(asked)
    drafts: dict[Name, Draft] = {}

    def answer(one: Asked) -> Answer | None:
        """None: what becomes of the draft of this name."""
        buyer = one.buyer if one.proof is None else _still(people.get(one.proof))
        if (order := known.get(one.name)) is not None:
            _check_same(one, order.request_hash)
            return order
        if (draft := drafts.get(one.name)) is not None:
            _check_same(one, draft.row["request_hash"])
        else:
            for check in checks.get(one.request.show_id, ()):
                check(buyer)
            drafts[one.name] = decide(one, buyer, goods)
        return None

    answers = _told(asked, answer)
    made = write(list(drafts.values()))
    return [
        made[one.name] if found is None else found
        for one, found in zip(asked, answers, strict=True)
    ]


def _told(asked: Sequence[Asked], answer: Callable[[Asked], T]) -> list[T | AppError]:
    """The answers, or the refusals, each in the language of who asked."""
    told: list[T | AppError] = []
    for language, some in groupby(asked, attrgetter("language")):
        with translation.override(language):
            told += [_or_refusal(answer, one) for one in some]
    return told


def _or_refusal(answer: Callable[[Asked], T], one: Asked) -> T | AppError:
    try:
        return answer(one)
    except AppError as refusal:
        return refusal


def _checks(asked: Sequence[Asked]) -> dict[UUID | None, list[Check]]:
    """What the guards of each show say of those who order through it."""
    buyers: dict[UUID, list[User]] = {}
    for one in asked:
        if one.request.show_id is not None:
            buyers.setdefault(one.request.show_id, []).append(one.buyer)
    # In one order, for the guards may lock.
    return {show_id: access.checks_of(show_id, buyers[show_id]) for show_id in sorted(buyers)}


def _read(asked: Sequence[Asked]) -> Shelf:
    destinations = [one.request.destination for one in asked]
    return shelf.read(
        [line for one in asked for line in one.request.lines],
        buyers={one.buyer.id for one in asked},
        points={to.point_id for to in destinations if isinstance(to, Pickup)},
        locked=True,
    )


def known_orders(asked: Sequence[Asked]) -> dict[Name, Order]:
    """The orders that these buyers' keys have made already."""
    names = {one.name for one in asked}
    pks = bulk.known(Order, names, "id", buyer_id="bigint", idempotency_key="text")
    found = Order.objects.filter(pk__in=pks) if pks else ()
    return {(order.buyer_id, order.idempotency_key): order for order in found}


def _still(person: User | None) -> User:
    if person is None:
        raise SignInRequired(_("Please sign in first."))
    return person


def _check_same(one: Asked, digest: str) -> None:
    if digest != one.digest:
        raise KeyReused


def decide(one: Asked, buyer: User, goods: Shelf) -> Draft:
    """The order as it will be written, its goods granted; raises why it cannot be."""
    request = one.request
    picks = terms.pick_lines(goods, request.lines, request.show_id)
    for pick in picks:
        for problem in terms.line_problems(goods, pick, buyer.id):
            raise problem
    seller = picks[0].seller
    to = request.destination
    fee = terms.fee_of(goods, picks, to.region if isinstance(to, Courier) else None)
    terms.check_seen(picks, fee, request.total_minor)
    if below := terms.minimum_problem(seller, terms.goods_total(picks)):
        raise below
    if request.payment_method not in (offered := terms.payment_methods(seller)):
        raise PaymentNotOffered([method.value for method in offered])
    draft = Draft(_row(one, buyer, goods, seller, picks, fee), picks, buyer)
    goods.grant(picks, buyer.id)
    return draft


def _row(
    one: Asked, buyer: User, goods: Shelf, seller: Seller, picks: list[Pick], fee: int
) -> dict[str, object]:
    """The order's columns that are not as usual."""
    request = one.request
    is_held = request.payment_method == ONLINE
    return {
        "public_id": new_id(),
        "number": new_order_number(),
        "buyer_id": buyer.id,
        "seller_id": seller.id,
        "show_id": request.show_id,
        "state": HELD if is_held else PLACED,
        "note": request.note,
        "payment_method": str(request.payment_method),
        "delivery_fee_minor": fee,
        "total_minor": terms.goods_total(picks) + fee,
        "currency": seller.currency,
        "idempotency_key": one.key,
        "request_hash": one.digest,
        "placed_at": goods.at,
        "held_until": goods.at + timedelta(minutes=seller.hold_minutes) if is_held else None,
        **_delivery(request, goods, seller),
    }


def _delivery(request: OrderRequest, goods: Shelf, seller: Seller) -> dict[str, object]:
    to = request.destination
    person: dict[str, object] = {"recipient": to.name, "phone": to.phone}
    if isinstance(to, Courier):
        door = {"region": to.region, "address": to.address}
        return {**person, **door, "delivery": COURIER}
    point = goods.point(to.point_id, seller)
    if point is None:
        raise InvalidInput(_("Please choose a pick-up point."), field="delivery.point_id")
    fetched = {"pickup_point_id": point.id, "pickup_code": new_pickup_code()}
    return {**person, **fetched, "delivery": PICKUP}
