"""Paying online at a Stripe of ours: each order is charged once, or the money goes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from core.clock import now
from core.errors import NotFound
from orders import payments as services
from orders.models import (
    NoticeOutcome,
    Order,
    OrderState,
    Payment,
    PaymentNotice,
    PaymentState,
    Refund,
)
from orders.payment_errors import PaymentRefused, PaymentServiceAway, TimeToPayOver
from orders.payments.interface import (
    NotGenuine,
    Notice,
    PaymentStatus,
    PaymentTold,
    RefundStatus,
    RefundTold,
    ShowAs,
    Started,
)
from orders.services import payments
from orders.services.fulfil import move_order
from orders.services.refunds import carry_out_refunds
from tests.orders.paying import (
    BACK,
    facts,
    faults_in_money,
    held,
    is_over,
    session_of,
    start,
    state_of,
    stripe,
    told,
)
from tests.orders.shop import li_orders
from tests.stripe_server import StripeServer
from tests.world import World

__all__ = ["held", "stripe"]


def test_the_buyer_is_sent_to_a_page_that_knows_what_is_paid_for(
    stripe: StripeServer, held: Order
) -> None:
    payment = start(held)

    session = session_of(stripe, payment)
    assert payment.show_as["redirect"] == session["url"]
    assert session["items"] == [("Huaniu apples, 5 kg box", 3590, 2, "cny")]
    assert session["amount_total"] == held.total_minor == payment.amount_minor
    assert session["payment_method_types"] == ["card", "alipay", "wechat_pay"]
    assert session["client_reference_id"] == str(held.public_id)
    assert session["metadata"]["payment"] == str(payment.public_id)
    assert (session["success_url"], session["cancel_url"]) == (BACK, BACK)


def test_the_fee_is_a_line_of_its_own(stripe: StripeServer, held: Order) -> None:
    Order.objects.filter(pk=held.pk).update(delivery_fee_minor=800, total_minor=7980)

    session = session_of(stripe, start(held))

    assert session["items"][1][:3] == ("Delivery", 800, 1)
    assert session["amount_total"] == 7980


def test_a_payment_under_way_keeps_the_goods(stripe: StripeServer, held: Order) -> None:
    payment = start(held)

    held.refresh_from_db()
    assert payment.expires_at is not None
    assert held.held_until is not None
    assert payment.expires_at < held.held_until <= held.placed_at + timedelta(hours=2, minutes=15)


def test_starting_again_is_the_same_payment(stripe: StripeServer, held: Order) -> None:
    assert start(held) == start(held)
    assert len(stripe.books.sessions) == 1


def test_who_comes_back_has_paid_also_without_a_notice(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    client.force_login(held.buyer)
    out = client.get(f"/orders/{held.public_id}/pay/")
    assert out.status_code == 302
    (session,) = stripe.books.sessions.values()
    assert out["Location"] == session["url"]
    assert session["success_url"] == f"http://testserver/orders/{held.public_id}/paid/"
    stripe.pay(session["id"])

    back = client.get(f"/orders/{held.public_id}/paid/")

    assert back["Location"] == f"/orders/{held.public_id}/"
    assert state_of(held) == OrderState.PAID
    assert held.held_until is None
    assert [fact["state"] for fact in facts("PaymentSettled")] == ["paid"]
    assert faults_in_money() == []


def test_who_comes_back_without_paying_can_still_pay(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    client.force_login(held.buyer)
    client.get(f"/orders/{held.public_id}/pay/")

    client.get(f"/orders/{held.public_id}/paid/")
    client.get(f"/orders/{held.public_id}/pay/")

    assert state_of(held) == OrderState.HELD
    assert len(stripe.books.sessions) == 1


def test_nobody_pays_for_somebody_elses_order(
    stripe: StripeServer, held: Order, world: World, client: Client
) -> None:
    for person in (world.zhang, world.wang):
        with pytest.raises(NotFound):
            payments.start_payment(held.public_id, person, return_to=BACK)
        client.force_login(person)
        assert client.get(f"/orders/{held.public_id}/pay/").status_code == 404
        assert client.get(f"/orders/{held.public_id}/paid/").status_code == 404
    assert stripe.books.requests == []


def test_practice_is_never_paid_for(stripe: StripeServer, held: Order, world: World) -> None:
    world.farm.is_sandbox = True
    world.farm.save()

    with pytest.raises(PaymentRefused):
        start(held)
    assert stripe.books.requests == []


def _crash(*_any: object) -> Payment:
    raise RuntimeError("the power is gone")


def test_a_crash_after_the_session_was_made_leaves_one_session(
    stripe: StripeServer, held: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(payments, "_keep", _crash)
        with pytest.raises(RuntimeError):
            start(held)
    assert len(stripe.books.sessions) == 1

    payment = start(held)

    assert list(stripe.books.sessions) == [payment.reference]
    assert Payment.objects.count() == 1


def test_an_answer_that_is_lost_leaves_one_session(stripe: StripeServer, held: Order) -> None:
    stripe.faults.lose_answers = 1

    payment = start(held)

    assert list(stripe.books.sessions) == [payment.reference]


def test_while_stripe_is_away_the_buyer_is_told_to_try_again(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    stripe.faults.fail_next = 2

    client.force_login(held.buyer)
    page = client.get(f"/orders/{held.public_id}/pay/")
    assert page.status_code == 503
    assert "does not answer" in page.content.decode()

    assert start(held).show_as["redirect"]
    stripe.faults.fail_next = 2
    assert start(held).state == PaymentState.OPEN  # it is known; nobody needs to be asked


def test_after_a_longer_outage_the_buyer_pays_at_the_next_try(
    stripe: StripeServer, held: Order
) -> None:
    """Stripe wants 30 minutes from now; those of the first try are over by then."""
    stripe.faults.fail_next = 2
    with pytest.raises(PaymentServiceAway):
        start(held)
    with time_machine.travel(now() + timedelta(minutes=5), tick=True):
        payment = start(held)
        held.refresh_from_db()
        assert payment.expires_at is not None
        assert held.held_until is not None
        assert held.held_until > payment.expires_at > now() + timedelta(minutes=30)

        stripe.pay(payment.reference or "")
        payments.read_payment(payment)
    assert state_of(held) == OrderState.PAID


def test_a_session_that_was_made_and_lost_ends_without_harm(
    stripe: StripeServer, held: Order, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was sent to it; that it expires says nothing of the payment that followed it."""
    with monkeypatch.context() as patch:
        patch.setattr(payments, "_keep", _crash)
        with pytest.raises(RuntimeError):
            start(held)
    lost = next(iter(stripe.books.sessions))
    with time_machine.travel(now() + timedelta(minutes=5), tick=True):
        payment = start(held)
        expired = stripe.event("checkout.session.expired", stripe.expire(lost))
        assert told(client, expired).status_code == 204

        stripe.pay(payment.reference or "")
        payments.read_payment(payment)
    assert payment.reference != lost
    assert state_of(held) == OrderState.PAID
    assert PaymentNotice.objects.get().outcome == NoticeOutcome.NOTHING
    assert not Refund.objects.exists()


