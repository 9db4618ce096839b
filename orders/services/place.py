"""Placing an order: from what a buyer typed to a row, reserved stock and two facts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.ids import parse_id
from core.text import clean_line
from orders.access import require_may_order
from orders.delivery import Courier, Destination, Pickup, clean_destination
from orders.errors import KeyReused, PriceChanged
from orders.events import LineSold, OrderPlaced
from orders.models import (
    Address,
    Delivery,
    Offer,
    Order,
    OrderLine,
    OrderMove,
    OrderState,
    PaymentMethod,
)
from orders.numbers import new_order_number, new_pickup_code
from sellers.models import PickupPoint
from sellers.services import stock

MOST_PER_ORDER = 999
NUMBERS_TRIED = 5


class OrderRequest(msgspec.Struct, frozen=True):
    """What a buyer asked for, cleaned. Equal requests have equal digests."""

    show_id: UUID
    offer_id: UUID
    quantity: int
    price_minor: int
    destination: Destination
    note: str

    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def place_order(
    *,
    buyer: User,
    key: str,
    show_id: UUID | str,
    offer_id: UUID | str,
    quantity: int,
    price_minor: int,
    delivery: Mapping[str, object],
    note: str = "",
) -> Order:
    """Order from an offer, to be paid in cash on delivery; all of it happens or nothing.

    The same buyer, key and request always get the same order back, also when they come at the same
    time; another request under a used key raises `KeyReused`. Raises `InvalidInput` naming the
    field, `NotFound` for an offer that is not in the show, `PriceChanged` if `price_minor` is not
    the offer's price, `SoldOut`, and what a guard raises for who may not order through the show.
    """
    key = _clean_key(key)
    request = _clean_request(show_id, offer_id, quantity, price_minor, delivery, note)
    if (known := _known(buyer, key, request)) is not None:
        return known
    require_may_order(buyer, request.show_id)
    return _place_once(buyer, key, request)


def _clean_key(key: object) -> str:
    return clean_line(key, "key", longest=64)


def _clean_request(
    show_id: UUID | str,
    offer_id: UUID | str,
    quantity: object,
    price_minor: object,
    delivery: object,
    note: object,
) -> OrderRequest:
    return OrderRequest(
        show_id=_clean_id(show_id, "show_id"),
        offer_id=_clean_id(offer_id, "offer_id"),
        quantity=_clean_quantity(quantity),
        price_minor=_clean_whole(price_minor, "price_minor"),
        destination=clean_destination(delivery),
        note=clean_line(note, "note", longest=200, shortest=0),
    )


def _clean_id(value: UUID | str, field: str) -> UUID:
    known = value if isinstance(value, UUID) else parse_id(value)
    if known is None:
        raise InvalidInput(_("Please choose what to order."), field=field)
    return known


def _clean_whole(value: object, field: str) -> int:
    # True is an int in Python, and "2" is not: neither is what a person meant.
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(_("Please write a whole number."), field=field)
    return value


def _clean_quantity(value: object) -> int:
    quantity = _clean_whole(value, "quantity")
    if not 1 <= quantity <= MOST_PER_ORDER:
        message = _("Please order between 1 and %(most)d.") % {"most": MOST_PER_ORDER}
        raise InvalidInput(message, field="quantity")
    return quantity


def _known(buyer: User, key: str, request: OrderRequest) -> Order | None:
    """The order that this key already made, if it did."""
    order = Order.objects.filter(buyer=buyer, idempotency_key=key).first()
    if order is not None and order.request_hash != request.digest():
        raise KeyReused
    return order


def _place_once(buyer: User, key: str, request: OrderRequest) -> Order:
    """Place, and let the unique constraint decide between requests that came together."""
    for number in (new_order_number() for _draw in range(NUMBERS_TRIED)):
        try:
            return _place(buyer, key, request, number)
        except IntegrityError:
            winner = _known(buyer, key, request)
            if winner is not None:
                return winner
            if not Order.objects.filter(number=number).exists():
                raise
    raise RuntimeError(f"no free order number in {NUMBERS_TRIED} draws")


@transaction.atomic
def _place(buyer: User, key: str, request: OrderRequest, number: str) -> Order:
    """The order row comes first, for its key decides repeats; the contended stock row last."""
    offer = _offer_at_price(request)
    order = Order(
        number=number,
        buyer=buyer,
        seller=offer.variant.product.seller,
        show_id=request.show_id,
        payment_method=PaymentMethod.CASH_ON_DELIVERY,
        total_minor=offer.price_minor * request.quantity,
        currency=offer.variant.product.seller.currency,
        idempotency_key=key,
        request_hash=request.digest(),
        note=request.note,
        placed_at=now(),
    )
    _send_to(order, request.destination)
    order.save(force_insert=True)
    line = _add_line(order, offer, request.quantity)
    OrderMove.objects.create(order=order, state=OrderState.PLACED, actor=buyer, at=order.placed_at)
    _remember(buyer, request.destination, order.placed_at)
    outbox.publish(_placed(order, line))
    stock.reserve(offer.variant.public_id, request.quantity, order_id=order.public_id, actor=buyer)
    return order


def _offer_at_price(request: OrderRequest) -> Offer:
    offer = (
        Offer.objects.select_related("variant__product__seller")
        .filter(public_id=request.offer_id, show_id=request.show_id, variant__is_active=True)
        .first()
    )
    if offer is None:
        raise NotFound(_("This is not on sale here."), field="offer_id")
    if offer.price_minor != request.price_minor:
        raise PriceChanged(offer.price_minor, offer.variant.product.seller.currency)
    return offer


def _send_to(order: Order, destination: Destination) -> None:
    order.recipient, order.phone = destination.name, destination.phone
    match destination:
        case Courier(address=address):
            order.delivery, order.address = Delivery.COURIER, address
        case Pickup(point_id=point_id):
            order.delivery = Delivery.PICKUP
            order.pickup_point = _pickup_point(order, point_id)
            order.pickup_code = new_pickup_code()


def _pickup_point(order: Order, point_id: UUID) -> PickupPoint:
    point = PickupPoint.objects.filter(
        public_id=point_id, seller=order.seller, is_active=True
    ).first()
    if point is None:
        raise InvalidInput(_("Please choose a pick-up point."), field="delivery.point_id")
    return point


def _add_line(order: Order, offer: Offer, quantity: int) -> OrderLine:
    return OrderLine.objects.create(
        order=order,
        variant=offer.variant,
        title=str(offer.variant),
        quantity=quantity,
        price_minor=offer.price_minor,
    )


def _remember(buyer: User, destination: Destination, at: datetime) -> None:
    """Keep the address for the buyer's next order."""
    if isinstance(destination, Courier):
        Address.objects.update_or_create(
            user=buyer,
            name=destination.name,
            phone=destination.phone,
            address=destination.address,
            defaults={"used_at": at},
        )


def _placed(order: Order, line: OrderLine) -> OrderPlaced:
    return OrderPlaced(
        order_id=order.public_id,
        order_number=order.number,
        seller_id=order.seller.public_id,
        show_id=order.show_id,
        buyer_name=order.buyer.masked_name,
        lines=[
            LineSold(variant_id=line.variant.public_id, title=line.title, quantity=line.quantity)
        ],
        total_minor=order.total_minor,
        currency=order.currency,
        at=order.placed_at,
    )
