"""Forms of goods. Services check everything again; forms say it where it was typed."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import to_major
from sellers.models import Unit, Variant
from sellers.services.catalogue import HEAVIEST_G, HIGHEST_LOW, HIGHEST_PRICE_MINOR, LOW_AT
from sellers.services.counting import LONGEST_NOTE, Happened
from sellers.services.stock import MOST_ON_HAND

_WHOLE = {"inputmode": "numeric"}


class ProductForm(forms.Form):
    """A product and its one variant. The price is in whole units of the seller's currency."""

    field_order = [
        "title",
        "photo",
        "variant_title",
        "unit",
        "price",
        "weight_g",
        "low_at",
        "about",
    ]

    title = forms.CharField(label=_("What is it?"), max_length=120)
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Take one now, or choose one that you have. It can also be added later."),
        # Named one by one, because then a phone sends one of these instead of a format of its own.
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
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
    unit = forms.ChoiceField(label=_("One of it is a"), choices=Unit.choices, initial=Unit.BOX)
    low_at = forms.IntegerField(
        label=_("Warn me when so many are left"),
        min_value=0,
        max_value=HIGHEST_LOW,
        required=False,
        initial=LOW_AT,
        help_text=_("0: never"),
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
    field_order = [
        "title", "photo", "variant_title", "unit", "price", "on_hand", "weight_g", "low_at", "about"
    ]  # fmt: skip


class CountForm(forms.Form):
    """What happened to the goods. With "counted" the number is how many there are now."""

    happened = forms.ChoiceField(label=_("What happened?"), choices=Happened.choices)
    pieces = forms.IntegerField(
        label=_("How many"),
        min_value=0,
        max_value=MOST_ON_HAND,
        widget=forms.NumberInput(attrs=_WHOLE),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        required=False,
        help_text=_("For example: second picking, or mice were in the shed"),
    )


def told(variant: Variant) -> dict[str, object]:
    """What a `ProductForm` shows of a product that exists."""
    product = variant.product
    return {
        "title": product.title,
        "variant_title": variant.title,
        "price": to_major(variant.price_minor, product.seller.currency),
        "unit": variant.unit,
        "weight_g": variant.weight_g,
        "low_at": variant.low_at,
        "about": product.about,
    }
