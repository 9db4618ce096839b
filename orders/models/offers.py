"""What a show sells, and on which terms."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.money import Money
from sellers.models import Variant


class Offer(models.Model):
    """A variant on sale in a show, at the show's price. `show_id` is opaque here.

    It can be ordered between `opens_at` and `closes_at`, where those are set. A flash drop
    (`on_tap`) waits until the host taps; then it opens for everybody at the same moment, for
    `lasts_s` seconds if that is set.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    show_id = models.UUIDField(db_index=True)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="offers")
    price_minor = models.PositiveBigIntegerField(_("show price"))
    quantity = models.PositiveIntegerField(
        _("how many in this show"), null=True, blank=True, help_text="None: all there is in stock."
    )
    sold = models.PositiveIntegerField(
        default=0, help_text="Pieces in orders that hold. Written by `orders.services` alone."
    )
    per_buyer = models.PositiveIntegerField(_("at most per buyer"), null=True, blank=True)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    on_tap = models.BooleanField(_("opens when the host taps"), default=False)
    lasts_s = models.PositiveIntegerField(_("lasts, in seconds"), null=True, blank=True)
    version = models.PositiveIntegerField(default=0, help_text="Readers keep the highest.")
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["show_id", "variant"], name="one_offer_per_variant"),
            models.CheckConstraint(
                condition=models.Q(quantity=None) | models.Q(sold__lte=models.F("quantity")),
                name="never_sell_more_than_offered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.show_id}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.variant.product.seller.currency)
