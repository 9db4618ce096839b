"""Stripe's hosted Checkout: cards, Alipay and WeChat Pay, on a page of Stripe's own.

No card number ever comes near this product. A payment is a Checkout Session, its charge the
session's payment intent. See https://docs.stripe.com/api/checkout/sessions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
import stripe
from django.utils.translation import gettext as _

from core.ids import parse_id
from core.realtime.db import give_back_connection
from orders.models import Order, Payment, Refund
from orders.payments.interface import (
    About,
    ChargeTold,
    NotGenuine,
    Notice,
    PaymentStatus,
    PaymentTold,
    ProviderAway,
    ProviderRefused,
    RefundStatus,
    RefundTold,
    ShowAs,
    Started,
)

TOLERANCE_S = 300
TIMEOUT_S = 8.0
API = "https://api.stripe.com"
KEY_IN_USE = 409


class Event(msgspec.Struct):
    """Of an event, what the product reads; https://docs.stripe.com/api/events/object."""

    id: str
    type: str
    data: dict[str, Any]


class Stripe:
    name: ClassVar[str] = "stripe"
    # A session lives for 30 minutes at least, by Stripe's clock: one more for ours.
    lasts: ClassVar[timedelta] = timedelta(minutes=31)

    def __init__(self, key: str, webhook_secret: str, base: str, methods: Sequence[str]) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base or API},
            max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
        )
        self._webhook_secret = webhook_secret
        self._methods = list(methods)

    def start(self, payment: Payment) -> Started:
        asked: Any = _session(payment, self._methods)
        with _asking():
            session = self._client.v1.checkout.sessions.create(
                asked, {"idempotency_key": str(payment.public_id)}
            )
        return Started(
            reference=session.id,
            show_as=ShowAs(redirect=session.url or ""),
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )

    def read(self, payment: Payment) -> PaymentTold:
        with _asking():
            session = self._client.v1.checkout.sessions.retrieve(_reference(payment))
        return _of_session(session.to_dict())

    def close(self, payment: Payment) -> PaymentTold:
        with _asking():
            session = self._client.v1.checkout.sessions.expire(_reference(payment))
        return _of_session(session.to_dict())

    def refund(self, refund: Refund) -> RefundTold:
        with _asking():
            if refund.reference:
                return _of_refund(self._client.v1.refunds.retrieve(refund.reference).to_dict())
            known = self._made_before(refund) if refund.attempts > 1 else None
            return known or self._make(refund)

    def _made_before(self, refund: Refund) -> RefundTold | None:
        """The refund, if an attempt before made it: Stripe forgets idempotency keys after a day."""
        made = self._client.v1.refunds.list({"payment_intent": refund.payment.charge, "limit": 100})
        found = (_of_refund(one.to_dict()) for one in made.auto_paging_iter())
        return next((one for one in found if one.refund_id == refund.public_id), None)

    def _make(self, refund: Refund) -> RefundTold:
        asked: Any = {
            "payment_intent": refund.payment.charge,
            "amount": refund.amount_minor,
            "metadata": {"refund": str(refund.public_id)},
        }
        made = self._client.v1.refunds.create(asked, {"idempotency_key": str(refund.public_id)})
        return _of_refund(made.to_dict())

    def parse_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        signature = headers.get("Stripe-Signature", "")
        if not self._webhook_secret:
            raise NotGenuine("no secret for webhooks is set")
        try:
            stripe.WebhookSignature.verify_header(
                body.decode(), signature, self._webhook_secret, TOLERANCE_S
            )
            _check_not_ahead(signature)
            event = msgspec.json.decode(body, type=Event)
        except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError) as error:
            raise NotGenuine(type(error).__name__) from error
        return Notice(
            provider=self.name,
            event_id=event.id[:255],
            kind=event.type[:80],
            about=_about(event.type, event.data.get("object")),
        )


def _check_not_ahead(signature: str) -> None:
    """Of a verified signature; the SDK refuses old ones only, so one dated ahead stayed good."""
    signed_at = int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))
    if signed_at > time.time() + TOLERANCE_S:
        raise ValueError("signed in the future")


@contextmanager
def _asking() -> Iterator[None]:
    """Stripe's errors by what they mean for us: ask again, or never.

    It may take seconds to answer: whatever is to be read of ours is read before.
    """
    give_back_connection()
    try:
        yield
    except stripe.IdempotencyError as error:
        # 409: the same is being asked this very moment, by another process.
        kind = ProviderAway if error.http_status == KEY_IN_USE else ProviderRefused
        raise kind(_said(error)) from error
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise ProviderRefused(_said(error)) from error
    except stripe.StripeError as error:
        raise ProviderAway(_said(error)) from error


