from __future__ import annotations

import pytest

from core.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from core.models import OutboxFact
from orders.access import SELLER_MOVES
from orders.models import ALLOWED_MOVES, Order, OrderMove, OrderState, Payment, PaymentMethod
from orders.services.fulfil import move_order
from sellers.models import CancelUntil, Member, MemberRole
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
    assert [move.state for move in order.way] == [PLACED, PACKED, SENT, DELIVERED]
    assert order.way[0].actor == world.li


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

    with pytest.raises(Conflict if to in SELLER_MOVES else NotAllowed):
        move_order(order.public_id, to, world.zhang)
    with pytest.raises(Conflict):
        move_order(order.public_id, to, None)

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
        ("li", DELIVERED, Conflict),
        ("li", OrderState.PAID, NotAllowed),
        ("zhang", OrderState.PAID, NotAllowed),
        ("zhang", OrderState.EXPIRED, NotAllowed),
        ("zhang", OrderState.REFUNDED, NotAllowed),
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


HELD, PAID = OrderState.HELD, OrderState.PAID


def moved_to(order: Order, state: OrderState) -> None:
    Order.objects.filter(pk=order.pk).update(state=state)


@pytest.mark.parametrize(
    ("until", "allowed"),
    [
        (CancelUntil.PACKED, {HELD, PLACED, PAID}),
        (CancelUntil.SENT, {HELD, PLACED, PAID, PACKED}),
    ],
)
@pytest.mark.parametrize("state", sorted(set(OrderState) - {CANCELLED}))
def test_the_buyer_cancels_for_as_long_as_the_seller_says(
    world: World, order: Order, until: CancelUntil, allowed: set[OrderState], state: OrderState
) -> None:
    world.farm.cancel_until = until
    world.farm.save()
    moved_to(order, state)

    if state in allowed:
        assert move_order(order.public_id, CANCELLED, world.li).state == CANCELLED
        assert stock_of_apples(world) == (40, 0)
    else:
        with pytest.raises(Conflict):
            move_order(order.public_id, CANCELLED, world.li)
        assert stock_of_apples(world) == (40, 2)


def test_the_buyer_confirms_what_came_and_has_paid_in_cash(world: World, order: Order) -> None:
    for to in (PACKED, SENT):
        move_order(order.public_id, to, world.zhang)

    assert move_order(order.public_id, DELIVERED, world.li).state == DELIVERED

    cash = Payment.objects.get()
    assert (cash.provider, cash.state, cash.amount_minor) == ("cash", "paid", 7180)
    move_order(order.public_id, DELIVERED, world.zhang)
    assert Payment.objects.count() == 1


def test_the_buyer_pays_on_delivery_after_all(world: World, order: Order) -> None:
    moved_to(order, HELD)

    assert move_order(order.public_id, PLACED, world.li).state == PLACED

    order.refresh_from_db()
    assert (order.payment_method, order.held_until) == (PaymentMethod.CASH_ON_DELIVERY, None)


def test_who_takes_no_cash_is_paid_before(world: World, order: Order) -> None:
    world.farm.takes_cash = False
    world.farm.save()
    moved_to(order, HELD)

    with pytest.raises(NotAllowed):
        move_order(order.public_id, PLACED, world.li)


def test_a_parcel_has_a_number_that_can_be_corrected(world: World, order: Order) -> None:
    move_order(order.public_id, PACKED, world.zhang)
    move_order(order.public_id, SENT, world.zhang, carrier="SF", tracking_number="SF123")
    stock = stock_of_apples(world)

    move_order(order.public_id, SENT, world.zhang, tracking_number="SF124")
    move_order(order.public_id, SENT, world.zhang)

    order.refresh_from_db()
    assert (order.carrier, order.tracking_number) == ("SF", "SF124")
    assert stock_of_apples(world) == stock
    assert order.moves.filter(state=SENT).count() == 1


def test_a_move_says_why(world: World, order: Order) -> None:
    move_order(order.public_id, CANCELLED, world.zhang, reason="The frost took them.")

    move = order.moves.get(state=CANCELLED)
    assert (move.actor, move.reason) == (world.zhang, "The frost took them.")
    with pytest.raises(InvalidInput):
        move_order(order.public_id, CANCELLED, world.zhang, reason="x" * 201)


def test_what_was_given_back_is_on_sale_again_in_the_show(world: World, order: Order) -> None:
    move_order(order.public_id, CANCELLED, world.li)

    world.apple_offer.refresh_from_db()
    assert world.apple_offer.sold == 0
