"""Forms with which money goes back: the answer to a claim, and paying back without one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import to_major, to_minor
from orders.models import ClaimState, Order, OrderLine, OrderState
from orders.services.refunds import can_pay_back

LONGEST_ANSWER = 1000
SHIPPED = frozenset({OrderState.SENT, OrderState.DELIVERED, OrderState.REFUNDED})


class MoneyBackForm(forms.Form):
    """An amount of the order's money, at most what is left of it, and which goods are back."""

    amount = forms.DecimalField(
        label=_("How much"),
        required=False,
        decimal_places=2,
        max_digits=12,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "0.01", "min": 0}),
    )

    def __init__(self, order: Order, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"{type(self).__name__}-%s")
        self.order = order
        self.left_minor = can_pay_back(order)
        self.lines = _returnable(order)
        for line in self.lines:
            self.fields[_back(line)] = forms.IntegerField(
                label=line.title,
                required=False,
                min_value=0,
                max_value=line.quantity - line.returned,
                widget=forms.NumberInput({"inputmode": "numeric", "placeholder": "0"}),
            )

    def clean_amount(self) -> int:
        """The amount in minor units; 0 for none."""
        amount_minor = to_minor(self.cleaned_data["amount"] or Decimal(0), self.order.currency)
        if not 0 <= amount_minor <= self.left_minor:
            raise forms.ValidationError(_("Not more than what is left of the order's money."))
        return amount_minor

    @property
    def back_fields(self) -> list[forms.BoundField]:
        """One field a line: how many pieces can be sold again."""
        return [self[_back(line)] for line in self.lines]

    @property
    def returned(self) -> dict[int, int]:
        """Pieces that are back by the line's primary key; only of a valid form."""
        typed = {line.pk: self.cleaned_data.get(_back(line)) or 0 for line in self.lines}
        return {line: count for line, count in typed.items() if count}


class ClaimAnswerForm(MoneyBackForm):
    """Yes, with an amount, or no; either with words that the buyer reads."""

    accept = forms.TypedChoiceField(
        label=_("Your answer"),
        choices=[("yes", _("Pay back")), ("no", _("Decline"))],
        coerce=lambda value: value == "yes",
        initial="yes",
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("What the buyer reads"),
        max_length=LONGEST_ANSWER,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, order: Order, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(order, data)
        claim = order.claims.filter(state=ClaimState.OPEN).first()
        if claim is not None:
            asked = min(claim.amount_minor, self.left_minor)
            self.initial["amount"] = to_major(asked, order.currency)

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if typed.get("accept") and "amount" in typed and not typed["amount"]:
            self.add_error("amount", _("Please write how much you pay back."))
        if typed.get("accept") is False and not typed.get("answer", "").strip():
            self.add_error("answer", _("Please tell the buyer why not."))
        return typed


class PayBackForm(MoneyBackForm):
    """Some of the money, why, and what of the goods is back in the house."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("The buyer reads this. For example: two apples were bruised"),
    )

    def clean_amount(self) -> int:
        amount_minor = super().clean_amount()
        if not amount_minor:
            raise forms.ValidationError(_("Please write how much you pay back."))
        return amount_minor


def _returnable(order: Order) -> list[OrderLine]:
    """The lines of which something can still come back: nothing before it was sent."""
    if order.state not in SHIPPED:
        return []
    return [line for line in order.lines.order_by("pk") if line.returned < line.quantity]


def _back(line: OrderLine) -> str:
    return f"back-{line.pk}"
