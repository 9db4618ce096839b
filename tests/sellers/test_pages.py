from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from core.ids import new_id
from core.pictures import MOST_BYTES
from media_pipeline.storage import storage
from sellers.models import Member, MemberRole, Product, Stock, Variant
from sellers.services import stock
from sellers.services.counting import write_down
from tests.books import faults_in_books
from tests.world import World

KEY = new_id()
HONEY = {
    "title": "Linden honey",
    "variant_title": "500 g jar",
    "price": "45.00",
    "on_hand": "24",
    "weight_g": "",
    "unit": "bottle",
    "low_at": "6",
    "about": "",
}


@pytest.fixture
def zhang(world: World, client: Client) -> Client:
    client.force_login(world.zhang)
    return client


def page_of(variant: Variant) -> str:
    return f"/studio/products/{variant.product.public_id}/"


def count(
    client: Client, variant: Variant, pieces: str, happened: str = "counted", **also: str
) -> Any:
    typed = {"pieces": pieces, "happened": happened, **also}
    return client.post(page_of(variant) + "count/", typed, follow=True)


def on_hand(variant: Variant) -> int:
    return Stock.objects.get(variant=variant).on_hand


def test_the_list_shows_what_there_is_to_sell(zhang: Client, world: World) -> None:
    stock.reserve(world.pears.public_id, 12, order_id=new_id(), actor=world.li)

    page = zhang.get("/studio/products/").content.decode()

    for words in (
        "Huaniu apples",
        "5 kg box",
        "¥39.90",
        "Snow pears",
        "Sold out",
        "12 boxes promised",
    ):
        assert words in page


def test_who_has_nothing_yet_is_asked_what_grows(client: Client, world: World) -> None:
    client.force_login(world.gao)

    assert "What do you grow?" in client.get("/studio/products/").content.decode()


def test_a_product_is_added(zhang: Client, world: World) -> None:
    answer = zhang.post("/studio/products/new/", HONEY, follow=True)

    assert "Added." in answer.content.decode()
    variant = Variant.objects.select_related("stock").get(title="500 g jar")
    assert (variant.price_minor, variant.weight_g, variant.stock.on_hand) == (4500, 0, 24)
    assert (variant.unit, variant.low_at) == ("bottle", 6)
    assert variant.product.seller == world.farm


def test_a_product_that_is_sent_twice_is_added_once(zhang: Client, world: World) -> None:
    page = zhang.get("/studio/products/new/").content.decode()
    assert 'name="form_key"' in page
    for _tap in range(2):
        answer = zhang.post("/studio/products/new/", HONEY | {"form_key": str(KEY)})
        assert answer["Location"] == "/studio/products/"

    assert Stock.objects.get(variant__title="500 g jar").on_hand == 24


def test_a_product_is_added_with_a_photo_that_tells_nothing_of_the_phone(
    zhang: Client, world: World
) -> None:
    zhang.post("/studio/products/new/", HONEY | {"photo": photo("honey.jpg", "orange")})

    product = Product.objects.get(title=HONEY["title"])
    first = product.image_key
    with Image.open(io.BytesIO(storage().read(first))) as kept:
        assert (kept.format, dict(kept.getexif())) == ("JPEG", {})
    assert f"/media/{first}" in zhang.get("/studio/products/").content.decode()

    page = f"/studio/products/{product.public_id}/"
    zhang.post(page, HONEY)
    product.refresh_from_db()
    assert product.image_key == first, "without another one it keeps it"
    zhang.post(page, HONEY | {"photo": photo("better.png", "gold")})
    product.refresh_from_db()
    assert product.image_key != first
    assert storage().size(product.image_key)
    assert storage().size(first) is None


@pytest.mark.parametrize("wrong", [b"<script>", b"0" * (MOST_BYTES + 1)])
def test_with_a_photo_that_is_none_nothing_is_added(
    zhang: Client, world: World, wrong: bytes
) -> None:
    sent = HONEY | {"photo": SimpleUploadedFile("a.jpg", wrong, "image/jpeg")}
    answer = zhang.post("/studio/products/new/", sent)

    assert list(answer.context["form"].errors) == ["photo"]
    assert Product.objects.count() == 2


def photo(name: str, colour: str) -> SimpleUploadedFile:
    """As a phone takes it, with the name of its maker inside."""
    image = Image.new("RGB", (120, 90), colour)
    told = Image.Exif()
    told[0x010F] = "Phone of Zhang"
    written = io.BytesIO()
    image.save(written, name.rpartition(".")[2].replace("jpg", "jpeg"), exif=told)
    return SimpleUploadedFile(name, written.getvalue())


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
        ("unit", "cartload"),
        ("low_at", "many"),
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