def _said(error: stripe.StripeError) -> str:
    return f"{type(error).__name__}: {error.user_message or error.code or error.http_status}"


def _reference(payment: Payment) -> str:
    if not payment.reference:
        raise ProviderRefused("the payment was never started")
    return payment.reference


def _session(payment: Payment, methods: Sequence[str]) -> dict[str, object]:
    """The request for a session: made of what is stored, so that it is the same when repeated."""
    order, back = payment.order, payment.show_as["back"]
    ours = {"order": str(order.public_id), "payment": str(payment.public_id)}
    asked: dict[str, object] = {
        "mode": "payment",
        "client_reference_id": str(order.public_id),
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": order.number},
        "line_items": list(_items(order)),
        "payment_method_types": list(methods),
        "expires_at": int(payment.expires_at.timestamp()) if payment.expires_at else None,
        "success_url": back,
        "cancel_url": back,
    }
    if "wechat_pay" in methods:
        asked["payment_method_options"] = {"wechat_pay": {"client": "web"}}
    return asked


def _items(order: Order) -> Iterator[dict[str, object]]:
    for line in order.lines.order_by("pk"):
        yield _item(line.title, line.price_minor, line.quantity, order.currency)
    if order.delivery_fee_minor:
        yield _item(_("Delivery"), order.delivery_fee_minor, 1, order.currency)


def _item(title: str, amount_minor: int, quantity: int, currency: str) -> dict[str, object]:
    price = {
        "currency": currency.lower(),
        "unit_amount": amount_minor,
        "product_data": {"name": title},
    }
    return {"quantity": quantity, "price_data": price}


def _about(kind: str, found: object) -> About | None:
    """What an event is about. What cannot be read like this is not for us, or not understood."""
    if not isinstance(found, Mapping):
        return None
    if kind.startswith("checkout.session."):
        told = _of_session(found)
        # The object may be older than the event that brings it.
        failed = kind in {"checkout.session.expired", "checkout.session.async_payment_failed"}
        return msgspec.structs.replace(told, status=PaymentStatus.FAILED) if failed else told
    if kind.startswith("refund.") or kind == "charge.refund.updated":
        return _of_refund(found)
    if kind == "charge.refunded":
        return ChargeTold(
            charge=_id_of(found.get("payment_intent")),
            refunded_minor=_whole(found.get("amount_refunded")) or 0,
            currency=_text(found.get("currency")).upper(),
        )
    return None


def _of_session(session: Mapping[str, Any]) -> PaymentTold:
    return PaymentTold(
        status=_status(session),
        reference=_text(session.get("id")),
        payment_id=parse_id(_ours(session, "payment")),
        amount_minor=_whole(session.get("amount_total")),
        currency=_text(session.get("currency")).upper(),
        charge=_id_of(session.get("payment_intent")),
    )


def _status(session: Mapping[str, Any]) -> PaymentStatus:
    """https://docs.stripe.com/api/checkout/sessions/object: `status` and `payment_status`."""
    if session.get("payment_status") == "paid":
        return PaymentStatus.PAID
    of_session = {"complete": PaymentStatus.PENDING, "expired": PaymentStatus.FAILED}
    return of_session.get(_text(session.get("status")), PaymentStatus.OPEN)


def _of_refund(refund: Mapping[str, Any]) -> RefundTold:
    statuses = {
        "succeeded": RefundStatus.DONE,
        "failed": RefundStatus.FAILED,
        "canceled": RefundStatus.FAILED,
    }
    return RefundTold(
        status=statuses.get(_text(refund.get("status")), RefundStatus.PENDING),
        reference=_text(refund.get("id")),
        refund_id=parse_id(_ours(refund, "refund")),
        charge=_id_of(refund.get("payment_intent")),
        amount_minor=_whole(refund.get("amount")) or 0,
        currency=_text(refund.get("currency")).upper(),
        error=_text(refund.get("failure_reason")),
    )


def _ours(found: Mapping[str, Any], name: str) -> str:
    """What we gave Stripe to give back."""
    metadata = found.get("metadata")
    return _text(metadata.get(name)) if isinstance(metadata, Mapping) else ""


def _id_of(found: object) -> str:
    """An object by its id, also where Stripe wrote it out."""
    return _text(found.get("id") if isinstance(found, Mapping) else found)


def _text(found: object) -> str:
    return found[:255] if isinstance(found, str) else ""


def _whole(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None
