"""The buyer's own pages: what an order tells, what can be done with it, addresses, and the shop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.clock import now
from orders.models import Address, Order, OrderState, RefundClaim
from orders.services.fulfil import move_order
from sellers.models import DeliveryZone, Seller, Variant
from tests.orders.shop import at_pickup, li_orders, photo
from tests.world import World


def seen(client: Client, address: str, **more: Any) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return answer.content.decode()


def page_of(client: Client, order: Order) -> str:
    return seen(client, f"/orders/{order.public_id}/")


def moved(order: Order, world: World, *to: str, **more: str) -> Order:
    for state in to:
        move_order(order.public_id, OrderState(state), world.zhang, **more)
    order.refresh_from_db()
    return order


@pytest.fixture
def li(client: Client, world: World) -> Client:
    client.force_login(world.li)
    return client


def test_a_held_order_can_be_paid_now_or_in_cash_after_all(li: Client, world: World) -> None:
    order = li_orders(world, payment_method="online")
    page = page_of(li, order)
    assert f'href="/orders/{order.public_id}/pay/"' in page
    assert "data-countdown=" in page

    answer = li.post(f"/orders/{order.public_id}/move/", {"to": "placed"}, follow=True)

    order.refresh_from_db()
    assert (order.state, order.payment_method) == ("placed", "cash_on_delivery")
    assert "You pay in cash when you get it." in answer.content.decode()


def test_what_was_sent_has_a_carrier_and_is_received_by_its_buyer(li: Client, world: World) -> None:
    order = moved(li_orders(world), world, "packed")
    moved(order, world, "sent", carrier="SF Express", tracking_number="SF123")
    page = page_of(li, order)
    for words in ("SF Express", "SF123", "I have received it"):
        assert words in page

    li.post(f"/orders/{order.public_id}/move/", {"to": "delivered"})

    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED


def test_the_code_is_shown_big_once_the_goods_are_at_the_point(li: Client, world: World) -> None:
    order = moved(li_orders(world, delivery=at_pickup(world)), world, "packed", "sent")
    assert 'class="pickup"' in page_of(li, order)


def test_a_seller_who_cancels_says_why_and_what_happens_with_the_money(
    li: Client, world: World
) -> None:
    order = moved(li_orders(world), world, "cancelled", reason="The hail was faster.")
    page = page_of(li, order)
    assert "The hail was faster." in page
    assert "There is nothing to pay." in page


@pytest.mark.parametrize("to", ["paid", "sent", "refunded", "", "flown"])
def test_a_buyer_makes_no_moves_of_others(li: Client, world: World, to: str) -> None:
    order = li_orders(world)
    assert li.post(f"/orders/{order.public_id}/move/", {"to": to}).status_code == 404
    order.refresh_from_db()
    assert order.state == OrderState.PLACED


def test_a_part_of_the_page_is_fetched_alone(li: Client, world: World) -> None:
    order = li_orders(world)
    part = seen(li, f"/orders/{order.public_id}/", headers={"X-Fragment": "page"})
    assert 'id="order-status"' in part
    assert "<html" not in part


def test_money_is_asked_back_with_photos_and_taken_back(li: Client, world: World) -> None:
    order = moved(li_orders(world), world, "packed", "sent", "delivered")
    typed = {"text": "Three were brown inside.", "amount": "12.50", "photos": [photo(), photo()]}

    answer = li.post(f"/orders/{order.public_id}/claims/", typed, follow=True)

    claim = RefundClaim.objects.get()
    assert (claim.amount_minor, claim.photos.count()) == (1250, 2)
    page = answer.content.decode()
    assert "You asked for ¥12.50 back" in page
    li.post(f"/orders/claims/{claim.public_id}/withdraw/")
    claim.refresh_from_db()
    assert claim.state == "withdrawn"


@pytest.mark.parametrize("amount", ["", "much", "-3", "0", "nan", "1e99", "100000"])
def test_a_claim_that_cannot_be_keeps_what_was_typed(li: Client, world: World, amount: str) -> None:
    order = moved(li_orders(world), world, "packed", "sent", "delivered")
    typed = {"text": "Three were brown inside.", "amount": amount}
    answer = li.post(f"/orders/{order.public_id}/claims/", typed)
    assert answer.status_code == 422
    assert "Three were brown inside." in answer.content.decode()
    assert not RefundClaim.objects.exists()


def test_strangers_do_nothing_with_an_order(client: Client, world: World) -> None:
    order = moved(li_orders(world), world, "packed", "sent", "delivered")
    client.force_login(world.wang)
    for what in ("move", "again", "claims", "cancel"):
        address = f"/orders/{order.public_id}/{what}/"
        answer = client.post(address, {"to": "delivered", "text": "mine", "amount": "1"})
        assert answer.status_code == 404
    assert not RefundClaim.objects.exists()


def test_orders_are_found_by_number_and_by_what_is_to_do(li: Client, world: World) -> None:
    packed = moved(li_orders(world), world, "packed")
    held = li_orders(world, key="2", payment_method="online")
    for query, found in {
        f"number={held.number}": [held],
        f"number={packed.number[5:]}": [packed],
        "number=nothing": [],
        "show=to_pay": [held],
        "show=under_way": [packed],
        "show=done": [],
    }.items():
        answer = li.get(f"/orders/?{query}")
        assert [card.order for card in answer.context["cards"]] == found, query


def test_ordering_again_says_what_is_gone_and_asks_todays_price(li: Client, world: World) -> None:
    pears = {"offer_id": world.pear_offer.public_id, "quantity": 1, "price_minor": 2590}
    apples = {"offer_id": world.apple_offer.public_id, "quantity": 2, "price_minor": 3590}
    order = li_orders(world, lines=[apples, pears])
    Variant.objects.filter(pk=world.pears.pk).update(is_active=False)

    answer = li.post(f"/orders/{order.public_id}/again/", follow=True)

    data = answer.context["page_data"]
    assert data["again"] == [{"id": str(world.apples.public_id), "quantity": 2}]
    assert [good["price_minor"] for good in data["goods"]] == [3990]
    assert "Snow pears, 3 kg box" in answer.content.decode()


def test_another_buyers_order_is_not_ordered_again(client: Client, world: World) -> None:
    order = li_orders(world)
    client.force_login(world.wang)
    shop = f"/shop/{world.farm.public_id}/?again={order.public_id}"
    assert client.get(shop).status_code == 404


def test_what_is_for_practice_is_in_no_shop(li: Client, world: World) -> None:
    shop = f"/shop/{world.farm.public_id}/"
    assert "Huaniu apples" in seen(li, shop)
    Seller.objects.filter(pk=world.farm.pk).update(is_sandbox=True)
    assert li.get(shop).status_code == 404


def test_addresses_are_kept_changed_and_removed(li: Client, world: World) -> None:
    typed = {"name": "Li", "phone": "138 0013 8000", "region": "62", "address": "8 River Street"}
    li.post("/me/addresses/new/", typed)
    kept = Address.objects.get()
    assert (kept.user, kept.phone) == (world.li, "13800138000")

    li.post(f"/me/addresses/{kept.public_id}/", typed | {"address": "9 River Street"})
    page = seen(li, "/me/addresses/")
    assert "9 River Street" in page
    assert "Gansu" in page

    li.post(f"/me/addresses/{kept.public_id}/delete/")
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("field", "text"),
    [("name", ""), ("phone", "call me"), ("region", "99"), ("address", "x" * 10_000)],
)
def test_a_bad_address_is_told_at_its_field(
    li: Client, world: World, field: str, text: str
) -> None:
    typed = {"name": "Li", "phone": "13800138000", "region": "62", "address": "8 River Street"}
    answer = li.post("/me/addresses/new/", typed | {field: text})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.content.decode()
    assert not Address.objects.exists()


def test_the_address_of_another_is_not_found(client: Client, world: World) -> None:
    kept = Address.objects.create(
        user=world.li, name="Li", phone="1380013", address="8 River Street", used_at=now()
    )
    client.force_login(world.wang)
    assert client.get(f"/me/addresses/{kept.public_id}/").status_code == 404
    client.post(f"/me/addresses/{kept.public_id}/delete/")
    assert Address.objects.filter(pk=kept.pk).exists()


def test_the_sheet_begins_with_what_its_seller_does(li: Client, world: World) -> None:
    for days, street in ((2, "8 River Street"), (1, "9 Hill Road")):
        Address.objects.create(
            user=world.li,
            name="Li",
            phone="13800138000",
            address=street,
            used_at=now() - timedelta(days=days),
        )
    address = f"/api/v1/checkout?show_id={world.show.public_id}"
    assert li.get(address).json()["regions"] == []
    DeliveryZone.objects.create(seller=world.farm, name="not", regions=["54"], is_served=False)
    DeliveryZone.objects.create(seller=world.farm, name="rest")

    told = li.get(address).json()

    assert [one["address"] for one in told["addresses"]] == ["9 Hill Road", "8 River Street"]
    served = {one["code"]: one["is_served"] for one in told["regions"]}
    assert (served["54"], served["62"]) == (False, True)
    assert [point["name"] for point in told["pickup_points"]] == ["Village shop"]
    assert told["payment_methods"] == ["cash_on_delivery", "online"]


def test_strangers_see_no_addresses_in_the_sheet(client: Client, world: World) -> None:
    told = client.get(f"/api/v1/checkout?seller_id={world.farm.public_id}").json()
    assert (told["signed_in"], told["addresses"]) == (False, [])
    for query in ("", f"?show_id={world.farm.public_id}"):
        assert client.get(f"/api/v1/checkout{query}").status_code in {404, 422}
