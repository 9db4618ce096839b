"""Forms of goods. Services check everything again; forms say it where it was typed."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import to_major
from sellers.models import Variant
from sellers.services.catalogue import HEAVIEST_G, HIGHEST_PRICE_MINOR
from sellers.services.stock import MOST_ON_HAND

_WHOLE = {"inputmode": "numeric"}


class ProductForm(forms.Form):
    """A product and its one variant. The price is in whole units of the seller's currency."""

    title = forms.CharField(label=_("What is it?"), max_length=120)
    variant_title = forms.CharField(
        label=_("Size or kind"), max_length=80, help_text=_("For example: 5 kg box")
    )
    price = forms.DecimalField(
        label=_("Price"),
        min_value=Decimal("0.01"),
        max_value=Decimal(HIGHEST_PRICE_MINOR) / 100,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal"}),
    )
    weight_g = forms.IntegerField(
        label=_("Weight in grams"),
        min_value=0,
        max_value=HEAVIEST_G,
        required=False,
        widget=forms.NumberInput(attrs=_WHOLE),
    )
    about = forms.CharField(
        label=_("Tell buyers about it"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class NewProductForm(ProductForm):
    """A product that is new, with its first count."""

    on_hand = forms.IntegerField(
        label=_("How many are there?"),
        min_value=0,
        max_value=MOST_ON_HAND,
        initial=0,
        widget=forms.NumberInput(attrs=_WHOLE),
    )
    field_order = ["title", "variant_title", "price", "on_hand", "weight_g", "about"]


class CountForm(forms.Form):
    """How many are there, and why this is not what the books say."""

    on_hand = forms.IntegerField(
        label=_("Counted"),
        min_value=0,
        max_value=MOST_ON_HAND,
        widget=forms.NumberInput(attrs=_WHOLE),
    )
    reason = forms.CharField(
        label=_("Why"), max_length=200, help_text=_("For example: new harvest, or two were spoilt")
    )


def told(variant: Variant) -> dict[str, object]:
    """What a `ProductForm` shows of a product that exists."""
    product = variant.product
    return {
        "title": product.title,
        "variant_title": variant.title,
        "price": to_major(variant.price_minor, product.seller.currency),
        "weight_g": variant.weight_g,
        "about": product.about,
    }
