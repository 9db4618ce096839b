from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from core.errors import InvalidInput, NotFound
from core.models import OutboxFact
from orders.checkout import checkout
from orders.errors import KeyReused, PriceChanged
from orders.models import Address, Order, OrderState
from sellers.errors import SoldOut
from sellers.models import PickupPoint, StockMovement
from tests.books import faults_in_books
from tests.orders.shop import TO_LI, at_pickup, hear_of_orders, li_orders
from tests.world import World


def nothing_happened(world: World) -> bool:
    world.apples.stock.refresh_from_db()
    return (
        not Order.objects.exists()
        and not OutboxFact.objects.exists()
        and not Address.objects.exists()
        and world.apples.stock.available == 40
        and faults_in_books() == []
    )


def test_an_order_keeps_what_was_seen_and_sets_stock_aside(world: World) -> None:
    order = li_orders(world, note="after six, please")

    assert order.state == OrderState.PLACED
    assert (order.total_minor, order.currency) == (7180, "CNY")
    assert (order.recipient, order.address) == ("Li", "8 River Street")
    assert order.note == "after six, please"
    line = order.lines.get()
    assert (line.title, line.quantity, line.price_minor) == ("Huaniu apples, 5 kg box", 2, 3590)
    world.apples.stock.refresh_from_db()
    assert (world.apples.stock.on_hand, world.apples.stock.reserved) == (40, 2)
    assert faults_in_books() == []
    [placed] = order.way
    assert (placed.state, placed.actor, placed.at) == ("placed", world.li, order.placed_at)


def test_the_order_number_can_be_said_on_the_phone(world: World) -> None:
    assert re.fullmatch(r"[1-9]\d{3}-\d{4}", li_orders(world).number)


def test_the_facts_are_committed_with_the_order(world: World) -> None:
    order = li_orders(world)

    facts = {fact.type: fact.data for fact in OutboxFact.objects.all()}
    assert facts["sellers.StockChanged"] == {
        "variant_id": str(world.apples.public_id),
        "available": 38,
        "version": 1,
    }
    placed = facts["orders.OrderPlaced"]
    assert placed["order_id"] == str(order.public_id)
    assert placed["show_id"] == str(world.show.public_id)
    assert placed["buyer_name"] == "L**"
    assert placed["lines"] == [
        {
            "variant_id": str(world.apples.public_id),
            "title": "Huaniu apples, 5 kg box",
            "quantity": 2,
        }
    ]
    assert "13800138000" not in str(facts)


def test_the_same_click_twice_is_one_order(world: World) -> None:
    first = li_orders(world)
    again = li_orders(world, delivery=TO_LI | {"phone": " 138-0013-8000 "})

    assert again == first
    world.apples.stock.refresh_from_db()
    assert world.apples.stock.reserved == 2
    assert OutboxFact.objects.count() == 2


def test_a_repeat_is_answered_even_when_the_world_has_moved_on(world: World) -> None:
    first = li_orders(world, quantity=40)
    world.apple_offer.price_minor = 9990
    world.apple_offer.save()

    assert li_orders(world, quantity=40) == first


@pytest.mark.parametrize(
    "changes", [{"quantity": 3}, {"note": "another"}, {"delivery": TO_LI | {"name": "Mei"}}]
)
def test_a_used_key_does_not_do_something_else(world: World, changes: dict[str, Any]) -> None:
    li_orders(world)

    with pytest.raises(KeyReused):
        li_orders(world, **changes)

    assert Order.objects.count() == 1


def test_two_buyers_may_have_the_same_key(world: World) -> None:
    assert li_orders(world) != li_orders(world, buyer=world.wang)


