"""HTTP: ordering, reading and moving orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictInt

from core.accounts.access import signed_in
from core.api import idempotency_key, may
from core.clock import epoch_ms
from core.pages import cut
from orders import access, reasons, selectors
from orders.models import Order, OrderMove, OrderState, PaymentMethod, PaymentState, SoldLine
from orders.services.fulfil import move_order
from orders.services.place import place_order
from orders.services.quote import Quote, quote

router = Router(tags=["orders"])
PAGE = 20

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Required. The same key and body: the same order."),
]


class Input(Schema):
    model_config = ConfigDict(extra="forbid")


class DeliveryIn(Input):
    """`address` and `region` go with "courier", `point_id` with "pickup"."""

    kind: Literal["courier", "pickup"]
    name: str
    phone: str
    region: str = ""
    address: str = ""
    point_id: UUID | None = None


class LineIn(Input):
    """An offer of the show, or a variant at its own price: one of the two ids."""

    offer_id: UUID | None = None
    variant_id: UUID | None = None
    quantity: StrictInt = Field(description="1 to 999")
    price_minor: StrictInt = Field(description="The price of one, as the buyer saw it.")


class OrderIn(Input):
    show_id: UUID | None = None
    lines: list[LineIn] = Field(description="1 to 20, all of one seller.")
    delivery: DeliveryIn
    total_minor: StrictInt | None = Field(
        None, description="What the buyer saw, with the fee; null only where there is none."
    )
    payment_method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY
    note: str = ""


class QuoteLineIn(Input):
    offer_id: UUID | None = None
    variant_id: UUID | None = None
    quantity: StrictInt
    price_minor: StrictInt | None = None


class QuoteIn(Input):
    show_id: UUID | None = None
    lines: list[QuoteLineIn]
    delivery_kind: Literal["courier", "pickup"] = "courier"
    region: str = ""


class MoveIn(Input):
    to: OrderState


class LineOut(Schema):
    title: str
    quantity: int
    price_minor: int


class OrderOut(Schema):
    """`held_until_ms` (milliseconds since 1970): until then a held order can be paid."""

    id: UUID = Field(alias="public_id")
    number: str
    state: OrderState
    total_minor: int
    delivery_fee_minor: int
    refunded_minor: int
    currency: str
    url: str
    payment_method: PaymentMethod
    held_until_ms: int | None
    delivery: str
    pickup_code: str
    placed_at: datetime
    lines: list[LineOut]

    @staticmethod
    def resolve_lines(order: Order) -> Sequence[SoldLine]:
        return order.placed_lines or list(order.lines.all())

    @staticmethod
    def resolve_url(order: Order) -> str:
        return order.get_absolute_url()

    @staticmethod
    def resolve_held_until_ms(order: Order) -> int | None:
        return epoch_ms(order.held_until) if order.held_until else None


class MoveOut(Schema):
    """`reason` is empty where none was given."""

    state: OrderState
    at: datetime
    reason: str

    @staticmethod
    def resolve_reason(move: OrderMove) -> str:
        return reasons.told(move.reason)


class PaymentOut(Schema):
    id: UUID = Field(alias="public_id")
    provider: str
    state: PaymentState
    amount_minor: int
    currency: str


class OrderInFull(OrderOut):
    """With its way so far, and its payments."""

    moves: list[MoveOut] = Field(alias="way")
    payments: list[PaymentOut]


class OrdersOut(Schema):
    """The newest first; `cursor` leads to older ones and is empty on the last page."""

    orders: list[OrderOut]
    cursor: str


@router.post("/orders", auth=may("write:orders"), response={201: OrderOut}, by_alias=False)
def create_order(request: HttpRequest, body: OrderIn, key: IdempotencyKey = None) -> Status[Order]:
    """Order 1 to 20 lines of one seller; answered once it is committed. 503: ask again."""
    typed = body.model_dump(mode="json")
    order = place_order(buyer=signed_in(request.user), key=idempotency_key(request), **typed)
    return Status(201, order)


@router.post("/orders/quote", response=Quote)
def create_quote(request: HttpRequest, body: QuoteIn) -> Quote:
    """What it would cost, and what stands in the way; also for who has not signed in."""
    return quote(buyer=request.user, **body.model_dump(mode="json"))


@router.get("/orders", auth=may("read:orders"), response=OrdersOut, by_alias=False)
def list_orders(
    request: HttpRequest, cursor: str = "", state: OrderState | None = None
) -> dict[str, object]:
    """The buyer's own, 20 at a time."""
    orders = selectors.orders_of_buyer(signed_in(request.user))
    found = cut(orders.filter(state=state) if state else orders, cursor, PAGE)
    return {"orders": found.rows, "cursor": found.before}


@router.get(
    "/orders/{uuid:order_id}", auth=may("read:orders"), response=OrderInFull, by_alias=False
)
def read_order(request: HttpRequest, order_id: UUID) -> Order:
    return access.order_of(request.user, order_id)


@router.post(
    "/orders/{uuid:order_id}/moves", auth=may("write:orders"), response=OrderOut, by_alias=False
)
def create_move(request: HttpRequest, order_id: UUID, body: MoveIn) -> Order:
    """Packed, sent, delivered or cancelled. Asking again for the same changes nothing."""
    return move_order(order_id, body.to, signed_in(request.user))
