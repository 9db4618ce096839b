"""What the order sheet of a seller begins with: where things can go, and how they are paid."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ninja import Schema
from pydantic import Field

from core.accounts.access import AnyUser, is_signed_in
from core.accounts.models import User
from orders import terms
from orders.models import Address, Order, PaymentMethod
from orders.selectors import bought_in_show
from sellers.models import DeliveryZone, PickupPoint, Seller
from sellers.regions import REGIONS

SAVED_SHOWN = 10


class SavedAddress(Schema):
    """`address` is empty for who only ever picked up."""

    name: str
    phone: str
    region: str
    address: str


class Point(Schema):
    id: UUID = Field(alias="public_id")
    name: str
    address: str
    hours: str


class Region(Schema):
    code: str
    label: str
    is_served: bool


class Checkout(Schema):
    """`regions` is empty where the fee does not depend on them. The last used address is first.

    `bought`: how many of each offer of the show the user has ordered, by the offer's id.
    """

    signed_in: bool
    currency: str
    addresses: list[SavedAddress]
    pickup_points: list[Point]
    regions: list[Region]
    payment_methods: list[PaymentMethod]
    min_order_minor: int
    hold_minutes: int
    bought: dict[str, int]


def checkout(user: AnyUser, seller: Seller, show_id: UUID | None = None) -> dict[str, object]:
    """The fields of a `Checkout`, for this user and seller, in a show if one is named."""
    return {
        "signed_in": is_signed_in(user),
        "currency": seller.currency,
        "addresses": _saved(user) if is_signed_in(user) else [],
        "pickup_points": list(_points(seller)),
        "regions": _regions(list(seller.zones.all())),
        "payment_methods": terms.payment_methods(seller),
        "min_order_minor": seller.min_order_minor,
        "hold_minutes": seller.hold_minutes,
        "bought": bought_in_show(user, show_id) if show_id else {},
    }


def _saved(user: User) -> list[Address]:
    kept = list(Address.objects.filter(user=user)[:SAVED_SHOWN])
    last = None if kept else Order.objects.filter(buyer=user).first()
    return kept if last is None else [Address(name=last.recipient, phone=last.phone)]


def _points(seller: Seller) -> Iterable[PickupPoint]:
    return PickupPoint.objects.filter(seller=seller, is_active=True).order_by("name", "pk")


def _regions(zones: list[DeliveryZone]) -> list[Region]:
    """All of them, once a zone names one: what delivery costs depends on it then."""
    if not any(zone.regions for zone in zones):
        return []
    return [
        Region(code=code, label=str(label), is_served=_serves(zones, code))
        for code, label in REGIONS
    ]


def _serves(zones: list[DeliveryZone], region: str) -> bool:
    naming = next((zone for zone in zones if region in zone.regions), None)
    zone = naming or next((zone for zone in zones if not zone.regions), None)
    return zone is not None and zone.is_served
