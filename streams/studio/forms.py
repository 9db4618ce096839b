"""Forms of the studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import now
from core.money import to_major, to_minor
from sellers.models import Seller, Variant
from sellers.selectors import variants_on_sale
from sellers.services.catalogue import HIGHEST_PRICE_MINOR
from streams.models import Audience, Show

LATE = timedelta(hours=1)
FAR = timedelta(days=366)
DEFAULT_LEAD = timedelta(minutes=30)
LOCAL_TIME = "%Y-%m-%dT%H:%M"
# Invitations do not exist yet: a show that nobody can open helps nobody.
UNPAYABLE = gettext_lazy("Write a price that somebody could pay.")
AUDIENCES = [(one.value, one.label) for one in (Audience.PUBLIC, Audience.UNLISTED)]


@dataclass(frozen=True, slots=True)
class OfferRow:
    """The two fields of one variant."""

    variant: Variant
    available: int
    chosen: forms.BoundField
    price: forms.BoundField


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """A variant to be sold in the show, at this price."""

    variant: Variant
    price_minor: int


class ScheduleForm(forms.Form):
    """A show to come: when, what is sold at which price, and who may watch.

    `starts_at` is typed in the time zone of `time_zone` (an IANA name sent by the browser), or of
    the instance where none was sent.
    """

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=Show._meta.get_field("title").max_length,
        help_text=gettext_lazy(
            "What viewers read first, for example “Apples straight from the tree”."
        ),
    )
    starts_at = forms.DateTimeField(
        label=gettext_lazy("Starts at"),
        input_formats=[LOCAL_TIME, LOCAL_TIME + ":%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME),
        help_text=gettext_lazy("Your own local time. You can go live earlier or later."),
    )
    audience = forms.ChoiceField(label=gettext_lazy("Who may watch?"), choices=AUDIENCES)

    def __init__(self, seller: Seller, data: Mapping[str, Any] | None = None) -> None:
        start = timezone.localtime(now() + DEFAULT_LEAD).replace(second=0, microsecond=0)
        super().__init__(data, initial={"starts_at": start, "audience": Audience.PUBLIC})
        self.seller = seller
        self.variants = list(variants_on_sale(seller))
        for variant in self.variants:
            in_stock = variant.stock.available > 0
            self.fields[_chosen(variant)] = forms.BooleanField(required=False, initial=in_stock)
            self.fields[_price(variant)] = _price_field(variant)

    @property
    def offer_rows(self) -> Iterator[OfferRow]:
        for variant in self.variants:
            available = variant.stock.available
            yield OfferRow(variant, available, self[_chosen(variant)], self[_price(variant)])

    @property
    def offers(self) -> list[OfferChoice]:
        """What was chosen, in the order of the page; only of a valid form."""
        return [
            OfferChoice(variant, to_minor(self._price_of(variant), self.seller.currency))
            for variant in self.variants
            if self.cleaned_data[_chosen(variant)]
        ]

    def clean_starts_at(self) -> datetime:
        typed: datetime = self.cleaned_data["starts_at"]
        start = typed.replace(tzinfo=self._zone())
        if start < now() - LATE:
            raise forms.ValidationError(_("This time is over. Choose one that is still to come."))
        if start > now() + FAR:
            raise forms.ValidationError(_("This is more than a year away. Is the date right?"))
        return start

    def clean(self) -> dict[str, Any]:
        chosen = [one for one in self.variants if self.cleaned_data.get(_chosen(one))]
        if not chosen:
            self.add_error(None, _("Choose at least one thing to sell."))
        for variant in chosen:
            name = _price(variant)
            if name not in self.errors and self.cleaned_data.get(name) is None:
                self.add_error(name, _("Write a price."))
        return self.cleaned_data

    def _price_of(self, variant: Variant) -> Decimal:
        price: Decimal = self.cleaned_data[_price(variant)]
        return price

    def _zone(self) -> tzinfo:
        name = self.data.get("time_zone", "")
        try:
            return ZoneInfo(name) if name else timezone.get_current_timezone()
        # A name of a folder raises as a file would.
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise forms.ValidationError(_("This time zone is not known here.")) from error


def _chosen(variant: Variant) -> str:
    return f"offer-{variant.public_id}"


def _price(variant: Variant) -> str:
    return f"price-{variant.public_id}"


def _price_field(variant: Variant) -> forms.DecimalField:
    currency = variant.product.seller.currency
    smallest = to_major(1, currency)
    return forms.DecimalField(
        required=False,
        initial=to_major(variant.price_minor, currency),
        min_value=smallest,
        max_value=to_major(HIGHEST_PRICE_MINOR, currency),
        error_messages={"min_value": UNPAYABLE, "max_value": UNPAYABLE},
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": str(smallest)}),
    )
