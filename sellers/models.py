"""Who sells and what: sellers, their people, products, variants and stock."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from core.money import Money


class CancelUntil(models.TextChoices):
    PACKED = "packed", _("packed")
    SENT = "sent", _("sent")


class Seller(models.Model):
    """A farm, cooperative or shop. A sandbox seller is for practice: nothing of it is real."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    place = models.CharField(_("place"), max_length=120, blank=True)
    about = models.TextField(_("about"), max_length=2000, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    is_sandbox = models.BooleanField(default=False)
    is_sample = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Made to look around, and removed again as a whole.",
    )
    min_order_minor = models.PositiveBigIntegerField(_("smallest order"), default=0)
    takes_cash = models.BooleanField(_("cash on delivery"), default=True)
    takes_online = models.BooleanField(_("payment online"), default=True)
    hold_minutes = models.PositiveSmallIntegerField(_("time to pay, in minutes"), default=15)
    cancel_until = models.CharField(
        _("buyers may cancel until it is"),
        max_length=10,
        choices=CancelUntil.choices,
        default=CancelUntil.PACKED,
    )
    refund_days = models.PositiveSmallIntegerField(
        _("days to ask for money back"), default=7, help_text=_("0: never")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_sample"],
                condition=models.Q(is_sample=True),
                name="one_sample_seller",
            )
        ]

    def __str__(self) -> str:
        return self.name


class MemberRole(models.TextChoices):
    OWNER = "owner", _("owner")
    HOST = "host", _("host")
    PACKER = "packer", _("packer")


class Member(models.Model):
    """What one person may do for one seller."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=MemberRole.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "user", "role"], name="one_member_per_role")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.seller}"


class Product(models.Model):
    """Something that is sold, in one or more variants."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="products")
    title = models.CharField(_("title"), max_length=120)
    about = models.TextField(_("about"), max_length=4000, blank=True)
    image_key = models.CharField(max_length=200, blank=True, help_text="Key in media storage.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title

    @property
    def image_url(self) -> str | None:
        """Where its picture is served, if it has one; pictures of products are public."""
        return f"/media/{self.image_key}" if self.image_key else None


class Unit(models.TextChoices):
    """What one of a variant is; a jin is half a kilogram."""

    PIECE = "piece", _("piece")
    BOX = "box", _("box")
    BAG = "bag", _("bag")
    BOTTLE = "bottle", _("bottle")
    KG = "kg", _("kg")
    JIN = "jin", _("jin")


class Variant(models.Model):
    """What has a price, a weight and stock: "apples, 5 kg box". Stock counts whole units."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    title = models.CharField(_("title"), max_length=80)
    price_minor = models.PositiveBigIntegerField(_("price"), validators=[MinValueValidator(1)])
    weight_g = models.PositiveIntegerField(_("weight in grams"), default=0)
    unit = models.CharField(_("sold by the"), max_length=10, choices=Unit.choices, default=Unit.BOX)
    low_at = models.PositiveIntegerField(
        _("warn when so many are left"), default=5, help_text=_("0: never")
    )
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.product.title}, {self.title}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.product.seller.currency)

    @property
    def is_low(self) -> bool:
        """Whether so little of it is left that its seller wants to know."""
        return self.low_at > 0 and self.stock.available <= self.low_at


class Stock(models.Model):
    """How much of a variant is there. Written by `sellers.services.stock` alone."""

    variant = models.OneToOneField(
        Variant, on_delete=models.CASCADE, primary_key=True, related_name="stock"
    )
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=0, help_text="Readers keep the highest.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(on_hand__gte=models.F("reserved")),
                name="never_reserve_more_than_on_hand",
            )
        ]

    def __str__(self) -> str:
        return f"{self.available} of {self.variant_id}"

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class MovementKind(models.TextChoices):
    ADJUST = "adjust", _("counted")
    RESERVE = "reserve", _("reserved")
    RELEASE = "release", _("released")
    SHIP = "ship", _("sent")
    RETURN = "return", _("came back")


class StockMovement(models.Model):
    """One change of stock; the sums over a variant always equal its `Stock` row."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="movements")
    kind = models.CharField(max_length=20, choices=MovementKind.choices)
    on_hand_change = models.IntegerField(default=0)
    reserved_change = models.IntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    order_id = models.UUIDField(null=True, help_text="The order's public id, where one is behind.")
    key = models.UUIDField(
        null=True, unique=True, editable=False, help_text="Of the form that made it: once."
    )
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.on_hand_change:+d}/{self.reserved_change:+d}"


class PickupPoint(models.Model):
    """Where buyers can fetch their orders."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="pickup_points")
    name = models.CharField(_("name"), max_length=80)
    address = models.CharField(_("address"), max_length=200)
    hours = models.CharField(_("opening hours"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class DeliveryZone(models.Model):
    """Where a seller delivers to, and for how much, by weight.

    `regions` are codes (`sellers.regions`); none: everywhere that no other zone names. The first
    `base_weight_g` cost `base_fee_minor`, each further `step_weight_g` begun `step_fee_minor`. A
    zone that `is_served` no says "we do not deliver there". A seller without zones delivers
    everywhere for nothing.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="zones")
    name = models.CharField(_("name"), max_length=80)
    regions = models.JSONField(_("regions"), default=list, blank=True)
    is_served = models.BooleanField(_("we deliver there"), default=True)
    base_fee_minor = models.PositiveBigIntegerField(_("fee"), default=0)
    base_weight_g = models.PositiveIntegerField(_("up to grams"), default=1000)
    step_fee_minor = models.PositiveBigIntegerField(_("each further step"), default=0)
    step_weight_g = models.PositiveIntegerField(_("step in grams"), default=1000)
    free_from_minor = models.PositiveBigIntegerField(
        _("free from an order of"), null=True, blank=True
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
