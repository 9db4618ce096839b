"""On which terms a show sells: windows, flash drops, quantities, limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.clock import now
from core.errors import AppError, Conflict, InvalidInput, NotFound
from core.models import OutboxFact
from orders.errors import LimitReached, OfferClosed, OfferNotOpen, OfferSoldOut
from orders.models import Offer, Order, OrderState
from orders.selectors import offer_views
from orders.services.counters import give_back
from orders.services.fulfil import move_order
from orders.services.offers import OPEN_LEAD, close_now, open_now, put_on_sale, take_off_sale
from tests.books import faults_in_books
from tests.orders.shop import li_orders, line
from tests.world import World

HOUR = timedelta(hours=1)


def terms(world: World, **changes: Any) -> Offer:
    """The apples' offer on these terms, at its usual price."""
    return put_on_sale(world.show.public_id, world.apples, **({"price_minor": 3590} | changes))


def told(kind: str = "orders.OfferChanged") -> list[int]:
    rows = OutboxFact.objects.filter(type=kind).order_by("id")
    return [row.data["version"] for row in rows]


@pytest.mark.parametrize(
    ("window", "error"),
    [
        ({"opens_at": now() + HOUR}, OfferNotOpen),
        ({"opens_at": now() - HOUR, "closes_at": now() - HOUR / 2}, OfferClosed),
        ({"closes_at": now() - HOUR}, OfferClosed),
        ({"on_tap": True}, OfferNotOpen),
    ],
)
def test_outside_of_its_window_nothing_is_sold(
    world: World, window: dict[str, Any], error: type[AppError]
) -> None:
    terms(world, **window)

    with pytest.raises(error) as refusal:
        li_orders(world)

    assert refusal.value.field == "lines.0.offer_id"
    assert not Order.objects.exists()


def test_inside_of_its_window_it_is(world: World) -> None:
    terms(world, opens_at=now() - HOUR, closes_at=now() + HOUR)

    assert li_orders(world).pk


def test_a_tap_opens_for_everybody_at_the_same_moment(world: World) -> None:
    offer = terms(world, on_tap=True, lasts_s=60)

    opened = open_now(offer.public_id, world.zhang)
    again = open_now(offer.public_id, world.zhang)

    assert opened.opens_at is not None
    assert timedelta() < opened.opens_at - now() <= OPEN_LEAD
    assert opened.closes_at == opened.opens_at + timedelta(seconds=60)
    assert (again.opens_at, again.version) == (opened.opens_at, opened.version)
    with pytest.raises(OfferNotOpen) as refusal:
        li_orders(world)
    assert refusal.value.opens_at == opened.opens_at
    assert told() == [1, 2]


def test_what_was_tapped_sells_and_closes(world: World) -> None:
    offer = terms(world, on_tap=True, lasts_s=60)
    open_now(offer.public_id, world.zhang)
    Offer.objects.filter(pk=offer.pk).update(opens_at=now() - HOUR, closes_at=now() + HOUR)
    assert li_orders(world).pk

    closed = close_now(offer.public_id, world.zhang)
    assert close_now(offer.public_id, world.zhang).version == closed.version

    with pytest.raises(OfferClosed):
        li_orders(world, key="too late")


def test_a_drop_that_was_closed_can_be_opened_again(world: World) -> None:
    offer = terms(world, on_tap=True)
    open_now(offer.public_id, world.zhang)
    close_now(offer.public_id, world.zhang)

    assert open_now(offer.public_id, world.zhang).closes_at is None


def test_closing_before_the_tap_changes_nothing(world: World) -> None:
    offer = terms(world, on_tap=True)

    assert close_now(offer.public_id, world.zhang).version == offer.version


def test_only_who_keeps_the_goods_taps(world: World) -> None:
    offer = terms(world, on_tap=True)

    for stranger in (world.li, world.gao):
        with pytest.raises(NotFound):
            open_now(offer.public_id, stranger)
    with pytest.raises(Conflict):
        open_now(world.pear_offer.public_id, world.zhang)
    offer.refresh_from_db()
    assert offer.opens_at is None


