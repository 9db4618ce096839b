"""What Stripe tells by webhook: genuine or not, once or often, in any order."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from core.models import OutboxFact
from orders.models import NoticeOutcome, Order, OrderState, Payment, PaymentNotice, Refund
from orders.services.fulfil import move_order
from orders.services.refunds import carry_out_refunds
from tests import world as world_module
from tests.orders.paying import (
    WEBHOOK,
    faults_in_money,
    held,
    is_over,
    pays,
    session_of,
    start,
    state_of,
    stripe,
    told,
)
from tests.orders.shop import li_orders
from tests.stripe_server import KEY, StripeServer
from tests.stripe_wire import WEBHOOK_SECRET, Json, signature

__all__ = ["held", "stripe"]

COMPLETED = "checkout.session.completed"
EXPIRED = "checkout.session.expired"


@pytest.fixture
def paid_session(stripe: StripeServer, held: Order) -> Json:
    """Li has paid at Stripe, and nobody told us yet."""
    return stripe.pay(start(held).reference or "")


def outcomes() -> list[tuple[str, str]]:
    return [(one.kind, one.outcome) for one in PaymentNotice.objects.order_by("pk")]


def test_a_notice_makes_the_order_paid(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    answer = told(client, stripe.event(COMPLETED, paid_session))

    assert answer.status_code == 204
    assert state_of(held) == OrderState.PAID
    assert outcomes() == [(COMPLETED, NoticeOutcome.APPLIED)]
    assert Payment.objects.get().charge == paid_session["payment_intent"]
    assert faults_in_money() == []


def test_a_replayed_notice_does_nothing_twice(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    event = stripe.event(COMPLETED, paid_session)
    first = told(client, event)
    facts = OutboxFact.objects.count()

    again = told(client, event)
    other = told(client, stripe.event("checkout.session.async_payment_succeeded", paid_session))

    assert first.status_code == again.status_code == other.status_code == 204
    assert OutboxFact.objects.count() == facts
    assert [outcome for _kind, outcome in outcomes()] == ["applied", "nothing"]
    assert (Payment.objects.count(), Refund.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "whsec_another"},
        {"at": time.time() - 301},
        {"at": time.time() - 10_000_000},
        {"at": time.time() + 3600},
    ],
)
def test_a_forged_old_or_postdated_notice_is_not_kept(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client, forged: dict[str, Any]
) -> None:
    answer = told(client, stripe.event(COMPLETED, paid_session), **forged)

    assert answer.status_code == 400
    assert state_of(held) == OrderState.HELD
    assert not PaymentNotice.objects.exists()


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "t=,v1=", "t=x,v1=y", "\N{SNOWMAN}"])
def test_a_notice_without_a_signature_is_not_kept(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client, header: str
) -> None:
    body = json.dumps(stripe.event(COMPLETED, paid_session))
    headers = {"Stripe-Signature": header.encode().decode("latin-1")}

    answer = client.post(WEBHOOK, body, content_type="application/json", headers=headers)

    assert answer.status_code == 400
    assert not PaymentNotice.objects.exists()


def test_a_changed_body_is_not_kept(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    body = json.dumps(stripe.event(COMPLETED, paid_session)).encode()
    headers = {"Stripe-Signature": signature(body)}
    changed = body.replace(b"7180", b"7181")

    answer = client.post(WEBHOOK, changed, content_type="application/json", headers=headers)

    assert answer.status_code == 400
    assert not PaymentNotice.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"[]", 400),
        (b'{"id": 1, "type": "x", "data": {}}', 400),
        (b"\xff\xfe", 400),
        (b" " * (256 * 1024 + 1), 413),
        (b'{"id": "evt_1", "type": "checkout.session.completed", "data": {}}', 204),
        (b'{"id": "evt_1", "type": "refund.updated", "data": {"object": {"id": []}}}', 204),
        (b'{"id": "evt_1", "type": "customer.created", "data": {"object": {}}}', 204),
    ],
)
def test_what_cannot_be_read_harms_nothing(
    db: None, client: Client, body: bytes, status: int
) -> None:
    headers = {"Stripe-Signature": signature(body)}

    answer = client.post(WEBHOOK, body, content_type="application/json", headers=headers)

    assert answer.status_code == status
    assert PaymentNotice.objects.count() == (status == 204)


def test_without_a_secret_nobody_is_believed(
    stripe: StripeServer, paid_session: Json, client: Client, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""

    assert told(client, stripe.event(COMPLETED, paid_session), secret="").status_code == 400
    assert client.post("/api/v1/payments/paypal/webhook").status_code == 404


@pytest.mark.parametrize(
    "other",
    [
        {"amount_total": 7179},
        {"amount_total": 71800},
        {"amount_total": None},
        {"currency": "usd"},
        {"id": "cs_another"},
        {"metadata": {"payment": "0199b9f1-0000-7000-8000-000000000000"}},
    ],
)
def test_what_does_not_fit_is_kept_and_flagged_and_not_applied(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client, other: Json
) -> None:
    answer = told(client, stripe.event(COMPLETED, paid_session | other))

    assert answer.status_code == 204
    assert state_of(held) == OrderState.HELD
    assert outcomes() == [(COMPLETED, NoticeOutcome.FLAGGED)]
    assert PaymentNotice.objects.get().note


def test_nothing_of_a_person_is_kept(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    details = {"customer_details": {"name": "Li Mei", "email": "li@example.com"}}
    told(client, stripe.event(COMPLETED, paid_session | details))

    kept = json.dumps(PaymentNotice.objects.get().data)
    assert "Li Mei" not in kept
    assert "example.com" not in kept


def test_a_session_that_was_opened_is_no_payment_yet(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    session = session_of(stripe, start(held))
    waiting = session | {"status": "complete", "payment_status": "unpaid"}

    told(client, stripe.event(COMPLETED, waiting))
    assert state_of(held) == OrderState.HELD

    told(
        client, stripe.event("checkout.session.async_payment_succeeded", stripe.pay(session["id"]))
    )
    assert state_of(held) == OrderState.PAID


@pytest.mark.parametrize("kind", [EXPIRED, "checkout.session.async_payment_failed"])
def test_one_that_failed_can_be_followed_by_another(
    stripe: StripeServer, held: Order, client: Client, kind: str
) -> None:
    told(client, stripe.event(kind, session_of(stripe, start(held))))
    assert Payment.objects.get().state == "failed"

    pays(stripe, held)

    assert state_of(held) == OrderState.PAID


def test_expired_may_be_told_before_or_after_completed(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    session = session_of(stripe, start(held))
    told(client, stripe.event(EXPIRED, session))
    paid = stripe.pay(session["id"])
    told(client, stripe.event(COMPLETED, paid))
    told(client, stripe.event(EXPIRED, session))

    assert state_of(held) == OrderState.PAID
    assert Payment.objects.get().state == "paid"
    assert faults_in_money() == []


def test_a_notice_that_overtakes_our_own_answer_is_applied(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    Payment.objects.update(reference=None, show_as={"back": "http://testserver/"})

    told(client, stripe.event(COMPLETED, paid_session))

    assert state_of(held) == OrderState.PAID
    assert Payment.objects.get().reference == paid_session["id"]


def test_a_late_notice_pays_the_money_back(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    is_over(held)

    told(client, stripe.event(COMPLETED, paid_session))
    carry_out_refunds()

    assert state_of(held) == OrderState.EXPIRED
    assert stripe.refunded(paid_session["payment_intent"]) == 7180
    assert faults_in_money() == []


def outside(stripe: StripeServer, session: Json, amount: int) -> Json:
    """Somebody pays back in Stripe's dashboard."""
    form = {"payment_intent": session["payment_intent"], "amount": str(amount)}
    return stripe.answer("POST", "/v1/refunds", form, "")[1]


