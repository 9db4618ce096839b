"""What the product asks of a payment service, and what it is told; the same for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

import msgspec

from orders.models import Payment, Refund


class ProviderAway(Exception):
    """The service does not answer, or not now; the same can be asked again."""


class ProviderRefused(Exception):
    """The service will not do this, however often it is asked."""


class NotGenuine(Exception):
    """A notice that the service did not send, or not in the last minutes."""


class PaymentStatus(StrEnum):
    """`pending`: the buyer has done their part and the service waits for the money."""

    OPEN = "open"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


class RefundStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class ShowAs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the buyer goes on: an address to be sent to, or a text to be shown as a QR code."""

    redirect: str = ""
    qr: str = ""


class Started(msgspec.Struct, frozen=True):
    """A payment that the buyer can make now. `reference` is the service's name for it."""

    reference: str
    show_as: ShowAs
    expires_at: datetime


class PaymentTold(msgspec.Struct, frozen=True, tag="payment"):
    """How a payment stands. `payment_id` is ours, where the service gave it back.

    `charge` is what a refund will name; amount and currency are what was, or would be, paid.
    """

    status: PaymentStatus
    reference: str
    payment_id: UUID | None = None
    amount_minor: int | None = None
    currency: str = ""
    charge: str = ""


class RefundTold(msgspec.Struct, frozen=True, tag="refund"):
    """How a refund stands. `refund_id` is ours; None: it was not we who asked for it."""

    status: RefundStatus
    reference: str
    refund_id: UUID | None = None
    charge: str = ""
    amount_minor: int = 0
    currency: str = ""
    error: str = ""


class ChargeTold(msgspec.Struct, frozen=True, tag="charge"):
    """How much of a charge has been paid back by now, all together."""

    charge: str
    refunded_minor: int
    currency: str = ""


About = PaymentTold | RefundTold | ChargeTold


class Notice(msgspec.Struct, frozen=True):
    """What a service told by webhook; `about` is None for what the product has no use for."""

    provider: str
    event_id: str
    kind: str
    about: About | None


class Provider(Protocol):
    """A payment service. Every method but `parse_notice` talks to it over the network: never call
    one inside of a transaction. Each raises `ProviderAway` or `ProviderRefused`.
    """

    name: ClassVar[str]
    lasts: ClassVar[timedelta]
    """For how long a buyer can make a payment that was started."""

    def start(self, payment: Payment) -> Started:
        """Let the buyer pay; asked again for the same payment: the same answer.

        `payment.show_as["back"]` is the address to which the buyer comes back.
        """

    def read(self, payment: Payment) -> PaymentTold:
        """How a started payment stands now."""

    def close(self, payment: Payment) -> PaymentTold:
        """See to it that an open payment cannot be made any more; how it stands after that."""

    def refund(self, refund: Refund) -> RefundTold:
        """Pay back; asked again for the same refund: how that stands, and nothing twice."""

    def parse_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """Read a notice; raises `NotGenuine` unless the service signed these bytes just now."""