def test_what_stripe_refuses_can_be_started_anew(
    stripe: StripeServer, held: Order, settings: object
) -> None:
    with pytest.raises(PaymentRefused):
        payments.start_payment(held.public_id, held.buyer, return_to="no address")

    assert start(held).show_as["redirect"]
    assert [one.state for one in Payment.objects.all()] == ["failed", "open"]


def test_a_session_that_ends_is_followed_by_another(stripe: StripeServer, held: Order) -> None:
    first = start(held)
    with time_machine.travel(now() + timedelta(minutes=30, seconds=30), tick=True):
        second = start(held)

    assert first != second
    assert session_of(stripe, first)["status"] == "expired"
    first.refresh_from_db()
    assert first.state == PaymentState.FAILED


def test_payments_cannot_keep_goods_for_ever(stripe: StripeServer, held: Order) -> None:
    """The hold's own 15 minutes and two hours are time for four payments of 31 minutes."""
    moment = now()
    for begun in range(4):
        with time_machine.travel(moment + begun * timedelta(minutes=31), tick=True):
            start(held)

    with (
        time_machine.travel(moment + 4 * timedelta(minutes=31), tick=True),
        pytest.raises(TimeToPayOver),
    ):
        start(held)


def test_an_order_that_is_gone_is_not_paid_for(stripe: StripeServer, held: Order) -> None:
    is_over(held)

    with pytest.raises(TimeToPayOver):
        start(held)
    assert stripe.books.sessions == {}


