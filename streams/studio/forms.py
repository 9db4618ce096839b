"""Forms of the studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import now
from core.money import to_major
from sellers.models import Seller, Variant
from sellers.selectors import variants_on_sale
from sellers.services.catalogue import HIGHEST_PRICE_MINOR
from streams.models import Audience, Show
from streams.studio.offer_forms import ALWAYS, OfferTermsForm

LATE = timedelta(hours=1)
FAR = timedelta(days=366)
DEFAULT_LEAD = timedelta(minutes=30)
LOCAL_TIME = "%Y-%m-%dT%H:%M"
# Invitations do not exist yet: a show that nobody can open helps nobody.
UNPAYABLE = gettext_lazy("Write a price that somebody could pay.")
AUDIENCES = [(one.value, one.label) for one in (Audience.PUBLIC, Audience.UNLISTED)]


@dataclass(frozen=True, slots=True)
class OfferRow:
    """The fields of one variant. `is_open`: there is more to see than its price."""

    variant: Variant
    available: int
    chosen: forms.BoundField
    terms: OfferTermsForm
    is_open: bool


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """A variant to be sold in the show, on these terms."""

    variant: Variant
    terms: dict[str, Any]


class PlannedTermsForm(OfferTermsForm):
    """The terms of one of several variants, in the form of a show to come."""

    def __init__(self, variant: Variant, start: datetime, data: Mapping[str, Any] | None) -> None:
        self.variant = variant
        super().__init__(variant, None, data, opens_at=start)
        self.fields["price"] = _price_field(variant)
        self.fields["when"].required = False

    def add_prefix(self, field_name: str) -> str:
        return f"{field_name}-{self.variant.public_id}"

    def clean_when(self) -> str:
        return self.cleaned_data["when"] or ALWAYS


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
        self.terms = {one.pk: PlannedTermsForm(one, start, data) for one in self.variants}

    @property
    def offer_rows(self) -> Iterator[OfferRow]:
        for variant in self.variants:
            terms = self.terms[variant.pk]
            chosen = self[_chosen(variant)]
            is_open = self.is_bound and bool(chosen.data) and terms.has_more_to_say()
            yield OfferRow(variant, variant.stock.available, chosen, terms, is_open)

    @property
    def offers(self) -> list[OfferChoice]:
        """What was chosen, in the order of the page; only of a valid form."""
        return [OfferChoice(one, self.terms[one.pk].terms()) for one in self._chosen()]

    def is_valid(self) -> bool:
        """Also what is sold: terms of what was not chosen are not looked at."""
        is_valid = super().is_valid()
        wrong = [one for one in self._chosen() if not self.terms[one.pk].is_valid()]
        return is_valid and not wrong

    def clean_starts_at(self) -> datetime:
        typed: datetime = self.cleaned_data["starts_at"]
        start = typed.replace(tzinfo=self._zone())
        if start < now() - LATE:
            raise forms.ValidationError(_("This time is over. Choose one that is still to come."))
        if start > now() + FAR:
            raise forms.ValidationError(_("This is more than a year away. Is the date right?"))
        return start

    def clean(self) -> dict[str, Any]:
        if not self._chosen():
            self.add_error(None, _("Choose at least one thing to sell."))
        return self.cleaned_data

    def _chosen(self) -> list[Variant]:
        return [one for one in self.variants if self.cleaned_data.get(_chosen(one))]

    def _zone(self) -> tzinfo:
        name = self.data.get("time_zone", "")
        try:
            return ZoneInfo(name) if name else timezone.get_current_timezone()
        # A name of a folder raises as a file would.
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise forms.ValidationError(_("This time zone is not known here.")) from error


def _chosen(variant: Variant) -> str:
    return f"offer-{variant.public_id}"


def _price_field(variant: Variant) -> forms.DecimalField:
    currency = variant.product.seller.currency
    smallest = to_major(1, currency)
    return forms.DecimalField(
        initial=to_major(variant.price_minor, currency),
        min_value=smallest,
        max_value=to_major(HIGHEST_PRICE_MINOR, currency),
        error_messages={
            "required": gettext_lazy("Write a price."),
            "min_value": UNPAYABLE,
            "max_value": UNPAYABLE,
        },
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": str(smallest)}),
    )
