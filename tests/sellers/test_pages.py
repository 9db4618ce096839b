from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core.ids import new_id
from sellers.models import Member, MemberRole, Product, Stock, Variant
from sellers.services import stock
from tests.world import World

KEY = new_id()
HONEY = {
    "title": "Linden honey",
    "variant_title": "500 g jar",
    "price": "45.00",
    "on_hand": "24",
    "weight_g": "",
    "about": "",
}


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def page_of(variant: Variant) -> str:
    return f"/studio/products/{variant.product.public_id}/"


def count(client: Client, variant: Variant, on_hand: str, reason: str = "recounted") -> Any:
    typed = {"on_hand": on_hand, "reason": reason}
    return client.post(page_of(variant) + "count/", typed, follow=True)


def test_the_list_shows_what_there_is_to_sell(zhang: Client, world: World) -> None:
    stock.reserve(world.pears.public_id, 12, order_id=new_id(), actor=world.li)

    page = zhang.get("/studio/products/").content.decode()

    for words in ("Huaniu apples", "5 kg box", "¥39.90", "Snow pears", "Sold out", "12 promised"):
        assert words in page


def test_who_has_nothing_yet_is_asked_what_grows(client: Client, world: World) -> None:
    client.force_login(world.gao)

    assert "What do you grow?" in client.get("/studio/products/").content.decode()


def test_a_product_is_added(zhang: Client, world: World) -> None:
    answer = zhang.post("/studio/products/new/", HONEY, follow=True)

    assert "Added." in answer.content.decode()
    variant = Variant.objects.select_related("stock").get(title="500 g jar")
    assert (variant.price_minor, variant.weight_g, variant.stock.on_hand) == (4500, 0, 24)
    assert variant.product.seller == world.farm


def test_a_product_that_is_sent_twice_is_added_once(zhang: Client, world: World) -> None:
    page = zhang.get("/studio/products/new/").content.decode()
    assert 'name="form_key"' in page
    for _tap in range(2):
        answer = zhang.post("/studio/products/new/", HONEY | {"form_key": str(KEY)})
        assert answer["Location"] == "/studio/products/"

    assert Stock.objects.get(variant__title="500 g jar").on_hand == 24


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("title", ""),
        ("price", "0"),
        ("price", "free"),
        ("price", "1.999"),
        ("price", "1000000.01"),
        ("on_hand", "-1"),
        ("on_hand", ""),
        ("weight_g", "-5"),
    ],
)
def test_what_is_wrong_is_said_beside_it(zhang: Client, field: str, typed: str) -> None:
    answer = zhang.post("/studio/products/new/", HONEY | {field: typed})

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert Product.objects.count() == 2


def test_a_product_is_edited(zhang: Client, world: World) -> None:
    typed = HONEY | {"title": "Red apples", "price": "41.50", "about": "Crisp."}

    zhang.post(page_of(world.apples), typed)

    variant = Variant.objects.select_related("product").get(pk=world.apples.pk)
    assert (variant.product.title, variant.product.about) == ("Red apples", "Crisp.")
    assert variant.price_minor == 4150


def test_stock_is_counted_with_a_reason(zhang: Client, world: World) -> None:
    page = count(zhang, world.apples, "35", "five were spoilt").content.decode()

    assert Stock.objects.get(variant=world.apples).on_hand == 35
    assert "five were spoilt" in page


@pytest.mark.parametrize(
    ("on_hand", "reason", "field"),
    [("", "x", "on_hand"), ("3", "", "reason"), ("3", "x", "on_hand")],
)
def test_a_wrong_count_is_said_beside_it(
    zhang: Client, world: World, on_hand: str, reason: str, field: str
) -> None:
    stock.reserve(world.apples.public_id, 10, order_id=new_id(), actor=world.li)

    answer = count(zhang, world.apples, on_hand, reason)

    assert list(answer.context["count_form"].errors) == [field]
    assert Stock.objects.get(variant=world.apples).on_hand == 40


def test_a_packer_counts_and_does_not_price(client: Client, world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client.force_login(world.wang)

    assert "Price and words" not in client.get(page_of(world.apples)).content.decode()
    assert count(client, world.apples, "39").status_code == 200
    assert client.post(page_of(world.apples), HONEY).status_code == 404
    assert client.get("/studio/products/new/").status_code == 404

    assert Stock.objects.get(variant=world.apples).on_hand == 39
    assert Variant.objects.get(pk=world.apples.pk).price_minor == 3990


@pytest.mark.parametrize("who", ["gao", "li"])
def test_strangers_find_nothing_and_change_nothing(client: Client, world: World, who: str) -> None:
    client.force_login(getattr(world, who))

    assert client.get(page_of(world.apples)).status_code == 404
    assert client.post(page_of(world.apples), HONEY).status_code == 404
    assert count(client, world.apples, "1").status_code == 404
    assert (
        client.post(f"/studio/products/new/?seller={world.farm.public_id}", HONEY).status_code
        == 404
    )

    assert Stock.objects.get(variant=world.apples).on_hand == 40
    assert Product.objects.filter(seller=world.farm).count() == 2


def test_visitors_are_asked_to_sign_in(client: Client, world: World) -> None:
    for address in ("/studio/products/", "/studio/products/new/", page_of(world.apples)):
        assert client.get(address)["Location"] == f"/accounts/login/?next={address}"


def test_operators_see_stock_in_the_admin_and_change_none(client: Client, world: World) -> None:
    world.zhao.is_staff = world.zhao.is_superuser = True
    world.zhao.save()
    client.force_login(world.zhao)

    for kind in ("seller", "product", "stock", "stockmovement"):
        assert client.get(f"/admin/sellers/{kind}/").status_code == 200
    address = f"/admin/sellers/stock/{world.apples.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"on_hand": 1, "reserved": 0}).status_code == 403

    assert Stock.objects.get(variant=world.apples).on_hand == 40
