"""What a seller sells: products, their variants and prices."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import InvalidInput
from core.ids import new_id
from core.text import clean_line, clean_lines
from sellers.access import KEEPERS, member_of
from sellers.models import Product, Seller, Stock, Unit, Variant
from sellers.services import stock

HIGHEST_PRICE_MINOR = 100_000_000
HEAVIEST_G = 10_000_000
HIGHEST_LOW = 100_000
LOW_AT = 5


@transaction.atomic
def add_product(
    seller: Seller,
    *,
    actor: User,
    title: str,
    about: str = "",
    variant_title: str,
    price_minor: int,
    weight_g: int = 0,
    unit: str = Unit.BOX,
    low_at: int = LOW_AT,
    on_hand: int = 0,
    public_id: UUID | None = None,
) -> Variant:
    """A new product with its first variant, counted. Weight in grams; at `low_at` left it is told.

    Raises `NotFound` for people who do not keep this seller's goods, `InvalidInput` naming a field.
    """
    member_of(actor, seller, *KEEPERS)
    product = Product.objects.create(
        public_id=public_id or new_id(),
        seller=seller,
        title=_clean_title(title, "title", 120),
        about=_clean_about(about),
    )
    return add_variant(
        product,
        actor=actor,
        title=variant_title,
        price_minor=price_minor,
        weight_g=weight_g,
        unit=unit,
        low_at=low_at,
        on_hand=on_hand,
    )


@transaction.atomic
def add_variant(
    product: Product,
    *,
    actor: User,
    title: str,
    price_minor: int,
    weight_g: int,
    on_hand: int,
    unit: str = Unit.BOX,
    low_at: int = LOW_AT,
) -> Variant:
    """Another size or kind of a product, counted. Raises as `add_product`."""
    member_of(actor, product.seller, *KEEPERS)
    variant = Variant.objects.create(
        product=product,
        title=_clean_title(title, "variant_title", 80),
        price_minor=_clean_price(price_minor),
        weight_g=_clean_weight(weight_g),
        unit=_clean_unit(unit),
        low_at=_clean_low(low_at),
    )
    Stock.objects.create(variant=variant)
    if on_hand:
        stock.adjust(variant.public_id, on_hand=on_hand, reason=_("first count"), actor=actor)
    return variant


@transaction.atomic
def edit_product(product: Product, *, actor: User, title: str, about: str) -> Product:
    """Say something else about a product. Raises as `add_product`."""
    member_of(actor, product.seller, *KEEPERS)
    product.title = _clean_title(title, "title", 120)
    product.about = _clean_about(about)
    product.save(update_fields=["title", "about"])
    return product


@transaction.atomic
def edit_variant(
    variant: Variant,
    *,
    actor: User,
    title: str,
    price_minor: int,
    weight_g: int,
    unit: str,
    low_at: int,
    is_active: bool = True,
) -> Variant:
    """Change a variant and its price. Shows and orders keep the price they were made with."""
    member_of(actor, variant.product.seller, *KEEPERS)
    variant.title = _clean_title(title, "variant_title", 80)
    variant.price_minor = _clean_price(price_minor)
    variant.weight_g = _clean_weight(weight_g)
    variant.unit = _clean_unit(unit)
    variant.low_at = _clean_low(low_at)
    variant.is_active = is_active
    variant.save(update_fields=["title", "price_minor", "weight_g", "unit", "low_at", "is_active"])
    return variant


def _clean_title(title: str, field: str, longest: int) -> str:
    return clean_line(title, field, longest=longest)


def _clean_about(about: str) -> str:
    return clean_lines(about, "about", longest=2000)


def _clean_price(price_minor: int) -> int:
    if not 1 <= price_minor <= HIGHEST_PRICE_MINOR:
        raise InvalidInput(_("Please write a price that somebody could pay."), field="price")
    return price_minor


def _clean_weight(weight_g: int) -> int:
    if not 0 <= weight_g <= HEAVIEST_G:
        raise InvalidInput(_("Please write the weight in grams."), field="weight_g")
    return weight_g


def _clean_unit(unit: str) -> str:
    if unit not in Unit.values:
        raise InvalidInput(_("Please choose what one of it is."), field="unit")
    return unit


def _clean_low(low_at: int) -> int:
    if not 0 <= low_at <= HIGHEST_LOW:
        raise InvalidInput(_("Please write a whole number, or 0 for never."), field="low_at")
    return low_at
