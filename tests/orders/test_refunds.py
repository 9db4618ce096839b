"""Money on its way back: never more than was paid, once, and visibly if it cannot be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from core.clock import now
from core.errors import AppError, Conflict, InvalidInput, NotFound
from orders.models import Order, OrderState, Refund, RefundState
from orders.services import refunds
from orders.services.fulfil import move_order
from orders.services.payments import pay_back
from orders.services.refunds import carry_out_refunds, failed_refunds, try_again
from sellers.models import Member, MemberRole, StockMovement
from tests.orders.paying import facts, faults_in_money, held, pays, state_of, stripe
from tests.orders.shop import li_orders
from tests.stripe_server import StripeServer
from tests.world import World

__all__ = ["held", "stripe"]

PACKED, SENT, DELIVERED = OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED
PAUSES = timedelta(hours=7)


@pytest.fixture
def paid(stripe: StripeServer, held: Order) -> Order:
    pays(stripe, held)
    held.refresh_from_db()
    return held


@pytest.fixture
def sent(paid: Order, world: World) -> Order:
    for to in (PACKED, SENT):
        move_order(paid.public_id, to, world.zhang)
    return paid


def back(order: Order, amount: Any, key: str = "k", **more: Any) -> Refund:
    return pay_back(order, amount, "bruised", order.seller.members.first().user, key, **more)


def at_stripe(stripe: StripeServer) -> list[int]:
    return [refund["amount"] for refund in stripe.books.refunds.values()]


def later(pauses: int = 1) -> time_machine.travel:
    return time_machine.travel(now() + pauses * PAUSES, tick=True)


@pytest.mark.parametrize("who", ["li", "zhang"])
def test_a_paid_order_that_is_cancelled_is_paid_back_once(
    stripe: StripeServer, paid: Order, world: World, who: str
) -> None:
    for _click in range(2):
        move_order(paid.public_id, OrderState.CANCELLED, getattr(world, who), reason="No time")
        carry_out_refunds()

    assert at_stripe(stripe) == [7180]
    refund = Refund.objects.get()
    assert (refund.state, refund.reason) == (RefundState.DONE, "No time")
    assert [(fact["state"], fact["amount_minor"]) for fact in facts("RefundSettled")] == [
        ("done", 7180)
    ]
    assert faults_in_money() == []


def test_lost_answers_pay_back_once(stripe: StripeServer, paid: Order, world: World) -> None:
    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    stripe.faults.lose_answers = 2  # the SDK tries twice
    carry_out_refunds()
    assert Refund.objects.get().state == RefundState.DUE
    stripe.books.answers.clear()  # as after a day

    with later():
        carry_out_refunds()

    assert at_stripe(stripe) == [7180]
    assert Refund.objects.get().state == RefundState.DONE


def test_a_crash_before_the_answer_is_kept_pays_back_once(
    stripe: StripeServer, paid: Order, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_any: object) -> None:
        raise RuntimeError("the power is gone")

    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    with monkeypatch.context() as patch:
        patch.setattr(refunds, "settle_refund", crash)
        with pytest.raises(RuntimeError):
            carry_out_refunds()

    with later():
        carry_out_refunds()

    assert at_stripe(stripe) == [7180]
    assert Refund.objects.get().state == RefundState.DONE


def test_while_stripe_is_away_it_is_tried_with_growing_pauses(
    stripe: StripeServer, paid: Order, world: World
) -> None:
    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    stripe.faults.fail_next = 4
    carry_out_refunds()
    carry_out_refunds()  # not yet
    refund = Refund.objects.get()
    assert (refund.attempts, refund.state) == (1, RefundState.DUE)
    assert refund.last_error

    with later():
        carry_out_refunds()
        refund.refresh_from_db()
        assert refund.attempts == 2
        assert refund.try_at > now() + refunds.FIRST_PAUSE
    with later(2):
        carry_out_refunds()

    refund.refresh_from_db()
    assert (refund.state, refund.last_error) == (RefundState.DONE, "")


def test_it_gives_up_in_the_end_and_says_so(
    stripe: StripeServer, paid: Order, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    stripe.faults.fail_next = 1000
    for attempt in range(refunds.MOST_ATTEMPTS + 3):
        with later(attempt):
            carry_out_refunds()

    refund = Refund.objects.get()
    assert (refund.state, refund.attempts) == (RefundState.FAILED, refunds.MOST_ATTEMPTS)
    assert "could not be paid back" in caplog.text
    assert [fact["state"] for fact in facts("RefundSettled")] == ["failed"]


def test_what_stripe_refuses_can_be_tried_again_by_hand(
    stripe: StripeServer, paid: Order, world: World, client: Client
) -> None:
    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    stripe.faults.refuse_refunds = True
    carry_out_refunds()
    failed = Refund.objects.get()
    paid.refresh_from_db()
    assert (failed.state, paid.refunded_minor) == (RefundState.FAILED, 0)
    assert failed_refunds() == 1

    stripe.faults.refuse_refunds = False
    assert try_again(failed, world.zhao) == try_again(failed, world.zhao)
    carry_out_refunds()

    assert at_stripe(stripe) == [7180]
    assert failed_refunds() == 0
    with pytest.raises(Conflict):
        try_again(Refund.objects.get(state=RefundState.DONE), world.zhao)
    assert faults_in_money() == []


def test_one_that_is_refused_keeps_no_other_waiting(
    stripe: StripeServer, paid: Order, world: World
) -> None:
    other = li_orders(world, key="another", payment_method="online", quantity=1)
    pays(stripe, other)
    for order in (paid, other):
        move_order(order.public_id, OrderState.CANCELLED, world.li)
    del stripe.books.intents[paid.payments.get().charge]

    carry_out_refunds()

    assert [refund.state for refund in Refund.objects.all()] == ["failed", "done"]


def test_a_part_is_paid_back_and_then_the_rest(stripe: StripeServer, sent: Order) -> None:
    back(sent, 1000, "first")
    assert state_of(sent) == SENT
    back(sent, 6180, "second")
    carry_out_refunds()

    assert state_of(sent) == OrderState.REFUNDED
    assert sorted(at_stripe(stripe)) == [1000, 6180]
    assert faults_in_money() == []


def test_the_same_key_pays_back_once(stripe: StripeServer, sent: Order) -> None:
    assert back(sent, 1000) == back(sent, 1000)
    with pytest.raises(Conflict):
        back(sent, 1001)

    assert Refund.objects.count() == 1
    sent.refresh_from_db()
    assert sent.refunded_minor == 1000


@pytest.mark.parametrize("amount", [0, -1, 7181, 10**12, True, 1.5, "100", None])
def test_never_more_than_was_paid(stripe: StripeServer, sent: Order, amount: Any) -> None:
    with pytest.raises(InvalidInput):
        back(sent, amount)
    assert not Refund.objects.exists()


def test_two_refunds_together_are_not_more_than_was_paid(stripe: StripeServer, sent: Order) -> None:
    back(sent, 4000, "one")

    with pytest.raises(InvalidInput) as refusal:
        back(sent, 4000, "two")

    assert refusal.value.details == {"left_minor": 3180}
    assert faults_in_money() == []


def test_a_part_that_was_paid_back_before_is_not_paid_back_again(
    stripe: StripeServer, paid: Order, world: World
) -> None:
    back(paid, 1000)
    move_order(paid.public_id, OrderState.CANCELLED, world.li)
    carry_out_refunds()

    assert sorted(at_stripe(stripe)) == [1000, 6180]
    assert faults_in_money() == []


def test_all_of_it_before_sending_is_a_cancellation(stripe: StripeServer, paid: Order) -> None:
    with pytest.raises(Conflict, match="Cancel the order"):
        back(paid, 7180)
    assert not Refund.objects.exists()


def test_pieces_that_came_back_are_on_sale_again(
    stripe: StripeServer, sent: Order, world: World
) -> None:
    (line,) = sent.lines.all()

    back(sent, 3590, returned_lines={line.pk: 1})

    world.apples.stock.refresh_from_db()
    assert (world.apples.stock.on_hand, world.apples.stock.reserved) == (39, 0)
    movement = StockMovement.objects.get(kind="return")
    assert (movement.on_hand_change, movement.order_id) == (1, sent.public_id)
    assert faults_in_money() == []


@pytest.mark.parametrize(
    ("pieces", "refusal"), [({0: 3}, InvalidInput), ({0: 0}, InvalidInput), ({999: 1}, NotFound)]
)
def test_no_more_comes_back_than_was_sent(
    stripe: StripeServer, sent: Order, pieces: dict[int, int], refusal: type[AppError]
) -> None:
    (line,) = sent.lines.all()
    returned = {line.pk if key == 0 else key: count for key, count in pieces.items()}

    with pytest.raises(refusal):
        back(sent, 1000, returned_lines=returned)

    sent.refresh_from_db()
    assert (sent.refunded_minor, Refund.objects.count()) == (0, 0)
    assert faults_in_money() == []


def test_nothing_comes_back_that_was_not_sent(stripe: StripeServer, paid: Order) -> None:
    (line,) = paid.lines.all()
    with pytest.raises(Conflict):
        back(paid, 1000, returned_lines={line.pk: 1})


def test_cash_is_paid_back_by_hand_and_written_down(world: World) -> None:
    order = li_orders(world)
    with pytest.raises(Conflict, match="Nothing was paid"):
        back(order, 1000)
    for to in (PACKED, SENT, DELIVERED):
        move_order(order.public_id, to, world.zhang)

    refund = back(order, 1000)

    assert (refund.state, refund.payment.provider) == (RefundState.DONE, "cash")
    assert [fact["state"] for fact in facts("RefundSettled")] == ["done"]
    assert faults_in_money() == []


def test_cash_that_was_taken_before_payments_were_written_down(world: World) -> None:
    order = li_orders(world)
    Order.objects.filter(pk=order.pk).update(state=DELIVERED)

    back(order, 1000)

    assert order.payments.get().amount_minor == 7180


def post(client: Client, order: Order, key: str = "k1", **changes: Any) -> Any:
    body = {"amount_minor": 3590, "reason": "bruised", "returned": []} | changes
    return client.post(
        f"/api/v1/orders/{order.public_id}/refunds",
        body,
        content_type="application/json",
        headers={"Idempotency-Key": key} if key else {},
    )


def test_over_http(stripe: StripeServer, sent: Order, world: World, client: Client) -> None:
    client.force_login(world.zhang)

    answer = post(client, sent, returned=[{"line": 1, "quantity": 1}])
    again = post(client, sent, returned=[{"line": 1, "quantity": 1}])

    assert (answer.status_code, again.json()) == (201, answer.json())
    assert answer.json()["state"] == "due"
    money = client.get(f"/api/v1/orders/{sent.public_id}/payments").json()
    assert (money["refunded_minor"], len(money["refunds"])) == (3590, 1)
    assert faults_in_money() == []


def test_long_keys_are_compared_to_their_end(
    stripe: StripeServer, sent: Order, world: World, client: Client
) -> None:
    client.force_login(world.zhang)
    keys = ["k" * 63 + last for last in "aab"]

    answers = [post(client, sent, key, amount_minor=1000) for key in keys]

    assert [answer.status_code for answer in answers] == [201] * 3
    first, again, other = (answer.json()["id"] for answer in answers)
    assert first == again != other
    assert Refund.objects.count() == 2


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 1000}, {"reason": "late"}, {"returned": [{"line": 1, "quantity": 1}]}],
)
def test_a_used_key_is_no_other_refund(
    stripe: StripeServer, sent: Order, world: World, client: Client, changes: Any
) -> None:
    client.force_login(world.zhang)
    assert post(client, sent).status_code == 201

    other = post(client, sent, **changes)

    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert Refund.objects.get().amount_minor == 3590
    assert sent.lines.get().returned == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"amount_minor": "3590"}, 422),
        ({"amount_minor": 1.5}, 422),
        ({"amount_minor": 99999}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x" * 201}, 422),
        ({"returned": [{"line": 2, "quantity": 1}]}, 422),
        ({"returned": [{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]}, 422),
        ({"returned": [{"line": 0, "quantity": 1}]}, 422),
        ({"more": 1}, 422),
        ({"key": ""}, 422),
        ({"key": "k" * 65}, 422),
    ],
)
def test_bad_input_over_http(
    stripe: StripeServer, sent: Order, world: World, client: Client, changes: Any, status: int
) -> None:
    client.force_login(world.zhang)

    assert post(client, sent, **changes).status_code == status
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"), [("li", 403), ("wang", 404), ("gao", 404), ("chen", 403), ("zhao", 201)]
)
def test_who_may_pay_back(
    stripe: StripeServer, sent: Order, world: World, client: Client, who: str, status: int
) -> None:
    Member.objects.create(seller=world.farm, user=world.chen, role=MemberRole.PACKER)
    client.force_login(getattr(world, who))

    assert post(client, sent).status_code == status
    assert Refund.objects.exists() == (status == 201)


def test_a_packer_cancels_only_what_is_not_paid(
    stripe: StripeServer, paid: Order, world: World, client: Client
) -> None:
    Member.objects.create(seller=world.farm, user=world.chen, role=MemberRole.PACKER)
    client.force_login(world.chen)
    unpaid = li_orders(world, key="in cash")

    for state in (OrderState.PAID, PACKED):
        Order.objects.filter(pk=paid.pk).update(state=state)
        page = client.get(f"/studio/orders/{paid.public_id}/").content.decode()
        assert 'value="cancelled"' not in page
        assert "owner or host can cancel" in page
        assert cancels(client, paid) == 403
        assert state_of(paid) == state

    assert 'value="cancelled"' in client.get(f"/studio/orders/{unpaid.public_id}/").content.decode()
    assert cancels(client, unpaid) == 302
    assert state_of(unpaid) == OrderState.CANCELLED
    assert not Refund.objects.exists()


def cancels(client: Client, order: Order) -> int:
    answer = client.post(f"/studio/orders/{order.public_id}/move/", {"to": "cancelled"})
    return answer.status_code
