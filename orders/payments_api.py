"""HTTP: paying, being paid back, asking for it, and what payment services tell."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import File, Form, Header, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import ConfigDict, Field, StrictInt

from core.accounts.access import signed_in
from core.api import idempotency_key, may, problem
from core.errors import InvalidInput
from orders import access, photos, reasons
from orders.models import (
    ClaimState,
    Order,
    Payment,
    PaymentState,
    Refund,
    RefundClaim,
    RefundState,
)
from orders.payments.interface import NotGenuine
from orders.services import claims, payments

router = Router(tags=["payments"])

LARGEST_NOTICE = 256 * 1024

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Required. The same key: the same refund."),
]


class Input(Schema):
    model_config = ConfigDict(extra="forbid")


class ReturnedIn(Input):
    """So many pieces of a line of the order came back; `line` counts from 1."""

    line: StrictInt
    quantity: StrictInt


class RefundIn(Input):
    amount_minor: StrictInt
    reason: str
    returned: list[ReturnedIn] = []


class AnswerIn(Input):
    """`amount_minor` may be less than what was asked for; without it all of that is paid back."""

    accept: bool
    amount_minor: StrictInt | None = None
    answer: str = ""
    returned: list[ReturnedIn] = []


class PaymentInFull(Schema):
    """`redirect` is an address to go to, `qr` a text to show as a QR code; one of them is set."""

    id: UUID = Field(alias="public_id")
    provider: str
    state: PaymentState
    is_surplus: bool
    amount_minor: int
    currency: str
    redirect: str
    qr: str
    expires_at: datetime | None
    settled_at: datetime | None

    @staticmethod
    def resolve_redirect(payment: Payment) -> str:
        return _shown(payment, "redirect")

    @staticmethod
    def resolve_qr(payment: Payment) -> str:
        return _shown(payment, "qr")


class RefundOut(Schema):
    id: UUID = Field(alias="public_id")
    amount_minor: int
    reason: str
    state: RefundState
    asked_at: datetime
    settled_at: datetime | None

    @staticmethod
    def resolve_reason(refund: Refund) -> str:
        return reasons.told(refund.reason)


class MoneyOut(Schema):
    """What was paid for an order and what goes back; of surplus money, all of it does."""

    total_minor: int
    refunded_minor: int
    currency: str
    payments: list[PaymentInFull]
    refunds: list[RefundOut]


class ClaimOut(Schema):
    id: UUID = Field(alias="public_id")
    text: str
    amount_minor: int
    state: ClaimState
    answer: str
    asked_at: datetime
    answered_at: datetime | None
    photos: list[str]

    @staticmethod
    def resolve_photos(claim: RefundClaim) -> list[str]:
        return [photos.address(photo.key) for photo in claim.photos.all()]


@router.post(
    "/orders/{uuid:order_id}/payments",
    auth=may("write:orders"),
    response={201: PaymentInFull},
    by_alias=False,
)
def create_payment(request: HttpRequest, order_id: UUID) -> Status[Payment]:
    """Pay for an order that is held. Asking again gives the same payment, while it is open."""
    back = request.build_absolute_uri(reverse("order_paid", args=[order_id]))
    payment = payments.start_payment(order_id, signed_in(request.user), return_to=back)
    return Status(201, payment)


@router.get(
    "/orders/{uuid:order_id}/payments", auth=may("read:orders"), response=MoneyOut, by_alias=False
)
def list_payments(request: HttpRequest, order_id: UUID) -> dict[str, object]:
    order = access.order_of(request.user, order_id)
    return {
        "total_minor": order.total_minor,
        "refunded_minor": order.refunded_minor,
        "currency": order.currency,
        "payments": list(order.payments.all()),
        "refunds": list(Refund.objects.filter(payment__order=order)),
    }


@router.post(
    "/orders/{uuid:order_id}/refunds",
    auth=may("write:orders"),
    response={201: RefundOut},
    by_alias=False,
)
def create_refund(
    request: HttpRequest, order_id: UUID, body: RefundIn, key: IdempotencyKey = None
) -> Status[Refund]:
    """Pay money back; for the seller's owner and hosts. Returned pieces go back into stock."""
    order = access.order_of(request.user, order_id)
    actor = access.keeper_of(request.user, order)
    refund = payments.pay_back(
        order,
        body.amount_minor,
        body.reason,
        actor,
        f"asked:{idempotency_key(request)}",
        _returned(order, body.returned),
    )
    return Status(201, refund)


