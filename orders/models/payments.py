"""Money: payments, what is paid back, what providers told, and what buyers ask back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.ids import new_id
from core.money import Money
from orders.models.orders import Order


class PaymentState(models.TextChoices):
    OPEN = "open", _("waiting for the payment")
    PAID = "paid", _("paid")
    FAILED = "failed", _("not paid")


class Payment(models.Model):
    """One try to have an order paid. `reference` is the provider's name for it.

    At most one payment of an order is open and at most one is its charge: a payment that arrives
    beside another, or after the order's hold has gone, is `is_surplus` and paid back by itself.
    """

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20, help_text='"cash", "stripe", …')
    reference = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - unique, so absent is NULL
    charge = models.CharField(max_length=255, blank=True, help_text="What a refund names.")
    state = models.CharField(max_length=10, choices=PaymentState.choices, default=PaymentState.OPEN)
    is_surplus = models.BooleanField(default=False)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    show_as = models.JSONField(
        default=dict, help_text='Where the buyer goes on: {"redirect": url} or {"qr": text}.'
    )
    expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="When the provider was asked last.")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "reference"], name="each_provider_reference_once"
            ),
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="open"), name="one_open_payment"
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(state="paid", is_surplus=False),
                name="one_charge_per_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.state} {self.order}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class RefundState(models.TextChoices):
    DUE = "due", _("on its way")
    DONE = "done", _("paid back")
    FAILED = "failed", _("could not be paid back")


class Refund(models.Model):
    """Money on its way back to a buyer. `key` makes a repeated request the same refund."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=RefundState.choices, default=RefundState.DUE)
    reference = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(help_text="When the provider is asked, or asked again.")
    last_error = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "key"], name="one_refund_per_key"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gte=1), name="refund_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.state} {self.payment}"


class NoticeOutcome(models.TextChoices):
    APPLIED = "applied", _("applied")
    NOTHING = "nothing", _("nothing to do")
    FLAGGED = "flagged", _("to be looked at")


class PaymentNotice(models.Model):
    """What a provider told by webhook, once each; kept also when it was not applied.

    `data` is what the product reads of it and nothing else: never a card, a name or an address.
    """

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=80)
    data = models.JSONField()
    outcome = models.CharField(max_length=10, choices=NoticeOutcome.choices)
    note = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, help_text="When an operator saw what was flagged.")
    looked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="each_notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.outcome}"


class ClaimState(models.TextChoices):
    OPEN = "open", _("waiting for the seller")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")


class RefundClaim(models.Model):
    """A buyer asks for money back, with photos; the seller answers."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="claims")
    text = models.TextField(max_length=1000)
    amount_minor = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=ClaimState.choices, default=ClaimState.OPEN)
    answer = models.TextField(max_length=1000, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="open"), name="one_open_claim"
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.order}"


class ClaimPhoto(models.Model):
    """A photo with a claim; `key` in media storage, under a private folder."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    claim = models.ForeignKey(RefundClaim, on_delete=models.CASCADE, related_name="photos")
    key = models.CharField(max_length=200)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.key
