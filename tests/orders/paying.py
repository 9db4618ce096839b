"""How the tests pay: an order of Li's that is held, and the small Stripe that it is paid at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from core.clock import now
from core.models import OutboxFact
from orders.models import Order, Payment, PaymentState, Refund, RefundState
from orders.services import payments
from orders.services.holds import expire_holds
from tests.books import faults_in_books
from tests.orders.shop import li_orders
from tests.stripe_server import StripeServer, stripe_server
from tests.stripe_wire import WEBHOOK_SECRET, Json, signature
from tests.world import World

BACK = "http://testserver/orders/back/"
WEBHOOK = "/api/v1/payments/stripe/webhook"


@pytest.fixture
def stripe(settings: Settings) -> Iterator[StripeServer]:
    with stripe_server() as server:
        settings.STRIPE_API_BASE = server.url
        yield server


@pytest.fixture
def held(world: World) -> Order:
    return li_orders(world, payment_method="online")


def start(order: Order) -> Payment:
    return payments.start_payment(order.public_id, order.buyer, return_to=BACK)


def session_of(stripe: StripeServer, payment: Payment) -> Json:
    return stripe.books.sessions[payment.reference or ""]


def pays(stripe: StripeServer, order: Order) -> Payment:
    """Li pays on Stripe's page and comes back."""
    payment = start(order)
    stripe.pay(payment.reference or "")
    return payments.read_payment(payment)


def told(
    client: Client, event: Json, *, secret: str = WEBHOOK_SECRET, at: float | None = None
) -> Any:
    """How the product answers to a webhook."""
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": signature(body, secret=secret, at=at)}
    return client.post(WEBHOOK, body, content_type="application/json", headers=headers)


def is_over(order: Order) -> None:
    """Let the time to pay be over, and the sweeper find that."""
    Order.objects.filter(pk=order.pk).update(held_until=now() - timedelta(seconds=1))
    expire_holds()


def state_of(order: Order) -> str:
    order.refresh_from_db()
    return order.state


def facts(name: str) -> list[Json]:
    return [fact.data for fact in OutboxFact.objects.filter(type=f"orders.{name}").order_by("id")]


def faults_in_money() -> list[str]:
    """Every way in which payments, refunds and orders contradict each other, and the stock's."""
    return faults_in_books() + [fault for order in Order.objects.all() for fault in _faults(order)]


def _faults(order: Order) -> list[str]:
    paid = list(order.payments.filter(state=PaymentState.PAID))
    charges = [payment for payment in paid if not payment.is_surplus]
    back = {payment.pk: _going_back(payment) for payment in paid}
    claims = {
        f"{len(charges)} charges": len(charges) > 1,
        f"refunded {order.refunded_minor}, {back}": bool(charges)
        and order.refunded_minor != back[charges[0].pk],
        f"{order.state} keeps money": order.state in {"cancelled", "expired"}
        and any(back[payment.pk] != payment.amount_minor for payment in charges),
        "surplus is kept": any(
            back[payment.pk] != payment.amount_minor for payment in paid if payment.is_surplus
        ),
        f"{order.state} without money": order.state == "paid" and not charges,
    }
    return [f"{order}: {claim}" for claim, is_fault in claims.items() if is_fault]


def _going_back(payment: Payment) -> int:
    kept = Refund.objects.filter(payment=payment).exclude(state=RefundState.FAILED)
    return sum(refund.amount_minor for refund in kept)