def test_a_show_sells_as_many_as_it_means_to(world: World) -> None:
    terms(world, quantity=3)
    li_orders(world)

    with pytest.raises(OfferSoldOut) as refusal:
        li_orders(world, key="second")

    assert refusal.value.available == 1
    [apples, _pears] = offer_views(world.show.public_id)
    assert (apples.left, apples.quantity, apples.available) == (1, 3, 38)
    assert told() == [1, 2]


def test_what_is_left_is_told_also_when_it_comes_back(world: World) -> None:
    terms(world, quantity=3)
    order = li_orders(world)
    Order.objects.filter(pk=order.pk).update(state="cancelled")

    give_back(order, actor=world.li)

    assert Offer.objects.get(pk=world.apple_offer.pk).sold == 0
    assert told() == [1, 2, 3]
    assert faults_in_books() == []


@pytest.mark.parametrize("first", [0, 1, 2])
def test_each_buyer_may_have_so_many(world: World, first: int) -> None:
    terms(world, per_buyer=2)
    if first:
        li_orders(world, key="before", quantity=first)

    with pytest.raises(LimitReached) as refusal:
        li_orders(world, quantity=3 - first)

    assert refusal.value.details == {"per_buyer": 2, "already": first}
    assert li_orders(world, buyer=world.wang).pk


def test_what_was_cancelled_does_not_count(world: World) -> None:
    terms(world, per_buyer=2)
    order = li_orders(world)
    Order.objects.filter(pk=order.pk).update(state="cancelled")
    give_back(order, actor=world.li)

    assert li_orders(world, key="second").pk


def test_the_same_terms_again_change_nothing(world: World) -> None:
    closes_at = now() + HOUR
    first = terms(world, per_buyer=2, closes_at=closes_at)
    again = terms(world, per_buyer=2, closes_at=closes_at)

    assert (again.pk, again.version) == (first.pk, first.version)


def test_other_terms_keep_what_was_tapped(world: World) -> None:
    offer = open_now(terms(world, on_tap=True).public_id, world.zhang)

    assert terms(world, on_tap=True, per_buyer=1).opens_at == offer.opens_at


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_minor": 0}, "price_minor"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10**9}, "quantity"),
        ({"per_buyer": -1}, "per_buyer"),
        ({"lasts_s": 0}, "lasts_s"),
        ({"opens_at": now(), "closes_at": now() - HOUR}, "closes_at"),
        ({"on_tap": True, "closes_at": now()}, "closes_at"),
        ({"quantity": 1}, "quantity"),  # two are sold
    ],
)
def test_terms_that_cannot_be_are_named(world: World, changes: dict[str, Any], field: str) -> None:
    li_orders(world)

    with pytest.raises(InvalidInput) as refusal:
        terms(world, **changes)

    assert refusal.value.field == field
    assert told() == []


def test_an_offer_can_be_taken_away_and_its_orders_stay(world: World) -> None:
    order = li_orders(world)

    assert take_off_sale(world.show.public_id, world.apples)
    assert not take_off_sale(world.show.public_id, world.apples)

    assert told("orders.OfferRemoved") == [world.apple_offer.version + 1]
    assert order.lines.get().price_minor == 3590
    with pytest.raises(NotFound):
        li_orders(world, key="second", lines=[line(world)])


def test_what_is_put_back_has_sold_what_it_sold(world: World) -> None:
    order = li_orders(world)
    gone = li_orders(world, key="another")
    move_order(gone.public_id, OrderState.CANCELLED, world.li)
    take_off_sale(world.show.public_id, world.apples)

    with pytest.raises(InvalidInput):
        terms(world, quantity=1)  # two are sold
    back = terms(world, per_buyer=2)

    assert back.sold == order.lines.get().quantity
    lines = [line(world) | {"offer_id": back.public_id}]
    with pytest.raises(LimitReached):
        li_orders(world, key="third", lines=lines)
    move_order(order.public_id, OrderState.CANCELLED, world.li)
    assert faults_in_books() == []