def test_what_was_paid_back_in_the_dashboard_is_written_down(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    told(client, stripe.event(COMPLETED, paid_session))
    refund = outside(stripe, paid_session, 1000)

    told(client, stripe.event("refund.created", refund))
    told(client, stripe.event("refund.updated", refund))
    told(client, stripe.event("charge.refunded", stripe.charge(paid_session["payment_intent"])))

    held.refresh_from_db()
    assert (held.state, held.refunded_minor) == (OrderState.PAID, 1000)
    assert [outcome for _kind, outcome in outcomes()] == [
        "applied",
        "applied",
        "nothing",
        "nothing",
    ]
    assert faults_in_money() == []


def test_a_refund_may_be_told_before_its_payment(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    refund = outside(stripe, paid_session, 7180)
    told(client, stripe.event("refund.created", refund))
    assert outcomes() == [("refund.created", NoticeOutcome.FLAGGED)]

    told(client, stripe.event(COMPLETED, paid_session))

    assert [outcome for _kind, outcome in outcomes()] == ["applied", "applied"]
    assert state_of(held) == OrderState.CANCELLED  # its money is gone: nothing is to be sent
    assert faults_in_money() == []


def test_more_paid_back_than_we_know_of_is_flagged(
    stripe: StripeServer, held: Order, paid_session: Json, client: Client
) -> None:
    told(client, stripe.event(COMPLETED, paid_session))
    outside(stripe, paid_session, 1000)

    told(client, stripe.event("charge.refunded", stripe.charge(paid_session["payment_intent"])))

    assert outcomes()[-1] == ("charge.refunded", NoticeOutcome.FLAGGED)


def test_a_refund_that_waits_is_done_when_stripe_says_so(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    pays(stripe, held)
    move_order(held.public_id, OrderState.CANCELLED, held.buyer)
    stripe.faults.refunds_pend = True
    carry_out_refunds()
    refund = Refund.objects.get()
    assert (refund.state, refund.reference) == ("due", next(iter(stripe.books.refunds)))

    (known,) = stripe.books.refunds.values()
    told(client, stripe.event("refund.updated", known | {"status": "succeeded"}))

    refund.refresh_from_db()
    assert refund.state == "done"


def test_a_refund_can_fail_after_it_was_done(
    stripe: StripeServer, held: Order, client: Client
) -> None:
    payment = pays(stripe, held)
    move_order(held.public_id, OrderState.CANCELLED, held.buyer)
    carry_out_refunds()
    (known,) = stripe.books.refunds.values()

    told(client, stripe.event("refund.failed", known | {"status": "failed"}))

    assert Refund.objects.get().state == "failed"
    held.refresh_from_db()
    assert (held.refunded_minor, payment.amount_minor) == (0, 7180)


def test_notices_that_come_twice_at_once_are_one(
    stripe: StripeServer, transactional_db: None, live_server: LiveServer
) -> None:
    """The stand-in's own webhooks, each in four copies, to a server with a thread for each."""
    order = li_orders(world_module.build(), payment_method="online")
    stripe.webhook_url, stripe.faults.copies = live_server.url + WEBHOOK, 4
    stripe.pay(start(order).reference or "")

    stripe.wait_until_told()

    assert [status for _event, status in stripe.books.sent] == [204] * 4
    assert state_of(order) == OrderState.PAID
    assert outcomes() == [(COMPLETED, NoticeOutcome.APPLIED)]
    assert faults_in_money() == []


def test_keys_and_numbers_stay_out_of_the_log(
    stripe: StripeServer, held: Order, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "stripe"):
        payment = pays(stripe, held)
        told(client, stripe.event(COMPLETED, session_of(stripe, payment)))
        move_order(held.public_id, OrderState.CANCELLED, held.buyer)
        stripe.faults.refuse_refunds = True
        carry_out_refunds()

    assert "could not be paid back" in caplog.text
    for secret in (KEY, WEBHOOK_SECRET, held.phone):
        assert secret not in caplog.text
