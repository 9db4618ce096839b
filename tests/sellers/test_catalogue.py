from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput, NotFound
from sellers.models import Product, Variant
from sellers.services import catalogue
from tests.books import faults_in_books
from tests.world import World

HONEY: dict[str, Any] = {
    "title": "Linden honey",
    "about": "From our own hives.\n\nRaw.",
    "variant_title": "500 g jar",
    "price_minor": 4500,
    "weight_g": 500,
    "on_hand": 24,
}

BARGAIN: dict[str, Any] = {
    "title": "5 kg box",
    "price_minor": 1,
    "weight_g": 5000,
    "unit": "box",
    "low_at": 5,
}


def test_a_product_is_added_and_counted(world: World) -> None:
    variant = catalogue.add_product(world.farm, actor=world.zhang, **HONEY)

    assert str(variant) == "Linden honey, 500 g jar"
    assert variant.product.about == "From our own hives.\n\nRaw."
    variant.stock.refresh_from_db()
    assert variant.stock.available == 24
    assert faults_in_books() == []


def test_a_product_may_be_added_before_it_is_there(world: World) -> None:
    variant = catalogue.add_product(world.farm, actor=world.zhang, **HONEY | {"on_hand": 0})

    assert variant.stock.available == 0
    assert not variant.movements.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "t" * 121}, "title"),
        ({"variant_title": ""}, "variant_title"),
        ({"about": "a" * 2001}, "about"),
        ({"price_minor": 0}, "price"),
        ({"price_minor": catalogue.HIGHEST_PRICE_MINOR + 1}, "price"),
        ({"weight_g": -1}, "weight_g"),
        ({"on_hand": -1}, "on_hand"),
        ({"unit": "cartload"}, "unit"),
        ({"low_at": -1}, "low_at"),
    ],
)
def test_what_cannot_be_sold_is_not_added(
    world: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        catalogue.add_product(world.farm, actor=world.zhang, **HONEY | changes)

    assert refusal.value.field == field
    assert Product.objects.count() == 2


@pytest.mark.parametrize("who", ["gao", "li", "chen"])
def test_nobody_else_touches_a_sellers_goods(world: World, who: str) -> None:
    stranger = getattr(world, who)

    with pytest.raises(NotFound):
        catalogue.add_product(world.farm, actor=stranger, **HONEY)
    with pytest.raises(NotFound):
        catalogue.edit_product(world.apples.product, actor=stranger, title="Mine", about="")
    with pytest.raises(NotFound):
        catalogue.edit_variant(world.apples, actor=stranger, **BARGAIN)

    assert Product.objects.filter(seller=world.farm).count() == 2
    assert Variant.objects.get(pk=world.apples.pk).price_minor == 3990


def test_a_new_price_leaves_the_shows_as_they_are(world: World) -> None:
    catalogue.edit_variant(world.apples, actor=world.zhang, **BARGAIN | {"price_minor": 4990})

    world.apple_offer.refresh_from_db()
    assert world.apple_offer.price_minor == 3590
