"""Orders of several lines, with what they cost to bring, on the seller's terms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.errors import AppError, InvalidInput, NotFound
from core.models import OutboxFact
from orders.errors import (
    BelowMinimum,
    NotDelivered,
    PaymentNotOffered,
    PriceChanged,
    RegionNeeded,
)
from orders.fees import delivery_fee, weight_of
from orders.models import Address, Order, OrderState
from orders.services.quote import Quote, quote
from sellers.errors import SoldOut
from sellers.models import DeliveryZone, Seller, StockMovement, Unit, Variant
from tests import world as world_module
from tests.books import faults_in_books
from tests.orders.shop import TO_LI, at_pickup, hear_of_orders, li_orders, line
from tests.world import World

GANSU, BEIJING, TIBET = "62", "11", "54"
ENDLESS = float("inf")


def pears(world: World, **changes: Any) -> dict[str, Any]:
    pear = {"offer_id": world.pear_offer.public_id, "price_minor": 2590, "quantity": 1}
    return line(world, **(pear | changes))


def of_variant(variant: Variant, **changes: Any) -> dict[str, Any]:
    usual = {"variant_id": variant.public_id, "quantity": 1, "price_minor": variant.price_minor}
    return usual | changes


def to_region(region: str) -> dict[str, str]:
    return TO_LI | {"region": region}


@pytest.fixture
def zones(world: World) -> Seller:
    """Near for 8 yuan and 2 a kilogram, everywhere else for 20, nothing to Tibet."""
    near = {"base_fee_minor": 800, "step_fee_minor": 200, "free_from_minor": 20_000}
    for name, regions, terms in (
        ("near", [GANSU], near),
        ("nowhere", [TIBET], {"is_served": False}),
        ("the rest", [], {"base_fee_minor": 2000, "base_weight_g": 20_000}),
    ):
        DeliveryZone.objects.create(seller=world.farm, name=name, regions=regions, **terms)
    return world.farm


def nothing_happened() -> bool:
    return (
        not Order.objects.exists()
        and not OutboxFact.objects.exists()
        and not Address.objects.exists()
        and not StockMovement.objects.filter(kind="reserve").exists()
        and faults_in_books() == []
    )


# Several lines


def test_lines_are_one_order_with_one_total(world: World) -> None:
    order = li_orders(
        world,
        lines=[
            line(world),
            pears(world),
        ],
        total_minor=9770,
    )

    assert [(one.title, one.quantity) for one in order.lines.order_by("pk")] == [
        ("Huaniu apples, 5 kg box", 2),
        ("Snow pears, 3 kg box", 1),
    ]
    assert order.total_minor == 9770
    world.pear_offer.refresh_from_db()
    assert world.pear_offer.sold == 1
    assert faults_in_books() == []


def test_what_is_not_in_a_show_is_bought_at_its_own_price(world: World) -> None:
    order = li_orders(world, show_id=None, lines=[of_variant(world.pears)])

    assert (order.show_id, order.total_minor) == (None, 2590)
    assert order.lines.get().offer is None


def test_a_show_is_named_only_by_its_offers(world: World) -> None:
    """Nobody's order of their own goods is told in somebody else's room."""
    assert li_orders(world, lines=[of_variant(world.pears)]).show_id is None


def test_if_one_line_is_sold_out_nothing_is_ordered(world: World) -> None:
    with pytest.raises(SoldOut) as refusal:
        li_orders(world, lines=[line(world), pears(world, quantity=13)])

    assert refusal.value.field == "lines.1.quantity"
    assert refusal.value.variant_id == world.pears.public_id
    assert nothing_happened()


@pytest.mark.parametrize(
    ("make", "error", "field"),
    [
        (lambda w: [], InvalidInput, "lines"),
        (lambda w: None, InvalidInput, "lines"),
        (lambda w: "apples", InvalidInput, "lines"),
        (lambda w: {"0": line(w)}, InvalidInput, "lines"),
        (lambda w: ["apples"], InvalidInput, "lines.0"),
        (lambda w: [{}], InvalidInput, "lines.0.offer_id"),
        (lambda w: [line(w, variant_id=w.apples.public_id)], InvalidInput, "lines.0.offer_id"),
        (lambda w: [line(w), line(w)], InvalidInput, "lines.1.offer_id"),
        (lambda w: [line(w), of_variant(w.apples)], InvalidInput, "lines"),
        (lambda w: [line(w, offer_id=uuid4()) for _n in range(21)], InvalidInput, "lines"),
        (lambda w: [line(w, quantity=ENDLESS)], InvalidInput, "lines.0.quantity"),
        (lambda w: [line(w, quantity=float("nan"))], InvalidInput, "lines.0.quantity"),
        (lambda w: [line(w, quantity=10**30)], InvalidInput, "lines.0.quantity"),
        (lambda w: [line(w), pears(w, quantity=0.5)], InvalidInput, "lines.1.quantity"),
        (lambda w: [line(w, price_minor=-1)], InvalidInput, "lines.0.price_minor"),
        (lambda w: [line(w, price_minor=10**30)], InvalidInput, "lines.0.price_minor"),
        (lambda w: [line(w, offer_id="'; DROP")], InvalidInput, "lines.0.offer_id"),
        (lambda w: [line(w, offer_id=uuid4())], NotFound, "lines.0.offer_id"),
        (lambda w: [line(w), of_variant(w.pears, variant_id=uuid4())], NotFound,
         "lines.1.variant_id"),
        (lambda w: [line(w, offer_id=w.apples.public_id)], NotFound, "lines.0.offer_id"),
        (lambda w: [line(w), pears(w, price_minor=1)], PriceChanged, "lines.1.price_minor"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_change_nothing(
    world: World, make: Any, error: type[AppError], field: str
) -> None:
    with pytest.raises(error) as refusal:
        li_orders(world, lines=make(world))

    assert refusal.value.field == field
    assert nothing_happened()


def test_two_sellers_are_two_orders(world: World) -> None:
    plums = world_module.variant(world.other_farm, "Plums", "box", price_minor=1000, on_hand=5)

    with pytest.raises(InvalidInput) as refusal:
        li_orders(world, lines=[line(world), of_variant(plums)])

    assert refusal.value.field == "lines"
    assert nothing_happened()


def test_what_was_withdrawn_is_not_sold_beside_the_rest(world: World) -> None:
    Variant.objects.filter(pk=world.pears.pk).update(is_active=False)

    with pytest.raises(NotFound):
        li_orders(world, lines=[line(world), pears(world)])

    assert nothing_happened()


# What it costs


@pytest.mark.parametrize(
    ("region", "weight_g", "goods_minor", "fee"),
    [
        (GANSU, 0, 100, 800),
        (GANSU, 1000, 100, 800),
        (GANSU, 1001, 100, 1000),
        (GANSU, 3000, 100, 1200),
        (GANSU, 3000, 20_000, 0),
        (BEIJING, 20_000, 100, 2000),
        (BEIJING, 90_000, 10**9, 2000),
    ],
)
def test_the_fee_follows_region_weight_and_worth(
    zones: Seller, region: str, weight_g: int, goods_minor: int, fee: int
) -> None:
    assert delivery_fee(list(zones.zones.all()), region, weight_g, goods_minor) == fee


def test_without_zones_it_is_brought_for_nothing(world: World) -> None:
    assert delivery_fee([], "", 10**6, 1) == 0


@pytest.mark.parametrize(
    ("unit", "weight_g", "grams"),
    [(Unit.KG, 0, 3000), (Unit.JIN, 0, 1500), (Unit.JIN, 600, 1800), (Unit.BOX, 0, 0)],
)
def test_what_is_sold_by_weight_has_one(unit: Unit, weight_g: int, grams: int) -> None:
    assert weight_of([(Variant(unit=unit, weight_g=weight_g), 3)]) == grams


def test_the_order_has_the_fee_that_was_seen(world: World, zones: Seller) -> None:
    # Two boxes of five kilograms: nine further kilograms begun.
    order = li_orders(world, delivery=to_region(GANSU), total_minor=7180 + 800 + 9 * 200)

    assert (order.delivery_fee_minor, order.region) == (2600, GANSU)
    hear_of_orders()
    assert Address.objects.get().region == GANSU


@pytest.mark.parametrize("total_minor", [None, 7180, 9781, 0])
def test_another_total_is_told_and_not_charged(
    world: World, zones: Seller, total_minor: int | None
) -> None:
    with pytest.raises(PriceChanged) as refusal:
        li_orders(world, delivery=to_region(GANSU), total_minor=total_minor)

    assert refusal.value.field == "total_minor"
    assert refusal.value.details["fee_minor"] == 2600
    assert refusal.value.details["total_minor"] == 9780
    assert nothing_happened()


@pytest.mark.parametrize(
    ("region", "error"),
    [(TIBET, NotDelivered), ("", RegionNeeded), ("99", InvalidInput), (7, InvalidInput)],
)
def test_where_nothing_is_brought_nothing_is_ordered(
    world: World, zones: Seller, region: Any, error: type[AppError]
) -> None:
    with pytest.raises(error) as refusal:
        li_orders(world, delivery=to_region(region), total_minor=7180)

    assert refusal.value.field == "delivery.region"
    assert nothing_happened()


def test_who_fetches_it_pays_no_fee(world: World, zones: Seller) -> None:
    assert li_orders(world, delivery=at_pickup(world)).total_minor == 7180


def test_a_small_order_is_below_the_minimum(world: World) -> None:
    Seller.objects.filter(pk=world.farm.pk).update(min_order_minor=7181)

    with pytest.raises(BelowMinimum, match=r"^Add goods for .+ \(delivery does not count\)\.$"):
        li_orders(world)

    assert nothing_happened()


# How it is paid


def test_paid_online_it_is_held_for_a_while(world: World) -> None:
    order = li_orders(world, payment_method="online")

    assert order.state == OrderState.HELD
    assert order.held_until == order.placed_at + timedelta(minutes=15)
    assert [move.state for move in order.way] == [OrderState.HELD]
    placed = OutboxFact.objects.get(type="orders.OrderPlaced")
    assert placed.data["state"] == "held"
    assert faults_in_books() == []


@pytest.mark.parametrize(
    ("takes", "method"),
    [({"takes_cash": False}, "cash_on_delivery"), ({"takes_online": False}, "online")],
)
def test_a_seller_is_paid_as_the_seller_wants(
    world: World, takes: dict[str, bool], method: str
) -> None:
    Seller.objects.filter(pk=world.farm.pk).update(**takes)

    with pytest.raises(PaymentNotOffered):
        li_orders(world, payment_method=method)

    assert nothing_happened()


@pytest.mark.parametrize("method", ["gold", "", None, 5, ["online"]])
def test_another_way_to_pay_there_is_not(world: World, method: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        li_orders(world, payment_method=method)

    assert refusal.value.field == "payment_method"


# Quotes


def quoted(world: World, **changes: Any) -> Quote:
    usual: dict[str, Any] = {
        "buyer": world.li,
        "lines": [line(world)],
        "show_id": world.show.public_id,
        "delivery_kind": "courier",
        "region": GANSU,
    }
    return quote(**(usual | changes))


def test_a_quote_is_what_the_order_costs_then(world: World, zones: Seller) -> None:
    told = quoted(world)

    assert (told.goods_minor, told.fee_minor, told.total_minor) == (7180, 2600, 9780)
    assert (told.weight_g, told.problems) == (10_000, [])
    assert told.payment_methods == ["cash_on_delivery", "online"]
    assert li_orders(world, delivery=to_region(GANSU), total_minor=told.total_minor).pk


def test_a_quote_names_everything_that_stands_in_the_way(world: World, zones: Seller) -> None:
    Seller.objects.filter(pk=world.farm.pk).update(min_order_minor=10**6)
    wanted = [line(world, quantity=41), pears(world), line(world, offer_id=uuid4())]

    told = quoted(world, lines=wanted, region=TIBET)

    assert [one.code for one in told.problems] == [
        "not_found",
        "sold_out",
        "not_delivered",
        "below_minimum",
    ]
    assert [(one.available, one.problem) for one in told.lines] == [(40, "sold_out"), (12, None)]
    assert told.fee_minor is None


def test_a_quote_changes_nothing(world: World) -> None:
    quoted(world)

    assert nothing_happened()


def test_nothing_that_is_sold_has_no_quote(world: World) -> None:
    with pytest.raises(NotFound):
        quoted(world, lines=[line(world, offer_id=uuid4())])
