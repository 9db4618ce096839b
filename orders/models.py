"""What is bought: offers in a show, orders and how they travel."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from core.money import Money
from sellers.models import PickupPoint, Seller, Variant


class Offer(models.Model):
    """A variant on sale in a show, at the show's price. `show_id` is opaque here."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    show_id = models.UUIDField(db_index=True)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="offers")
    price_minor = models.PositiveBigIntegerField(_("show price"))
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["show_id", "variant"], name="one_offer_per_variant")
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.show_id}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.variant.product.seller.currency)


class OrderState(models.TextChoices):
    PLACED = "placed", _("placed")
    PACKED = "packed", _("packed")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    CANCELLED = "cancelled", _("cancelled")


ALLOWED_MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.PACKED, OrderState.CANCELLED}),
    OrderState.PACKED: frozenset({OrderState.SENT, OrderState.CANCELLED}),
    OrderState.SENT: frozenset({OrderState.DELIVERED}),
    OrderState.DELIVERED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}


class Delivery(models.TextChoices):
    COURIER = "courier", _("courier")
    PICKUP = "pickup", _("pick-up point")


class PaymentMethod(models.TextChoices):
    CASH_ON_DELIVERY = "cash_on_delivery", _("cash on delivery")


class Address(models.Model):
    """Where a buyer had an order sent, kept for the next one."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField(_("recipient"), max_length=60)
    phone = models.CharField(_("phone"), max_length=20)
    address = models.CharField(_("address"), max_length=200)
    used_at = models.DateTimeField()

    class Meta:
        ordering = ["-used_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name", "phone", "address"], name="each_address_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.address}"


class Order(models.Model):
    """One buyer's order from one seller. Prices and address are as they were when it was placed."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=16, unique=True, help_text="What people say on the phone.")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="orders")
    show_id = models.UUIDField(null=True, db_index=True)
    state = models.CharField(
        max_length=20, choices=OrderState.choices, default=OrderState.PLACED, db_index=True
    )
    delivery = models.CharField(max_length=20, choices=Delivery.choices)
    recipient = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=200, blank=True)
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, null=True)
    pickup_code = models.CharField(max_length=8, blank=True)
    note = models.CharField(max_length=200, blank=True)
    payment_method = models.CharField(max_length=30, choices=PaymentMethod.choices)
    total_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    idempotency_key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    placed_at = models.DateTimeField()

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["buyer", "idempotency_key"], name="one_order_per_intent"
            )
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.public_id])

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)


class OrderLine(models.Model):
    """A quantity of one variant, with its title and price as they were seen."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=220)
    quantity = models.PositiveIntegerField()
    price_minor = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="at_least_one")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.order.currency)


class OrderMove(models.Model):
    """Who moved an order to which state, and when."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=20, choices=OrderState.choices)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.order} {self.state}"
