"""Orders, their lines, and how they travel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol
from uuid import UUID

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from core.money import Money
from orders.models.offers import Offer
from sellers.models import PickupPoint, Seller, Variant

NOBODYS = UUID(int=0)


@cache
def _address() -> str:
    """Of any order, with `{}` for its id: to look a route up is a tenth of placing an order."""
    return reverse("order", args=[NOBODYS]).replace(str(NOBODYS), "{}")


class OrderState(models.TextChoices):
    """`held`: set aside until the buyer has paid. `placed`: to be paid on delivery."""

    HELD = "held", _("waiting for payment")
    PLACED = "placed", _("placed")
    PAID = "paid", _("paid")
    PACKED = "packed", _("packed")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    REFUNDED = "refunded", _("paid back")


ALLOWED_MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.HELD: frozenset(
        {OrderState.PLACED, OrderState.PAID, OrderState.CANCELLED, OrderState.EXPIRED}
    ),
    OrderState.PLACED: frozenset({OrderState.PAID, OrderState.PACKED, OrderState.CANCELLED}),
    OrderState.PAID: frozenset({OrderState.PACKED, OrderState.CANCELLED}),
    OrderState.PACKED: frozenset({OrderState.SENT, OrderState.CANCELLED}),
    OrderState.SENT: frozenset({OrderState.DELIVERED, OrderState.REFUNDED}),
    OrderState.DELIVERED: frozenset({OrderState.REFUNDED}),
    OrderState.CANCELLED: frozenset(),
    OrderState.EXPIRED: frozenset(),
    OrderState.REFUNDED: frozenset(),
}

GONE = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})
"""Orders that no longer count: their goods were given back before they left the house."""


class Delivery(models.TextChoices):
    COURIER = "courier", _("courier")
    PICKUP = "pickup", _("pick-up point")


class PaymentMethod(models.TextChoices):
    CASH_ON_DELIVERY = "cash_on_delivery", _("cash on delivery")
    ONLINE = "online", _("online")


class Address(models.Model):
    """Where a buyer had an order sent, kept for the next one."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    # Found by the index of `each_address_once`.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="addresses", db_index=False
    )
    name = models.CharField(_("recipient"), max_length=60)
    phone = models.CharField(_("phone"), max_length=20)
    region = models.CharField(_("region"), max_length=10, blank=True)
    address = models.CharField(_("address"), max_length=200)
    used_at = models.DateTimeField()

    class Meta:
        ordering = ["-used_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name", "phone", "region", "address"], name="each_address_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.address}"


class SoldLine(Protocol):
    """What an order has sold of one thing."""

    @property
    def title(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def price_minor(self) -> int: ...


class Order(models.Model):
    """One buyer's order from one seller. Prices and address are as they were when it was placed."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=16, help_text="What people say on the phone.")
    # Found by the index of `one_order_per_intent`.
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders", db_index=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="orders")
    show_id = models.UUIDField(null=True, db_index=True)
    state = models.CharField(max_length=20, choices=OrderState.choices, default=OrderState.PLACED)
    delivery = models.CharField(max_length=20, choices=Delivery.choices)
    recipient = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    region = models.CharField(max_length=10, blank=True)
    address = models.CharField(max_length=200, blank=True)
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, null=True)
    pickup_code = models.CharField(max_length=8, blank=True)
    note = models.CharField(max_length=200, blank=True)
    payment_method = models.CharField(max_length=30, choices=PaymentMethod.choices)
    delivery_fee_minor = models.PositiveBigIntegerField(default=0)
    total_minor = models.PositiveBigIntegerField(help_text="Lines and delivery fee.")
    refunded_minor = models.PositiveBigIntegerField(
        default=0, help_text="Paid back or on its way back. Written by `orders.services` alone."
    )
    currency = models.CharField(max_length=3)
    idempotency_key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    placed_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True, help_text="When a hold ends; None: it does not.")
    carrier = models.CharField(max_length=40, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)

    placed_lines: Sequence[SoldLine] | None = None
    """Set on an instance that was placed a moment ago: its lines, without asking for them."""

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            # Not `unique=True`, for which PostgreSQL gets a second index, for LIKE.
            models.UniqueConstraint(fields=["number"], name="one_order_per_number"),
            models.UniqueConstraint(
                fields=["buyer", "idempotency_key"], name="one_order_per_intent"
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__lte=models.F("total_minor")),
                name="never_refund_more_than_total",
            ),
        ]
        indexes = [
            models.Index(
                fields=["held_until"],
                condition=models.Q(state="held"),
                name="holds_by_end",
            )
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return _address().format(self.public_id)

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def way(self) -> list[OrderMove]:
        """All moves so far, beginning with its being placed, of which there is no row: the order
        itself says who placed it, when, and how it was to be paid.
        """
        is_held = self.payment_method == PaymentMethod.ONLINE
        began = OrderState.HELD if is_held else OrderState.PLACED
        first = OrderMove(order=self, state=began, actor=self.buyer, at=self.placed_at)
        return [first, *self.moves.select_related("actor")]


class OrderLine(models.Model):
    """A quantity of one variant, with its title and price as they were seen."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    offer = models.ForeignKey(
        Offer, on_delete=models.SET_NULL, null=True, related_name="lines", help_text="In a show."
    )
    title = models.CharField(max_length=220)
    quantity = models.PositiveIntegerField()
    price_minor = models.PositiveBigIntegerField()
    returned = models.PositiveIntegerField(default=0, help_text="Pieces back in stock.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="at_least_one"),
            models.CheckConstraint(
                condition=models.Q(returned__lte=models.F("quantity")),
                name="never_return_more_than_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.order.currency)


class OrderMove(models.Model):
    """Who moved an order to which state, when and why; no actor: the product did, by itself.

    `Order.way` has what went before.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=20, choices=OrderState.choices)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.order} {self.state}"
