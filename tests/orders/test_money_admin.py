"""Operators read all of the money, change none of it, and give refunds that failed another day."""

from __future__ import annotations

import pytest
from django.test import Client

from core.accounts.models import Role, RoleGrant
from orders.models import NoticeOutcome, Order, OrderState, PaymentNotice, Refund, RefundClaim
from orders.services.fulfil import move_order
from orders.services.refunds import carry_out_refunds
from tests.orders.paying import held, pays, session_of, stripe, told
from tests.stripe_server import StripeServer
from tests.world import World

__all__ = ["held", "stripe"]


@pytest.fixture
def admin(world: World, client: Client) -> Client:
    world.zhao.is_staff = world.zhao.is_superuser = True
    world.zhao.save()
    client.force_login(world.zhao)
    return client


@pytest.fixture
def failed(stripe: StripeServer, held: Order, client: Client) -> Refund:
    payment = pays(stripe, held)
    told(client, stripe.event("checkout.session.completed", session_of(stripe, payment)))
    move_order(held.public_id, OrderState.CANCELLED, held.buyer)
    RefundClaim.objects.create(order=held, text="?", amount_minor=1, asked_at=held.placed_at)
    stripe.faults.refuse_refunds = True
    carry_out_refunds()
    stripe.faults.refuse_refunds = False
    return Refund.objects.get()


def test_everything_can_be_read_and_nothing_changed(admin: Client, failed: Refund) -> None:
    rows = {
        "payment": failed.payment_id,
        "refund": failed.pk,
        "paymentnotice": PaymentNotice.objects.get().pk,
        "refundclaim": RefundClaim.objects.get().pk,
        "order": failed.payment.order_id,
    }
    for name, key in rows.items():
        assert admin.get(f"/admin/orders/{name}/").status_code == 200
        page = admin.get(f"/admin/orders/{name}/{key}/change/")
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert admin.get(f"/admin/orders/{name}/add/").status_code == 403


def test_operators_see_what_needs_them(
    world: World, client: Client, failed: Refund, stripe: StripeServer
) -> None:
    RoleGrant.objects.create(user=world.chen, role=Role.OPERATOR)
    flagged = PaymentNotice.objects.get()
    PaymentNotice.objects.update(outcome=NoticeOutcome.FLAGGED, note="of another amount")
    client.force_login(world.chen)
    page = client.get("/operator/money/").content.decode()
    assert failed.payment.order.number in page
    assert "of another amount" in page

    client.post(f"/operator/money/refunds/{failed.pk}/again/")
    client.post(f"/operator/money/notices/{flagged.pk}/looked-at/")

    assert "Nothing waits for you." in client.get("/operator/money/").content.decode()
    flagged.refresh_from_db()
    assert (flagged.looked_by, flagged.outcome) == (world.chen, NoticeOutcome.FLAGGED)
    carry_out_refunds()
    assert stripe.refunded(failed.payment.charge) == failed.amount_minor


def test_nobody_else_sees_them(world: World, client: Client, failed: Refund) -> None:
    client.force_login(world.zhang)
    assert client.get("/operator/money/").status_code == 404
    assert client.post(f"/operator/money/refunds/{failed.pk}/again/").status_code == 404
    assert Refund.objects.count() == 1


def test_a_refund_that_failed_is_tried_again(
    admin: Client, failed: Refund, stripe: StripeServer
) -> None:
    chosen = {"action": "try_failed_again", "_selected_action": [failed.pk]}
    page = admin.post("/admin/orders/refund/?state=failed", chosen, follow=True)
    assert "on its way again" in page.content.decode()

    carry_out_refunds()

    assert stripe.refunded(failed.payment.charge) == failed.amount_minor
