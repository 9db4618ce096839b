"""Cash on delivery: nothing is asked of anybody; what was given and taken is written down."""

from __future__ import annotations

from core.clock import now
from orders.models import Order, Payment, PaymentState

NAME = "cash"


def take(order: Order) -> Payment:
    """Write down that the buyer paid the whole order in cash."""
    at = now()
    return Payment.objects.create(
        order=order,
        provider=NAME,
        state=PaymentState.PAID,
        amount_minor=order.total_minor,
        currency=order.currency,
        started_at=at,
        settled_at=at,
    )