@pytest.mark.parametrize(
    ("happened", "pieces", "left"),
    [
        ("counted", "35", 35),
        ("harvested", "12", 52),
        ("damaged", "5", 35),
        ("given", "1", 39),
        ("own_use", "40", 0),
        ("other", "7", 7),
    ],
)
def test_what_happened_to_goods_is_written_down(
    zhang: Client, world: World, happened: str, pieces: str, left: int
) -> None:
    page = count(zhang, world.apples, pieces, happened, note="mice in the shed").content.decode()

    assert on_hand(world.apples) == left
    assert "mice in the shed" in page
    assert faults_in_books() == []


def test_a_harvest_that_is_sent_twice_is_one(zhang: Client, world: World) -> None:
    for _tap in range(2):
        answer = count(zhang, world.apples, "12", "harvested", form_key=str(KEY))
        assert "Written down." in answer.content.decode()

    assert on_hand(world.apples) == 52


def test_a_harvest_counts_though_orders_come_meanwhile(world: World) -> None:
    seen = Variant.objects.select_related("stock").get(pk=world.apples.pk)
    stock.reserve(world.apples.public_id, 3, order_id=new_id(), actor=world.li)

    write_down(seen, happened="harvested", pieces=5, note="", actor=world.zhang, key=None)

    row = Stock.objects.get(variant=world.apples)
    assert (row.on_hand, row.reserved) == (45, 3)


@pytest.mark.parametrize(
    ("pieces", "happened", "note", "field"),
    [
        ("", "counted", "", "pieces"),
        ("-1", "counted", "", "pieces"),
        ("1.5", "harvested", "", "pieces"),
        ("9" * 400, "harvested", "", "pieces"),
        ("1000000", "harvested", "", "pieces"),
        ("3", "counted", "", "pieces"),  # ten are promised
        ("0", "damaged", "", "pieces"),
        ("31", "damaged", "", "pieces"),  # thirty are not promised
        ("41", "given", "", "pieces"),
        ("3", "eaten", "", "happened"),
        ("30", "other", "", "note"),
        ("30", "other", "n" * 151, "note"),
    ],
)
def test_what_cannot_have_happened_is_said_beside_it(
    zhang: Client, world: World, pieces: str, happened: str, note: str, field: str
) -> None:
    stock.reserve(world.apples.public_id, 10, order_id=new_id(), actor=world.li)

    answer = count(zhang, world.apples, pieces, happened, note=note)

    assert list(answer.context["count_form"].errors) == [field]
    assert on_hand(world.apples) == 40


def test_the_ledger_says_what_was_there_after_each_movement(zhang: Client, world: World) -> None:
    order = new_id()
    stock.reserve(world.apples.public_id, 4, order_id=order, actor=world.li)
    count(zhang, world.apples, "35")
    stock.ship(world.apples.public_id, 4, order_id=order, actor=world.zhang)

    answer = zhang.get(page_of(world.apples) + "ledger/")

    lines = answer.context["lines"]
    assert [(line.on_hand, line.reserved) for line in lines] == [(31, 0), (35, 4), (40, 4), (40, 0)]
    assert f"/studio/orders/{order}/" in answer.content.decode()
    older = zhang.get(page_of(world.apples) + f"ledger/?before={lines[1].movement.pk}")
    assert older.context["lines"] == lines[2:]
    assert zhang.get(page_of(world.apples) + "ledger/?before=' --").status_code == 200


def test_what_is_nearly_gone_is_told_where_its_seller_looks(zhang: Client, world: World) -> None:
    assert "Nearly gone" not in zhang.get("/studio/").content.decode()
    Variant.objects.filter(pk=world.apples.pk).update(low_at=40)
    Variant.objects.filter(pk=world.pears.pk).update(low_at=0)
    count(zhang, world.pears, "0")

    for address in ("/studio/", "/studio/products/"):
        page = zhang.get(address)
        assert "Nearly gone" in page.content.decode()
    assert [one.pk for one in zhang.get("/studio/").context["low"]] == [world.apples.pk]


def test_a_packer_counts_and_does_not_price(client: Client, world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    client.force_login(world.wang)

    assert "Price and words" not in client.get(page_of(world.apples)).content.decode()
    assert count(client, world.apples, "39").status_code == 200
    assert client.get(page_of(world.apples) + "ledger/").status_code == 200
    assert client.post(page_of(world.apples), HONEY).status_code == 404
    assert client.get("/studio/products/new/").status_code == 404

    assert Stock.objects.get(variant=world.apples).on_hand == 39
    assert Variant.objects.get(pk=world.apples.pk).price_minor == 3990


@pytest.mark.parametrize("who", ["gao", "li"])
def test_strangers_find_nothing_and_change_nothing(client: Client, world: World, who: str) -> None:
    client.force_login(getattr(world, who))

    assert client.get(page_of(world.apples)).status_code == 404
    assert client.get(page_of(world.apples) + "ledger/").status_code == 404
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
