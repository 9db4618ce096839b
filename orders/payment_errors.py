"""What can go wrong with paying online."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.errors import AppError, Conflict
from orders.models import Order, OrderState


class TimeToPayOver(Conflict):
    """The order is not held any more, or cannot be for as long as another payment takes."""

    code = "time_to_pay_over"

    def __init__(self, order: Order) -> None:
        state = OrderState(order.state)
        message = (
            _("The time to pay for this order is over. Please order again.")
            if state == OrderState.HELD
            else _("This order is already %(state)s.") % {"state": state.label}
        )
        super().__init__(message, details={"state": state.value})


class PaymentRefused(Conflict):
    """The payment service will not take this payment."""

    code = "payment_refused"

    def __init__(self) -> None:
        super().__init__(_("This cannot be paid online. Please choose another way to pay."))


class PaymentServiceAway(AppError):
    """The payment service does not answer; the order is held, and the same can be tried again."""

    code = "payment_service_away"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("The payment service does not answer. Please try again in a moment."), retry_after=5
        )
