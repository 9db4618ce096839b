"""Forms of delivery: zones, terms, pick-up points. Money in whole units, weights in kilograms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import to_major, to_minor
from sellers.models import CancelUntil, DeliveryZone, PickupPoint, Seller
from sellers.regions import REGIONS
from sellers.services.catalogue import HEAVIEST_G, HIGHEST_PRICE_MINOR
from sellers.services.terms import HOLD_MINUTES, REFUND_DAYS, Terms
from sellers.services.zones import ZoneTerms

_DECIMAL = {"inputmode": "decimal"}
_WHOLE = {"inputmode": "numeric"}
KILOGRAM = Decimal(1000)


def _amount(label: Any, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_value=Decimal(HIGHEST_PRICE_MINOR) / 100,
        decimal_places=2,
        widget=forms.NumberInput({**_DECIMAL, "step": "0.01"}),
        **more,
    )


def _weight(label: Any, least: str, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(least),
        max_value=HEAVIEST_G / KILOGRAM,
        decimal_places=3,
        widget=forms.NumberInput({**_DECIMAL, "step": "any"}),
        **more,
    )


class ZoneForm(forms.Form):
    """Where, whether at all, and for how much."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("For you. For example: neighbouring provinces")
    )
    is_served = forms.TypedChoiceField(
        label=_("Do you deliver there?"),
        choices=[("yes", _("Yes")), ("no", _("No, we do not deliver there"))],
        coerce=lambda value: value == "yes",
        initial="yes",
        widget=forms.RadioSelect,
    )
    regions = forms.MultipleChoiceField(
        label=_("Regions"),
        choices=REGIONS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    base_fee = _amount(_("Fee for a parcel"), required=False)
    base_weight = _weight(_("up to, in kg"), "0", required=False, initial=1)
    step_fee = _amount(_("Each further step"), required=False)
    step_weight = _weight(_("of, in kg"), "0.001", required=False, initial=1)
    free_from = _amount(
        _("Free from an order of"), required=False, help_text=_("Empty: never free")
    )

    def clean(self) -> dict[str, Any]:
        """An empty fee is one forgotten: who means to bring it for nothing says so."""
        typed = self.cleaned_data
        if typed.get("is_served") and "base_fee" in typed and typed["base_fee"] is None:
            self.add_error("base_fee", _("Write 0 if delivery is free."))
        return typed

    def terms(self, currency: str) -> ZoneTerms:
        """What was typed; only of a valid form. What does not count is as if left empty."""
        typed = self.cleaned_data
        if not typed["is_served"]:
            return ZoneTerms(typed["name"], tuple(typed["regions"]), is_served=False)
        free_from = typed["free_from"]
        return ZoneTerms(
            name=typed["name"],
            regions=tuple(typed["regions"]),
            base_fee_minor=to_minor(typed["base_fee"], currency),
            base_weight_g=grams(typed["base_weight"], 1000),
            step_fee_minor=to_minor(typed["step_fee"] or Decimal(0), currency),
            step_weight_g=grams(typed["step_weight"], 1000),
            free_from_minor=None if free_from is None else to_minor(free_from, currency),
        )


class TermsForm(forms.Form):
    """On which terms the seller sells."""

    min_order = _amount(_("Smallest order"), help_text=_("Goods without delivery. 0: any"))
    takes_cash = forms.BooleanField(label=_("Cash on delivery"), required=False)
    takes_online = forms.BooleanField(label=_("Payment online"), required=False)
    hold_minutes = forms.IntegerField(
        label=_("Minutes to pay online"),
        min_value=HOLD_MINUTES[0],
        max_value=HOLD_MINUTES[1],
        help_text=_(
            "So long the goods are set aside for the buyer. A payment that was started keeps them "
            "up to about 33 minutes."
        ),
        widget=forms.NumberInput(_WHOLE),
    )
    cancel_until = forms.ChoiceField(
        label=_("Buyers may cancel until it is"), choices=CancelUntil.choices
    )
    refund_days = forms.IntegerField(
        label=_("Days to ask for money back"),
        min_value=REFUND_DAYS[0],
        max_value=REFUND_DAYS[1],
        help_text=_("After it was delivered. 0: never"),
        widget=forms.NumberInput(_WHOLE),
    )

    def terms(self, currency: str) -> Terms:
        """What was typed; only of a valid form."""
        typed = dict(self.cleaned_data)
        return Terms(min_order_minor=to_minor(typed.pop("min_order"), currency), **typed)


class PointForm(forms.Form):
    """A pick-up point."""

    name = forms.CharField(label=_("Name"), max_length=80)
    address = forms.CharField(label=_("Address"), max_length=200)
    hours = forms.CharField(
        label=_("Opening hours"),
        max_length=120,
        required=False,
        help_text=_("For example: every day 8:00-18:00"),
    )


class FeeForm(forms.Form):
    """The calculator: what would bringing so much to that place cost?"""

    kg = _weight(_("Weight in kg"), "0", initial=5)
    region = forms.ChoiceField(label=_("To"), choices=REGIONS)
    goods = _amount(_("Goods for"), required=False)


def grams(kilograms: Decimal | None, default: int) -> int:
    return default if kilograms is None else int(kilograms * KILOGRAM)


def told_zone(zone: DeliveryZone) -> dict[str, object]:
    """What a `ZoneForm` shows of a zone that exists."""
    currency = zone.seller.currency
    free_from = zone.free_from_minor
    return {
        "name": zone.name,
        "is_served": "yes" if zone.is_served else "no",
        "regions": zone.regions,
        "base_fee": to_major(zone.base_fee_minor, currency),
        "base_weight": zone.base_weight_g / KILOGRAM,
        "step_fee": to_major(zone.step_fee_minor, currency),
        "step_weight": zone.step_weight_g / KILOGRAM,
        "free_from": None if free_from is None else to_major(free_from, currency),
    }


def told_terms(seller: Seller) -> dict[str, object]:
    """What a `TermsForm` shows of a seller."""
    names = ("takes_cash", "takes_online", "hold_minutes", "cancel_until", "refund_days")
    return {name: getattr(seller, name) for name in names} | {
        "min_order": to_major(seller.min_order_minor, seller.currency)
    }


def told_point(point: PickupPoint) -> dict[str, object]:
    return {"name": point.name, "address": point.address, "hours": point.hours}
