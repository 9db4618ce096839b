"""Weights and amounts in templates."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from sellers import units

register = template.Library()


@register.filter
def amount(count: int, unit: str) -> str:
    """`{{ offer.left|amount:offer.unit }}`: "12 boxes"."""
    return units.amount(count, unit)


@register.filter
def weight(grams: int) -> str:
    """`{{ variant.weight_g|weight }}`: "500 g", "7.5 kg"; "" where nobody knows."""
    if not grams:
        return ""
    if grams < 1000:
        return _("%(count)s g") % {"count": grams}
    kilograms = f"{grams / 1000:.2f}".rstrip("0").rstrip(".")
    return _("%(count)s kg") % {"count": number_format(Decimal(kilograms))}
