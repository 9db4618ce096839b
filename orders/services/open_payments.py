"""Payments that nobody told of: read until they end, and ended where nobody should make them."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import Q

from core.clock import now
from orders.models import OrderState, Payment, PaymentState
from orders.services.payments import close_payment, read_payment

READ_EVERY = timedelta(minutes=1)
BUDGET_S = 3.0
MOST = 100


def look_after_open_payments(budget_s: float = BUDGET_S) -> int:
    """Read open payments, those that were not read for longest first; how many. Periodic.

    A notice can be lost, or have no way to us; a buyer may not come back. Payments whose time is
    over, or whose order is not held any more, are closed.
    """
    looked = 0
    deadline = time.monotonic() + budget_s
    for payment in _due():
        if time.monotonic() > deadline:
            break
        if _claim(payment):
            _look_after(payment)
            looked += 1
    return looked


def _due() -> list[Payment]:
    payments = Payment.objects.filter(_unread(), state=PaymentState.OPEN)
    return list(payments.select_related("order").order_by("read_at", "pk")[:MOST])


def _unread() -> Q:
    """Not looked at for a while; at once, where the order is gone and nobody should pay for it."""
    edge = now() - READ_EVERY
    never = Q(read_at=None) & (Q(started_at__lt=edge) | ~Q(order__state=OrderState.HELD))
    return never | Q(read_at__lt=edge)


def _claim(payment: Payment) -> bool:
    """Of several processes one looks."""
    same = Q(read_at=payment.read_at) if payment.read_at else Q(read_at=None)
    return Payment.objects.filter(same, pk=payment.pk).update(read_at=now()) == 1


def _look_after(payment: Payment) -> None:
    is_over = payment.expires_at is not None and payment.expires_at < now()
    if is_over or payment.order.state != OrderState.HELD:
        close_payment(payment)
    elif payment.reference:
        read_payment(payment)
