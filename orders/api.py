"""HTTP: ordering, moving orders, and what a buyer need not type again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictInt

from core.accounts.access import is_signed_in, signed_in
from core.api import idempotency_key, session_user
from orders import access, selectors
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order

router = Router(tags=["orders"])

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Required. The same key and body: the same order."),
]


class Input(Schema):
    model_config = ConfigDict(extra="forbid")


class DeliveryIn(Input):
    """`address` goes with "courier", `point_id` with "pickup"."""

    kind: Literal["courier", "pickup"]
    name: str
    phone: str
    address: str = ""
    point_id: UUID | None = None


class OrderIn(Input):
    show_id: UUID
    offer_id: UUID
    quantity: StrictInt = Field(description="1 to 999")
    price_minor: StrictInt = Field(description="The price of one, as the buyer saw it.")
    delivery: DeliveryIn
    note: str = ""


class MoveIn(Input):
    to: OrderState


class LineOut(Schema):
    title: str
    quantity: int
    price_minor: int


class OrderOut(Schema):
    id: UUID = Field(alias="public_id")
    number: str
    state: OrderState
    total_minor: int
    currency: str
    url: str
    delivery: str
    pickup_code: str
    placed_at: datetime
    lines: list[LineOut]

    @staticmethod
    def resolve_url(order: Order) -> str:
        return order.get_absolute_url()


class PickupPointOut(Schema):
    id: UUID = Field(alias="public_id")
    name: str
    address: str
    hours: str


class AddressOut(Schema):
    name: str
    phone: str
    address: str


class CheckoutOut(Schema):
    signed_in: bool
    address: AddressOut | None
    pickup_points: list[PickupPointOut]


@router.post("/orders", auth=session_user, response={201: OrderOut}, by_alias=False)
def create_order(request: HttpRequest, body: OrderIn, key: IdempotencyKey = None) -> Status[Order]:
    """Order from an offer; paid in cash on delivery."""
    order = place_order(
        buyer=signed_in(request.user),
        key=idempotency_key(request),
        delivery=body.delivery.model_dump(mode="json"),
        **body.model_dump(exclude={"delivery"}),
    )
    return Status(201, order)


@router.get("/orders/{uuid:order_id}", auth=session_user, response=OrderOut, by_alias=False)
def read_order(request: HttpRequest, order_id: UUID) -> Order:
    return access.order_of(request.user, order_id)


@router.post("/orders/{uuid:order_id}/moves", auth=session_user, response=OrderOut, by_alias=False)
def create_move(request: HttpRequest, order_id: UUID, body: MoveIn) -> Order:
    """Packed, sent, delivered or cancelled. Asking again for the same changes nothing."""
    return move_order(order_id, body.to, signed_in(request.user))


@router.get("/me/checkout", response=CheckoutOut, by_alias=False)
def read_checkout(request: HttpRequest, show_id: UUID) -> dict[str, object]:
    """What the order form of a show begins with; also for who has not signed in yet."""
    user = request.user
    return {
        "signed_in": is_signed_in(user),
        "address": selectors.saved_address(user) if is_signed_in(user) else None,
        "pickup_points": list(selectors.pickup_points(show_id)),
    }
