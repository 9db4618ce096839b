"""Buyers ask for money back, with photos; sellers answer."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.clock import now
from core.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from media_pipeline.storage import storage
from orders import photos
from orders.models import ClaimState, Order, OrderState, Refund, RefundClaim
from orders.services.claims import answer_claim, ask_refund, may_ask, withdraw_claim
from orders.services.fulfil import move_order
from tests.orders.paying import facts, faults_in_money, state_of
from tests.orders.shop import li_orders
from tests.world import World


@pytest.fixture
def order(world: World) -> Order:
    """Li's apples came and were paid for in cash."""
    placed = li_orders(world)
    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        move_order(placed.public_id, to, world.zhang)
    placed.refresh_from_db()
    return placed


def ask(
    order: Order, text: str = "Four were bruised", amount: Any = 1000, *p: bytes
) -> RefundClaim:
    return ask_refund(order.public_id, order.buyer, text, amount, p)


def photo(
    kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **saved: Any
) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 0).save(written, kind, **saved)
    return written.getvalue()


def with_place(size: tuple[int, int] = (60, 40)) -> bytes:
    """A photo that says where it was taken, and that it was taken with the phone on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (34.0, 11.0, 20.0)
    exif[0x010F] = "Li's telephone"
    return photo(size=size, exif=exif)


def test_the_seller_agrees_and_the_money_goes_back(world: World, order: Order) -> None:
    claim = ask(order)
    assert not may_ask(order)

    answer_claim(claim.public_id, world.zhang, True, 800, "We are sorry.")
    answer_claim(claim.public_id, world.zhang, True, 800, "We are sorry.")

    claim.refresh_from_db()
    assert (claim.state, claim.answer, claim.answered_by) == (
        ClaimState.ACCEPTED,
        "We are sorry.",
        world.zhang,
    )
    assert [refund.amount_minor for refund in Refund.objects.all()] == [800]
    assert [fact["state"] for fact in facts("ClaimChanged")] == ["open", "accepted"]
    assert faults_in_money() == []


def test_all_of_it_and_the_boxes_come_back(world: World, order: Order) -> None:
    (line,) = order.lines.all()
    claim = ask(order, amount=7180)

    answer_claim(claim.public_id, world.zhang, True, restock={line.pk: 2})

    assert state_of(order) == OrderState.REFUNDED
    world.apples.stock.refresh_from_db()
    assert world.apples.stock.on_hand == 40
    assert faults_in_money() == []


def test_the_seller_declines_and_says_why(world: World, order: Order) -> None:
    claim = ask(order)
    with pytest.raises(InvalidInput):
        answer_claim(claim.public_id, world.zhang, False)

    answer_claim(claim.public_id, world.zhang, False, answer="They were fine.")

    with pytest.raises(Conflict):
        answer_claim(claim.public_id, world.zhang, True)
    assert not Refund.objects.exists()
    assert may_ask(order)


def test_the_buyer_asks_for_nothing_any_more(world: World, order: Order) -> None:
    claim = ask(order)

    for _click in range(2):
        assert withdraw_claim(claim.public_id, world.li).state == ClaimState.WITHDRAWN

    with pytest.raises(Conflict):
        answer_claim(claim.public_id, world.zhang, True)
    assert not Refund.objects.exists()


def test_an_amount_that_cannot_be_leaves_the_claim_open(world: World, order: Order) -> None:
    claim = ask(order)

    with pytest.raises(InvalidInput):
        answer_claim(claim.public_id, world.zhang, True, 7181)

    claim.refresh_from_db()
    assert claim.state == ClaimState.OPEN


def test_asking_again_is_the_same_claim(order: Order) -> None:
    assert ask(order) == ask(order)
    with pytest.raises(Conflict):
        ask(order, "All of them", 7180)
    assert RefundClaim.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "amount"),
    [("", 1000), ("x" * 1001, 1000)]
    + [("bruised", amount) for amount in (0, -1, 7181, True, 1.5, 10**20)],
)
def test_what_nobody_could_mean_is_refused(order: Order, text: str, amount: Any) -> None:
    with pytest.raises(InvalidInput):
        ask(order, text, amount)
    assert not RefundClaim.objects.exists()


def test_only_for_so_many_days(world: World, order: Order) -> None:
    with time_machine.travel(now() + timedelta(days=7, minutes=1), tick=True):
        assert not may_ask(order)
        with pytest.raises(Conflict, match="7 days"):
            ask(order)
    world.farm.refund_days = 0
    world.farm.save()
    with pytest.raises(Conflict, match="nothing back"):
        ask(Order.objects.get())


def test_not_before_it_was_sent(world: World) -> None:
    with pytest.raises(Conflict, match="was sent"):
        ask(li_orders(world))


@pytest.mark.parametrize(
    ("who", "refusal"), [("li", NotAllowed), ("wang", NotFound), ("gao", NotFound)]
)
def test_nobody_else_answers(world: World, order: Order, who: str, refusal: type[AppError]) -> None:
    claim = ask(order)
    with pytest.raises(refusal):
        answer_claim(claim.public_id, getattr(world, who), True)
    for stranger in (world.zhang, world.wang):
        with pytest.raises(NotFound):
            withdraw_claim(claim.public_id, stranger)
        with pytest.raises(NotFound):
            ask_refund(order.public_id, stranger, "mine", 100)
    claim.refresh_from_db()
    assert claim.state == ClaimState.OPEN
    assert not Refund.objects.exists()


def test_photos_are_kept_without_what_they_tell_of_the_sender(order: Order) -> None:
    claim = ask(order, "Look", 1000, with_place(), photo("PNG"), photo("WEBP"))

    keys = [one.key for one in claim.photos.all()]
    assert keys == [f"private/claims/{claim.public_id}/{number}.jpg" for number in (1, 2, 3)]
    first = storage().read(keys[0])
    assert b"telephone" not in first
    with Image.open(io.BytesIO(first)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (40, 60), {})


def test_what_is_written_into_a_photo_is_not_kept(order: Order) -> None:
    text = PngInfo()
    text.add_text("comment", "Li's door code")
    said = [photo(comment=b"Li's door code"), photo("PNG", pnginfo=text)]

    claim = ask(order, "Look", 1000, *said)

    for sent, one in zip(said, claim.photos.all(), strict=True):
        assert b"door code" in sent
        assert b"door code" not in storage().read(one.key)


def test_large_photos_are_made_smaller(order: Order) -> None:
    claim = ask(order, "Look", 1000, photo(size=(4000, 1000)))

    with Image.open(io.BytesIO(storage().read(claim.photos.get().key))) as kept:
        assert kept.size == (2048, 512)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"<svg/>",
        b"GIF89a" + b"0" * 100,
        photo()[:300],
        b"\xff\xd8\xff" + b"0" * 1000,
        b"0" * (photos.MOST_BYTES + 1),
        photo("BMP"),
        photo("PNG", (9000, 9000), "1"),  # made whenever tests are collected, so in no colours
    ],
    ids=["empty", "svg", "gif", "half", "noise", "large", "bmp", "bomb"],
)
def test_what_is_no_photo_is_refused(order: Order, bad: bytes) -> None:
    before = storage().keys("private/claims")
    with pytest.raises(InvalidInput) as refusal:
        ask(order, "Look", 1000, photo(), bad)

    assert refusal.value.field == "photos"
    assert not RefundClaim.objects.exists()
    assert storage().keys("private/claims") == before


def post(client: Client, order: Order, files: int = 1, **changes: Any) -> Any:
    pictures = [SimpleUploadedFile(f"{n}.jpg", photo(), "image/jpeg") for n in range(files)]
    body = {"text": "bruised", "amount_minor": "1000", "photos": pictures} | changes
    return client.post(f"/api/v1/orders/{order.public_id}/claims", body)


def test_over_http(order: Order, world: World, client: Client) -> None:
    client.force_login(world.li)
    made = post(client, order, files=2)
    assert made.status_code == 201
    claim = made.json()
    assert (claim["state"], len(claim["photos"])) == ("open", 2)
    assert claim["photos"][0].startswith("/media/s/")

    client.force_login(world.zhang)
    assert client.get(f"/api/v1/orders/{order.public_id}/claims").json()[0]["id"] == claim["id"]
    answer = client.post(
        f"/api/v1/claims/{claim['id']}/answer",
        {"accept": True, "returned": [{"line": 1, "quantity": 1}]},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert faults_in_money() == []

    client.force_login(world.li)
    assert client.post(f"/api/v1/claims/{claim['id']}/withdraw").status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"files": 5}, 422),
        ({"amount_minor": "much"}, 422),
        ({"text": ""}, 422),
        ({"photos": [SimpleUploadedFile("a.jpg", b"<script>", "image/jpeg")]}, 422),
    ],
)
def test_bad_input_over_http(
    order: Order, world: World, client: Client, changes: Any, status: int
) -> None:
    client.force_login(world.li)
    assert post(client, order, **changes).status_code == status
    assert not RefundClaim.objects.exists()


def test_strangers_learn_nothing_of_a_claim(order: Order, world: World, client: Client) -> None:
    claim = ask(order)
    client.force_login(world.wang)
    address = f"/api/v1/claims/{claim.public_id}"

    assert post(client, order).status_code == 404
    assert client.get(f"/api/v1/orders/{order.public_id}/claims").status_code == 404
    assert client.post(f"{address}/withdraw").status_code == 404
    answer = client.post(f"{address}/answer", {"accept": True}, content_type="application/json")
    assert answer.status_code == 404
