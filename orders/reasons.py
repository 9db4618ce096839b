"""Reasons that the product gives by itself: kept as they stand here, told in the reader's language.

Whoever was the cause may read another language than who looks at it later.
"""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

NOT_PAID_IN_TIME = gettext_noop("It was not paid in time.")
CANCELLED = gettext_noop("The order was cancelled.")
ASKED_AND_AGREED = gettext_noop("You asked for it, and the seller agreed.")
PAID_BACK_OUTSIDE = gettext_noop("Paid back at the payment service.")
PAID_ALREADY = gettext_noop("The order was paid already.")
CAME_TOO_LATE = gettext_noop("The payment came when the order was gone already.")
PAID_IN_CASH = gettext_noop("The order is on its way, and is paid in cash.")
GIVEN = frozenset(
    {
        NOT_PAID_IN_TIME,
        CANCELLED,
        ASKED_AND_AGREED,
        PAID_BACK_OUTSIDE,
        PAID_ALREADY,
        CAME_TOO_LATE,
        PAID_IN_CASH,
    }
)


def told(reason: str) -> str:
    """One of ours in the language that is active; what a person wrote stays as it was written."""
    return gettext(reason) if reason in GIVEN else reason