@router.post(
    "/orders/{uuid:order_id}/claims",
    auth=may("write:orders"),
    response={201: ClaimOut},
    by_alias=False,
)
def create_claim(
    request: HttpRequest,
    order_id: UUID,
    text: Form[str],
    amount_minor: Form[int],
    pictures: Annotated[list[UploadedFile], File(alias="photos")] = [],  # noqa: B006 - ninja reads it
) -> Status[RefundClaim]:
    """Ask for money back, with up to four photos (JPEG, PNG or WebP of at most 8 MB)."""
    buyer = signed_in(request.user)
    claim = claims.ask_refund(order_id, buyer, text, amount_minor, read_photos(pictures))
    return Status(201, claim)


@router.get(
    "/orders/{uuid:order_id}/claims",
    auth=may("read:orders"),
    response=list[ClaimOut],
    by_alias=False,
)
def list_claims(request: HttpRequest, order_id: UUID) -> list[RefundClaim]:
    order = access.order_of(request.user, order_id)
    return list(order.claims.prefetch_related("photos"))


@router.post(
    "/claims/{uuid:claim_id}/answer", auth=may("write:orders"), response=ClaimOut, by_alias=False
)
def answer_claim(request: HttpRequest, claim_id: UUID, body: AnswerIn) -> RefundClaim:
    """The seller's yes or no; a yes pays back. The same answer again changes nothing."""
    order = claims.claim_of(claim_id).order
    return claims.answer_claim(
        claim_id,
        signed_in(request.user),
        body.accept,
        body.amount_minor,
        body.answer,
        _returned(order, body.returned),
    )


@router.post(
    "/claims/{uuid:claim_id}/withdraw", auth=may("write:orders"), response=ClaimOut, by_alias=False
)
def withdraw_claim(request: HttpRequest, claim_id: UUID) -> RefundClaim:
    """The buyer asks for nothing any more."""
    return claims.withdraw_claim(claim_id, signed_in(request.user))


@router.post("/payments/{slug:provider}/webhook", include_in_schema=False)
def take_notice(request: HttpRequest, provider: str) -> HttpResponse:
    """What a payment service tells; its signature is all that it shows, and no session is read."""
    if len(request.body) > LARGEST_NOTICE:
        return problem(413, "too_big", "This is too large for a notice.")
    try:
        payments.receive(provider, request.body, request.headers)
    except NotGenuine:
        return problem(400, "not_genuine", "The signature does not fit, or is too old.")
    return HttpResponse(status=204)


def read_photos(files: list[UploadedFile]) -> list[bytes]:
    """The files' bytes; of one that is too large no more than shows that it is."""
    if len(files) > photos.MOST_PHOTOS:
        message = _("Please send at most %(most)d photos.") % {"most": photos.MOST_PHOTOS}
        raise InvalidInput(message, field="photos")
    return [file.read(photos.MOST_BYTES + 1) for file in files]


def _returned(order: Order, returned: list[ReturnedIn]) -> dict[int, int]:
    """By the lines' primary keys, which nobody outside knows."""
    keys = list(order.lines.order_by("pk").values_list("pk", flat=True))
    numbers = [one.line for one in returned]
    if len(set(numbers)) < len(numbers) or not all(1 <= one <= len(keys) for one in numbers):
        raise InvalidInput(_("Please name each line of the order once."), field="returned")
    return {keys[one.line - 1]: one.quantity for one in returned}


def _shown(payment: Payment, way: str) -> str:
    return str(payment.show_as.get(way, "")) if payment.state == PaymentState.OPEN else ""
