"""What the first-run page asks, and what of it can be changed later."""

from __future__ import annotations

import zoneinfo
from typing import Any

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies
from django import forms
from django.conf import settings
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput
from core.text import clean_line
from livecommerce.config import CURRENCIES
from livecommerce.first_run.services import Values
from sellers.regions import REGIONS

LINES = {"name": 60, "seller_name": 80, "seller_place": 120}
OFTEN = ("CNY", "EUR", "USD")
# What the tz database has besides its areas are names of former days, "W-SU", and "localtime".
AREAS = {"Africa", "America", "Antarctica", "Arctic", "Asia"}
AREAS |= {"Atlantic", "Australia", "Europe", "Indian", "Pacific"}


class SiteForm(forms.Form):
    """What is set for the whole site; its names are `kept.NAMES`."""

    name = forms.CharField(label=_("Name of this site"))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    currency = forms.ChoiceField(label=_("Currency"))
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["currency"].choices = _currencies()  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(zone, zone) for zone in _zones()]  # type: ignore[attr-defined]
        for name in LINES.keys() & self.fields.keys():
            self.fields[name].widget.attrs["maxlength"] = LINES[name]

    def clean(self) -> dict[str, Any]:
        for name, longest in LINES.items():
            if name in self.cleaned_data:
                self._clean_line(name, longest)
        return self.cleaned_data

    def _clean_line(self, name: str, longest: int) -> None:
        shortest = int(self.fields[name].required)
        try:
            text = clean_line(self.cleaned_data[name], name, longest=longest, shortest=shortest)
        except InvalidInput as error:
            self.add_error(name, str(error))
        else:
            self.cleaned_data[name] = text


class FirstRunForm(SiteForm):
    """Its names are those of `Values`."""

    username = forms.CharField(label=_("Your user name"), max_length=150)
    password = forms.CharField(
        label=_("Your password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    seller_name = forms.CharField(label=_("Name of the first farm or shop"))
    seller_place = forms.CharField(label=_("Its place"), required=False)
    regions = forms.MultipleChoiceField(
        label=_("Delivers to"), choices=REGIONS, widget=forms.CheckboxSelectMultiple
    )
    fee = forms.DecimalField(
        label=_("Delivery fee for each kilogram begun"),
        min_value=0,
        max_value=10_000,
        decimal_places=2,
        initial=0,
    )
    with_sample = forms.BooleanField(
        label=_("Add sample data to look around in; it can be removed in one go"), required=False
    )

    def values(self) -> Values:
        return Values(**{**self.cleaned_data, "regions": tuple(self.cleaned_data["regions"])})


def _currencies() -> list[tuple[str, str]]:
    """Those that are asked for most first, then all by their code, in the reader's language."""
    names = Locale.parse(to_locale(get_language() or "en")).currencies
    order = [*OFTEN, *sorted(_paid_with() - {*OFTEN})]
    return [(code, f"{code} {names.get(code, '')}".strip()) for code in order]


def _paid_with() -> frozenset[str]:
    """What is legal tender somewhere now, as Unicode knows it, and this site's own."""
    territories = get_global("territory_currencies")
    tender = {code for one in territories for code in get_territory_currencies(one)}
    return CURRENCIES & (tender | {settings.CURRENCY})


def _zones() -> list[str]:
    """Places by their present names, UTC, and this site's own."""
    former = get_global("zone_aliases")
    places = {
        zone
        for zone in zoneinfo.available_timezones()
        if zone.partition("/")[0] in AREAS and zone not in former
    }
    return sorted(places | {"UTC", settings.TIME_ZONE})
