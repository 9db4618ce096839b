"""The form of an offer's terms: for how much, how many, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import iso_ms, now
from core.money import to_major, to_minor
from orders.models import Offer
from orders.services.offers import MOST_OFFERED
from sellers.models import Variant
from sellers.services.catalogue import HIGHEST_PRICE_MINOR

ALWAYS, WINDOW, TAP = "always", "window", "tap"
LOCAL_TIME = "%Y-%m-%dT%H:%M"
FAR = timedelta(days=366)
LASTS = [
    ("", gettext_lazy("until I close it")),
    ("30", gettext_lazy("30 seconds")),
    ("60", gettext_lazy("1 minute")),
    ("120", gettext_lazy("2 minutes")),
    ("300", gettext_lazy("5 minutes")),
    ("600", gettext_lazy("10 minutes")),
    ("1800", gettext_lazy("30 minutes")),
]
_WHOLE = {"inputmode": "numeric"}


class OfferTermsForm(forms.Form):
    """For how much, how many, and when it can be bought. Moments are typed in `time_zone`."""

    price = forms.DecimalField(
        label=gettext_lazy("Show price"),
        min_value=Decimal("0.01"),
        decimal_places=2,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "0.01"}),
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("How many in this show"),
        required=False,
        min_value=1,
        max_value=MOST_OFFERED,
        help_text=gettext_lazy("Empty: all there is"),
        widget=forms.NumberInput(_WHOLE),
    )
    per_buyer = forms.IntegerField(
        label=gettext_lazy("At most for each buyer"),
        required=False,
        min_value=1,
        max_value=MOST_OFFERED,
        help_text=gettext_lazy("Empty: any"),
        widget=forms.NumberInput(_WHOLE),
    )
    when = forms.ChoiceField(
        label=gettext_lazy("When can it be bought?"),
        choices=[
            (ALWAYS, gettext_lazy("Always")),
            (TAP, gettext_lazy("When I tap, for everybody at once")),
            (WINDOW, gettext_lazy("From and until")),
        ],
        widget=forms.RadioSelect,
    )
    lasts_s = forms.TypedChoiceField(
        label=gettext_lazy("It then lasts"),
        choices=LASTS,
        required=False,
        coerce=int,
        empty_value=None,
    )
    opens_at = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        input_formats=[LOCAL_TIME, LOCAL_TIME + ":%S"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=LOCAL_TIME),
    )
    closes_at = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        input_formats=[LOCAL_TIME, LOCAL_TIME + ":%S"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=LOCAL_TIME),
    )

    def __init__(
        self,
        variant: Variant,
        offer: Offer | None,
        data: Mapping[str, Any] | None = None,
        *,
        opens_at: datetime | None = None,
    ) -> None:
        """`opens_at` is what a window of what is not offered yet begins with."""
        self.currency = variant.product.seller.currency
        initial = _told(variant, offer) if offer else _untold(variant, opens_at)
        super().__init__(data, initial=initial, auto_id="terms-%s")
        if data is None:  # what was typed stays as it was typed
            for name in ("opens_at", "closes_at"):
                if moment := self.initial.get(name):
                    self.fields[name].widget.attrs["data-at"] = iso_ms(moment)

    def clean_price(self) -> int:
        """In minor units."""
        price_minor = to_minor(self.cleaned_data["price"], self.currency)
        if price_minor > HIGHEST_PRICE_MINOR:
            raise forms.ValidationError(_("Please write a price that somebody could pay."))
        return price_minor

    def clean_opens_at(self) -> datetime | None:
        return self._moment("opens_at")

    def clean_closes_at(self) -> datetime | None:
        return self._moment("closes_at")

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if typed.get("when") != WINDOW or self.errors:
            return typed
        if not (typed["opens_at"] or typed["closes_at"]):
            self.add_error("opens_at", _("Please write from or until when."))
        elif typed["closes_at"] and typed["closes_at"] <= now():
            self.add_error("closes_at", _("This time is over."))
        elif typed["opens_at"] and typed["closes_at"] and typed["closes_at"] <= typed["opens_at"]:
            self.add_error("closes_at", _("It has to close after it opens."))
        return typed

    def has_more_to_say(self) -> bool:
        """Whether something but the price was typed, or is wrong."""
        said = any(self.data.get(self.add_prefix(name)) for name in ("quantity", "per_buyer"))
        is_always = self.data.get(self.add_prefix("when"), ALWAYS) == ALWAYS
        return said or not is_always or any(name != "price" for name in self.errors)

    def terms(self) -> dict[str, Any]:
        """What `put_on_sale` takes; only of a valid form."""
        typed, when = self.cleaned_data, self.cleaned_data["when"]
        is_window = when == WINDOW
        return {
            "price_minor": typed["price"],
            "quantity": typed["quantity"],
            "per_buyer": typed["per_buyer"],
            "on_tap": when == TAP,
            "lasts_s": typed["lasts_s"] if when == TAP else None,
            "opens_at": typed["opens_at"] if is_window else None,
            "closes_at": typed["closes_at"] if is_window else None,
        }

    def _moment(self, name: str) -> datetime | None:
        typed: datetime | None = self.cleaned_data[name]
        if typed is None:
            return None
        moment = typed.replace(tzinfo=self._zone())
        if abs(moment - now()) > FAR:
            raise forms.ValidationError(_("This is more than a year away. Is the date right?"))
        return moment

    def _zone(self) -> tzinfo:
        name = self.data.get("time_zone", "")
        try:
            return ZoneInfo(name) if name else timezone.get_current_timezone()
        # A name of a folder raises as a file would.
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise forms.ValidationError(_("This time zone is not known here.")) from error


def _untold(variant: Variant, opens_at: datetime | None) -> dict[str, object]:
    """What the form shows of a variant that is not offered yet."""
    currency = variant.product.seller.currency
    price = to_major(variant.price_minor, currency)
    return {"price": price, "when": ALWAYS, "opens_at": opens_at}


def _told(variant: Variant, offer: Offer) -> dict[str, object]:
    """What the form shows of an offer."""
    currency = variant.product.seller.currency
    has_window = bool(offer.opens_at or offer.closes_at) and not offer.on_tap
    return {
        "price": to_major(offer.price_minor, currency),
        "quantity": offer.quantity,
        "per_buyer": offer.per_buyer,
        "when": TAP if offer.on_tap else WINDOW if has_window else ALWAYS,
        "lasts_s": offer.lasts_s or "",
        "opens_at": offer.opens_at if has_window else None,
        "closes_at": offer.closes_at if has_window else None,
    }