def test_a_host_buys_like_anybody(world: World) -> None:
    assert li_orders(world, buyer=world.zhang).buyer == world.zhang


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "lines.0.quantity"),
        ({"quantity": -1}, "lines.0.quantity"),
        ({"quantity": 1000}, "lines.0.quantity"),
        ({"quantity": True}, "lines.0.quantity"),
        ({"quantity": 1.0}, "lines.0.quantity"),
        ({"quantity": "2"}, "lines.0.quantity"),
        ({"quantity": None}, "lines.0.quantity"),
        ({"price_minor": "3590"}, "lines.0.price_minor"),
        ({"price_minor": True}, "lines.0.price_minor"),
        ({"key": ""}, "key"),
        ({"key": "k" * 65}, "key"),
        ({"show_id": "nonsense"}, "show_id"),
        ({"offer_id": 7}, "lines.0.offer_id"),
        ({"note": "n" * 201}, "note"),
        ({"note": None}, "note"),
        ({"delivery": None}, "delivery"),
        ({"delivery": "home"}, "delivery"),
        ({"delivery": {}}, "delivery.kind"),
        ({"delivery": {"kind": "drone"}}, "delivery.kind"),
        ({"delivery": {"kind": ["courier"]}}, "delivery.kind"),
        ({"delivery": TO_LI | {"name": " \n "}}, "delivery.name"),
        ({"delivery": TO_LI | {"name": "\x00"}}, "delivery.name"),
        ({"delivery": TO_LI | {"name": "\u200b\u200b"}}, "delivery.name"),
        ({"delivery": TO_LI | {"name": "L" * 61}}, "delivery.name"),
        ({"delivery": TO_LI | {"name": 5}}, "delivery.name"),
        ({"delivery": TO_LI | {"phone": ""}}, "delivery.phone"),
        ({"delivery": TO_LI | {"phone": "call me"}}, "delivery.phone"),
        ({"delivery": TO_LI | {"phone": "12345"}}, "delivery.phone"),
        ({"delivery": TO_LI | {"phone": "1" * 19}}, "delivery.phone"),
        ({"delivery": TO_LI | {"address": "home"}}, "delivery.address"),
        ({"delivery": TO_LI | {"address": "a" * 201}}, "delivery.address"),
        (
            {"delivery": {"kind": "pickup", "name": "Li", "phone": "13800138000"}},
            "delivery.point_id",
        ),
    ],
)
def test_what_cannot_be_used_is_named_and_changes_nothing(
    world: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        li_orders(world, **changes)

    assert refusal.value.field == field
    assert nothing_happened(world)


def test_a_number_that_is_too_short_is_not_called_no_number(world: World) -> None:
    with pytest.raises(InvalidInput, match="the whole phone number"):
        li_orders(world, delivery=TO_LI | {"phone": "12"})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138 0013 8000", "13800138000"),
        ("+86 (138) 0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "13800138000"),  # a Chinese keyboard's digits
    ],
)
def test_phones_are_kept_as_digits(world: World, typed: str, kept: str) -> None:
    assert li_orders(world, delivery=TO_LI | {"phone": typed}).phone == kept


def test_text_is_kept_without_what_no_database_takes(world: World) -> None:
    order = li_orders(world, delivery=TO_LI | {"name": " Li\x00 \ud800Mei\t李 "})

    assert order.recipient == "Li Mei 李"


def test_a_changed_price_is_told_and_not_charged(world: World) -> None:
    with pytest.raises(PriceChanged) as refusal:
        li_orders(world, price_minor=2990)

    assert refusal.value.field == "lines.0.price_minor"
    details = refusal.value.details
    assert (details["price_minor"], details["total_minor"], details["currency"]) == (
        3590,
        7180,
        "CNY",
    )
    assert nothing_happened(world)


def test_sold_out_says_how_many_are_left(world: World) -> None:
    with pytest.raises(SoldOut) as refusal:
        li_orders(world, quantity=41)

    assert refusal.value.available == 40
    assert "40" in refusal.value.message
    assert nothing_happened(world)


def test_the_last_box_can_be_bought(world: World) -> None:
    li_orders(world, quantity=40)

    with pytest.raises(SoldOut) as refusal:
        li_orders(world, key="second-click", quantity=1)

    assert refusal.value.available == 0
    assert StockMovement.objects.filter(kind="reserve").count() == 1


def test_an_offer_of_another_show_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        li_orders(world, show_id=uuid4())

    assert nothing_happened(world)


def test_what_is_not_sold_any_more_is_not_found(world: World) -> None:
    world.apples.is_active = False
    world.apples.save()

    with pytest.raises(NotFound):
        li_orders(world)

    assert nothing_happened(world)


def test_a_pickup_has_a_point_and_a_code(world: World) -> None:
    order = li_orders(world, delivery=at_pickup(world))

    assert order.pickup_point == world.pickup
    assert re.fullmatch(r"\d{6}", order.pickup_code)
    assert order.address == ""


def test_another_sellers_pickup_point_is_refused(world: World) -> None:
    elsewhere = PickupPoint.objects.create(seller=world.other_farm, name="Mill", address="Minxian")

    with pytest.raises(InvalidInput) as refusal:
        li_orders(world, delivery=at_pickup(world) | {"point_id": str(elsewhere.public_id)})

    assert refusal.value.field == "delivery.point_id"
    assert nothing_happened(world)


def test_a_closed_pickup_point_is_refused(world: World) -> None:
    world.pickup.is_active = False
    world.pickup.save()

    with pytest.raises(InvalidInput):
        li_orders(world, delivery=at_pickup(world))

    assert nothing_happened(world)


def known_addresses(world: World) -> list[tuple[str, str, str]]:
    begun = checkout(world.li, world.farm)
    return [(one.name, one.phone, one.address) for one in begun["addresses"]]


def test_the_address_is_there_again_next_time(world: World) -> None:
    assert known_addresses(world) == []

    li_orders(world)
    li_orders(world, key="second", delivery=TO_LI | {"address": "9 Hill Road"})
    li_orders(world, key="third")
    hear_of_orders()

    streets = [address for _name, _phone, address in known_addresses(world)]
    assert streets == ["8 River Street", "9 Hill Road"]


def test_who_only_picks_up_need_not_type_the_phone_again(world: World) -> None:
    li_orders(world, delivery=at_pickup(world))

    assert known_addresses(world) == [("Li", "13800138000", "")]
