"""Payments that come late, twice or unannounced: the order has them, or the money goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from core.clock import now
from orders.models import Order, OrderState, Payment, PaymentState, Refund
from orders.payment_errors import PaymentServiceAway
from orders.services import payments
from orders.services.fulfil import move_order
from orders.services.open_payments import look_after_open_payments
from orders.services.refunds import carry_out_refunds
from tests.orders.paying import (
    facts,
    faults_in_money,
    held,
    is_over,
    pays,
    session_of,
    start,
    state_of,
    stripe,
)
from tests.stripe_server import StripeServer
from tests.world import World

__all__ = ["held", "stripe"]


def test_a_late_payment_goes_back_by_itself(stripe: StripeServer, held: Order) -> None:
    payment = start(held)
    is_over(held)
    assert state_of(held) == OrderState.EXPIRED
    stripe.pay(payment.reference or "")

    payment = payments.read_payment(payment)
    carry_out_refunds()
    carry_out_refunds()

    assert (payment.state, payment.is_surplus) == (PaymentState.PAID, True)
    assert state_of(held) == OrderState.EXPIRED
    assert stripe.refunded(payment.charge) == held.total_minor
    assert Refund.objects.get().state == "done"
    assert "gone already" in Refund.objects.get().reason
    assert [(fact["state"], fact["is_surplus"]) for fact in facts("PaymentSettled")] == [
        ("paid", True)
    ]
    assert [fact["amount_minor"] for fact in facts("RefundSettled")] == [held.total_minor]
    assert faults_in_money() == []


def test_a_second_payment_goes_back_by_itself(stripe: StripeServer, held: Order) -> None:
    first = start(held)
    Payment.objects.filter(pk=first.pk).update(state=PaymentState.FAILED)  # as we once believed
    pays(stripe, held)
    stripe.pay(first.reference or "")

    payments.read_payment(first)
    carry_out_refunds()

    assert state_of(held) == OrderState.PAID
    assert [one.is_surplus for one in Payment.objects.all()] == [True, False]
    assert "paid already" in Refund.objects.get().reason
    first.refresh_from_db()
    assert stripe.refunded(first.charge) == held.total_minor
    assert held.refunded_minor == 0
    assert faults_in_money() == []


def test_cash_was_chosen_while_the_page_was_open(stripe: StripeServer, held: Order) -> None:
    payment = start(held)
    move_order(held.public_id, OrderState.PLACED, held.buyer)
    stripe.pay(payment.reference or "")

    payments.read_payment(payment)

    assert state_of(held) == OrderState.PAID
    assert faults_in_money() == []


def test_what_was_paid_online_is_not_paid_in_cash_again(
    stripe: StripeServer, held: Order, world: World
) -> None:
    pays(stripe, held)

    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        move_order(held.public_id, to, world.zhang)

    assert [payment.provider for payment in Payment.objects.all()] == ["stripe"]
    assert faults_in_money() == []


def test_what_is_packed_for_cash_is_not_paid_online(
    stripe: StripeServer, held: Order, world: World
) -> None:
    payment = start(held)
    move_order(held.public_id, OrderState.PLACED, held.buyer)
    move_order(held.public_id, OrderState.PACKED, world.zhang)
    stripe.pay(payment.reference or "")

    assert payments.read_payment(payment).is_surplus
    assert state_of(held) == OrderState.PACKED
    assert faults_in_money() == []


def test_payments_that_nobody_told_of_are_found(stripe: StripeServer, held: Order) -> None:
    payment = start(held)
    stripe.pay(payment.reference or "")
    assert look_after_open_payments() == 0

    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        assert look_after_open_payments() == 1
        assert look_after_open_payments() == 0

    assert state_of(held) == OrderState.PAID


@pytest.mark.parametrize("how", ["cancelled", "expired", "cash"])
def test_an_order_that_is_not_held_any_more_cannot_be_paid_for(
    stripe: StripeServer, held: Order, how: str
) -> None:
    payment = start(held)
    if how == "expired":
        is_over(held)
    else:
        to = OrderState.PLACED if how == "cash" else OrderState.CANCELLED
        move_order(held.public_id, to, held.buyer)

    look_after_open_payments()

    assert session_of(stripe, payment)["status"] == "expired"
    payment.refresh_from_db()
    assert payment.state == PaymentState.FAILED
    assert faults_in_money() == []


def test_one_that_was_made_at_the_last_moment_is_not_lost(
    stripe: StripeServer, held: Order
) -> None:
    payment = start(held)
    move_order(held.public_id, OrderState.CANCELLED, held.buyer)
    stripe.pay(payment.reference or "")

    look_after_open_payments()
    carry_out_refunds()

    payment.refresh_from_db()
    assert payment.is_surplus
    assert stripe.refunded(payment.charge) == held.total_minor
    assert faults_in_money() == []


def test_a_payment_that_was_never_shown_ends_with_its_time(
    stripe: StripeServer, held: Order
) -> None:
    stripe.faults.fail_next = 2
    with pytest.raises(PaymentServiceAway):
        start(held)

    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        look_after_open_payments()
        assert Payment.objects.get().state == PaymentState.OPEN
    with time_machine.travel(now() + timedelta(minutes=40), tick=True):
        look_after_open_payments()
    assert Payment.objects.get().state == PaymentState.FAILED
