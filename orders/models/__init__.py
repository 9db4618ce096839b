"""What is bought: offers in a show, orders and how they travel, and the money for them."""

from orders.models.offers import Offer
from orders.models.orders import (
    ALLOWED_MOVES,
    GONE,
    Address,
    Delivery,
    Order,
    OrderLine,
    OrderMove,
    OrderState,
    PaymentMethod,
    SoldLine,
)
from orders.models.payments import (
    ClaimPhoto,
    ClaimState,
    NoticeOutcome,
    Payment,
    PaymentNotice,
    PaymentState,
    Refund,
    RefundClaim,
    RefundState,
)
from orders.models.uploads import TrackingUpload

__all__ = [
    "ALLOWED_MOVES",
    "GONE",
    "Address",
    "ClaimPhoto",
    "ClaimState",
    "Delivery",
    "NoticeOutcome",
    "Offer",
    "Order",
    "OrderLine",
    "OrderMove",
    "OrderState",
    "Payment",
    "PaymentMethod",
    "PaymentNotice",
    "PaymentState",
    "Refund",
    "RefundClaim",
    "RefundState",
    "SoldLine",
    "TrackingUpload",
]
