from __future__ import annotations

import pytest

from core.errors import AppError, Conflict, NotAllowed, NotFound
from core.models import OutboxFact
from orders.models import ALLOWED_MOVES, Order, OrderMove, OrderState
from orders.services.fulfil import move_order
from sellers.models import Member, MemberRole
from tests.books import faults_in_books
from tests.orders.shop import li_orders
from tests.world import World

PLACED, PACKED, SENT = OrderState.PLACED, OrderState.PACKED, OrderState.SENT
DELIVERED, CANCELLED = OrderState.DELIVERED, OrderState.CANCELLED


@pytest.fixture
def order(world: World) -> Order:
    return li_orders(world)


def moved_facts() -> list[str]:
    facts = OutboxFact.objects.filter(type="orders.OrderMoved").order_by("id")
    return [fact.data["state"] for fact in facts]


def stock_of_apples(world: World) -> tuple[int, int]:
    world.apples.stock.refresh_from_db()
    return world.apples.stock.on_hand, world.apples.stock.reserved


def test_an_order_goes_all_the_way(world: World, order: Order) -> None:
    for to in (PACKED, SENT, DELIVERED):
        assert move_order(order.public_id, to, world.zhang).state == to
        assert faults_in_books() == []

    assert stock_of_apples(world) == (38, 0)
    assert moved_facts() == [PACKED, SENT, DELIVERED]
    assert [move.state for move in order.moves.all()] == [PLACED, PACKED, SENT, DELIVERED]


def test_the_fact_says_whom_it_concerns(world: World, order: Order) -> None:
    move_order(order.public_id, PACKED, world.zhang)

    data = OutboxFact.objects.get(type="orders.OrderMoved").data
    assert data["buyer_id"] == str(world.li.public_id)
    assert data["seller_id"] == str(world.farm.public_id)
    assert data["show_id"] == str(world.show.public_id)


def test_packing_leaves_stock_alone(world: World, order: Order) -> None:
    move_order(order.public_id, PACKED, world.zhang)

    assert stock_of_apples(world) == (40, 2)


@pytest.mark.parametrize("before", [[], [PACKED]])
def test_the_seller_cancels_before_sending(
    world: World, order: Order, before: list[OrderState]
) -> None:
    for to in before:
        move_order(order.public_id, to, world.zhang)

    move_order(order.public_id, CANCELLED, world.zhang)

    assert stock_of_apples(world) == (40, 0)
    assert faults_in_books() == []


def test_the_buyer_cancels_while_nobody_has_packed(world: World, order: Order) -> None:
    move_order(order.public_id, CANCELLED, world.li)

    assert stock_of_apples(world) == (40, 0)
    assert order.moves.last().actor == world.li  # type: ignore[union-attr]


def test_the_buyer_is_too_late_once_it_is_packed(world: World, order: Order) -> None:
    move_order(order.public_id, PACKED, world.zhang)

    with pytest.raises(Conflict):
        move_order(order.public_id, CANCELLED, world.li)

    order.refresh_from_db()
    assert order.state == PACKED
    assert stock_of_apples(world) == (40, 2)


@pytest.mark.parametrize("to", [CANCELLED, PACKED, SENT])
def test_a_repeated_click_moves_once(world: World, order: Order, to: OrderState) -> None:
    if to == SENT:
        move_order(order.public_id, PACKED, world.zhang)
    move_order(order.public_id, to, world.zhang)
    moves, stock = OrderMove.objects.count(), stock_of_apples(world)

    assert move_order(order.public_id, to, world.zhang).state == to

    assert (OrderMove.objects.count(), stock_of_apples(world)) == (moves, stock)
    assert faults_in_books() == []


FORBIDDEN = [
    (state, to)
    for state in OrderState
    for to in OrderState
    if to not in ALLOWED_MOVES[state] and to != state
]


@pytest.mark.parametrize(("state", "to"), FORBIDDEN)
def test_no_other_move_is_made(
    world: World, order: Order, state: OrderState, to: OrderState
) -> None:
    Order.objects.filter(pk=order.pk).update(state=state)
    stock = stock_of_apples(world)

    with pytest.raises(Conflict):
        move_order(order.public_id, to, world.zhang)

    order.refresh_from_db()
    assert order.state == state
    assert stock_of_apples(world) == stock
    assert moved_facts() == []


@pytest.mark.parametrize("role", MemberRole)
def test_all_the_sellers_people_fulfil(world: World, order: Order, role: MemberRole) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=role)

    assert move_order(order.public_id, PACKED, world.wang).state == PACKED


def test_the_county_centre_helps_out(world: World, order: Order) -> None:
    assert move_order(order.public_id, PACKED, world.zhao).state == PACKED


@pytest.mark.parametrize(
    ("who", "to", "refusal"),
    [
        ("gao", PACKED, NotFound),
        ("wang", CANCELLED, NotFound),
        ("chen", PACKED, NotFound),
        ("li", PACKED, NotAllowed),
        ("li", DELIVERED, NotAllowed),
    ],
)
def test_nobody_else_moves_it(
    world: World, order: Order, who: str, to: OrderState, refusal: type[AppError]
) -> None:
    stock = stock_of_apples(world)

    with pytest.raises(refusal):
        move_order(order.public_id, to, getattr(world, who))

    order.refresh_from_db()
    assert order.state == PLACED
    assert stock_of_apples(world) == stock
    assert moved_facts() == []