def test_orders_for_cash_are_not_paid_online(stripe: StripeServer, world: World) -> None:
    with pytest.raises(TimeToPayOver):
        start(li_orders(world))


def test_over_http(stripe: StripeServer, held: Order, client: Client) -> None:
    address = f"/api/v1/orders/{held.public_id}/payments"
    assert client.post(address).status_code in {401, 403}
    client.force_login(held.buyer)

    answer = client.post(address)
    again = client.post(address)

    assert (answer.status_code, again.json()) == (201, answer.json())
    (session,) = stripe.books.sessions.values()
    assert (answer.json()["redirect"], answer.json()["qr"]) == (session["url"], "")
    told = client.get(address).json()
    assert [payment["state"] for payment in told["payments"]] == ["open"]
    assert (told["refunded_minor"], told["refunds"]) == (0, [])


class Scan:
    """A service whose buyers scan a code, as WeChat's own does: all that one has to bring."""

    name = "scan"
    lasts = timedelta(minutes=5)

    def __init__(self) -> None:
        self.status = PaymentStatus.OPEN

    def start(self, payment: Payment) -> Started:
        ends = now() + self.lasts
        return Started(f"scan-{payment.pk}", ShowAs(qr=f"weixin://pay/{payment.pk}"), ends)

    def read(self, payment: Payment) -> PaymentTold:
        return PaymentTold(
            self.status,
            payment.reference or "",
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            charge="c1",
        )

    def close(self, payment: Payment) -> PaymentTold:
        return PaymentTold(PaymentStatus.FAILED, payment.reference or "")

    def refund(self, refund: Refund) -> RefundTold:
        return RefundTold(RefundStatus.DONE, f"r{refund.pk}", refund.public_id)

    def parse_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        raise NotGenuine


def test_a_service_that_shows_a_code_fits_as_well(
    held: Order, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = Scan()
    monkeypatch.setattr(services, "providers", lambda: {"scan": scan})
    client.force_login(held.buyer)

    page = client.get(f"/orders/{held.public_id}/pay/")
    assert page.status_code == 200
    assert "<svg" in page.content.decode()
    assert (
        client.post(f"/api/v1/orders/{held.public_id}/payments").json()["qr"].startswith("weixin:")
    )

    scan.status = PaymentStatus.PAID
    client.get(f"/orders/{held.public_id}/paid/")
    assert state_of(held) == OrderState.PAID
    move_order(held.public_id, OrderState.CANCELLED, held.buyer)
    carry_out_refunds()
    assert Refund.objects.get().state == "done"
    assert faults_in_money() == []


def test_money_that_does_not_fit_is_said_and_not_taken(
    stripe: StripeServer, held: Order, caplog: pytest.LogCaptureFixture
) -> None:
    payment = start(held)
    session_of(stripe, payment)["amount_total"] = 1
    stripe.pay(payment.reference or "")

    payments.read_payment(payment)

    assert state_of(held) == OrderState.HELD
    assert "was not applied: 1 CNY, not 7180 CNY" in caplog.text
