"""Paying online: a payment is started, the provider tells how it went, and the order follows.

No call to a provider is made inside of a transaction. A payment is a row before its provider hears
of it, and is started under the row's own id: whatever crashes between two steps, the buyer finds
the same payment again, or, after a while, another: where the first could have been made nobody was
ever sent, and it ends there by itself. The buyer is charged once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Q

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import NotFound
from core.failpoints import failpoint
from orders import access, reasons
from orders import payments as services
from orders.events import PaymentSettled
from orders.models import (
    NoticeOutcome,
    Order,
    OrderState,
    Payment,
    PaymentNotice,
    PaymentState,
    Refund,
)
from orders.payment_errors import PaymentRefused, PaymentServiceAway, TimeToPayOver
from orders.payments.interface import (
    ChargeTold,
    Notice,
    PaymentStatus,
    PaymentTold,
    Provider,
    ProviderAway,
    ProviderRefused,
    RefundTold,
    Started,
)
from orders.services import holds, refunds
from orders.services.moves import change_state, lock_order
from orders.services.refunds import pay_back

__all__ = ["pay_back", "read_payment", "receive", "settle", "start_payment"]

log = logging.getLogger(__name__)

TOO_SHORT = timedelta(minutes=1)
"""A payment that ends so soon is not shown again: nobody could make it."""
SAME_TRY = timedelta(seconds=30)
"""So long a payment that the provider did not answer for is asked for again as it was, and found if
it was made. After that another is: the first has too little of its time left (a session of Stripe's
must have 30 of our 31 minutes), and its name may stand for an error that the provider repeats."""
PAYABLE = frozenset({OrderState.HELD, OrderState.PLACED})
"""`placed`, too: who chose cash in the end may have paid on the page that was still open."""

Outcome = tuple[NoticeOutcome, str]
NOTHING: Outcome = (NoticeOutcome.NOTHING, "")


def start_payment(order_id: UUID, actor: User, *, return_to: str) -> Payment:
    """Let the buyer pay for an order that is held; `show_as` of the answer says where.

    Again while a payment is open: the same one. Its time extends the hold. `return_to` is the
    absolute address to which the provider sends the buyer back. Raises `NotFound` for everybody
    else, `TimeToPayOver`, `PaymentRefused` and `PaymentServiceAway`.
    """
    order = access.order_of(actor, order_id)
    access.buyer_of(actor, order)
    provider = services.online_for(order.seller)
    if provider is None:
        raise PaymentRefused
    _end_stale(order)
    payment = _open(order, provider, return_to)
    failpoint("payments.after_open")
    return payment if _is_shown(payment) else _start(payment, provider)


def read_payment(payment: Payment) -> Payment:
    """Ask the provider how an open payment stands, and apply it; if it is away, nothing happens."""
    try:
        told = services.provider(payment.provider).read(payment)
    except (ProviderAway, ProviderRefused, NotFound):
        return payment
    _apply_told(payment, told)
    payment.refresh_from_db()
    return payment


def receive(provider: str, body: bytes, headers: Mapping[str, str]) -> PaymentNotice:
    """Take a provider's notice; raises `NotGenuine`, and keeps nothing, unless it sent it."""
    return settle(services.provider(provider).parse_notice(body, headers))


def settle(notice: Notice) -> PaymentNotice:
    """Apply what a provider told, once; committed when this returns. Again: the first outcome.

    What does not fit (another amount or currency, a payment that nobody knows) is kept, flagged and
    not applied.
    """
    try:
        row = _settle_once(notice)
    except IntegrityError:
        known = PaymentNotice.objects.filter(
            provider=notice.provider, event_id=notice.event_id
        ).first()
        if known is None:
            raise
        return known
    failpoint("payments.after_settle")
    return row


@transaction.atomic
def _settle_once(notice: Notice) -> PaymentNotice:
    """The row comes first: its unique key decides between notices that come together."""
    row = PaymentNotice.objects.create(
        provider=notice.provider,
        event_id=notice.event_id,
        kind=notice.kind,
        data=msgspec.to_builtins(notice.about) or {},
        outcome=NoticeOutcome.NOTHING,
        received_at=now(),
    )
    row.outcome, row.note = _outcome(notice)
    row.save(update_fields=["outcome", "note"])
    failpoint("payments.before_settle")
    return row


def _outcome(notice: Notice) -> Outcome:
    match notice.about:
        case PaymentTold() as told:
            payment = _payment_told_of(notice.provider, told)
            return _apply(payment, told) if payment else _flag("no such payment")
        case RefundTold() as told:
            return _refund_told(notice.provider, told)
        case ChargeTold() as told:
            return _charge_told(notice.provider, told)
        case None:
            return NOTHING


def _flag(note: str) -> Outcome:
    return NoticeOutcome.FLAGGED, note


def _payment_told_of(provider: str, told: PaymentTold) -> Payment | None:
    """By our id, which the provider gives back; it is the answer to our own request."""
    payments = Payment.objects.filter(provider=provider)
    if told.payment_id is not None:
        found = payments.filter(public_id=told.payment_id).first()
        # Another session that names our payment is none that we started.
        return found if found and found.reference in {None, told.reference} else None
    return payments.filter(reference=told.reference).first()


def _apply_told(payment: Payment, told: PaymentTold) -> None:
    """Apply what the provider answered; nobody keeps that, so what does not fit goes to the log."""
    with transaction.atomic():
        outcome, note = _apply(payment, told)
    if outcome == NoticeOutcome.FLAGGED:
        log.error("payment %s was not applied: %s", payment.public_id, note)


def _apply(payment: Payment, told: PaymentTold) -> Outcome:
    """Apply how a payment stands, in the caller's transaction."""
    order = lock_order(payment.order_id)
    payment = Payment.objects.get(pk=payment.pk)
    match told.status:
        case PaymentStatus.PAID if payment.state != PaymentState.PAID:
            return _paid(order, payment, told)
        case PaymentStatus.FAILED if payment.state == PaymentState.OPEN:
            return _failed(order, payment)
        case _:
            return NOTHING


def _paid(order: Order, payment: Payment, told: PaymentTold) -> Outcome:
    if (told.amount_minor, told.currency) != (payment.amount_minor, payment.currency):
        return _flag(
            f"{told.amount_minor} {told.currency}, not {payment.amount_minor} {payment.currency}"
        )
    problem = _take(order)
    Payment.objects.filter(pk=payment.pk).update(
        state=PaymentState.PAID,
        is_surplus=bool(problem),
        reference=told.reference,
        charge=told.charge,
        settled_at=now(),
    )
    payment.refresh_from_db()
    _tell(order, payment)
    if problem:
        refunds.owe(payment, payment.amount_minor, key="surplus", reason=problem, actor=None)
    _apply_waiting(payment)
    return NoticeOutcome.APPLIED, "surplus" if problem else ""


def _take(order: Order) -> str:
    """Take the money as the order's charge; why not, if it comes too late or a second time."""
    if refunds.charge_of(order) is not None:
        return reasons.PAID_ALREADY
    if change_state(order, OrderState.PAID, sources=PAYABLE, actor=None, also={"held_until": None}):
        return ""
    if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}:
        return reasons.CAME_TOO_LATE
    return reasons.PAID_IN_CASH


def _failed(order: Order, payment: Payment) -> Outcome:
    Payment.objects.filter(pk=payment.pk).update(state=PaymentState.FAILED, settled_at=now())
    payment.refresh_from_db()
    _tell(order, payment)
    return NoticeOutcome.APPLIED, ""


def _tell(order: Order, payment: Payment) -> None:
    outbox.publish(
        PaymentSettled(
            order_id=order.public_id,
            number=order.number,
            seller_id=order.seller.public_id,
            buyer_id=order.buyer.public_id,
            at=now(),
            payment_id=payment.public_id,
            state=payment.state,
            is_surplus=payment.is_surplus,
        )
    )


def _apply_waiting(payment: Payment) -> None:
    """Apply what was told of this charge's refunds before it was known to be paid."""
    waiting = PaymentNotice.objects.filter(
        provider=payment.provider,
        outcome=NoticeOutcome.FLAGGED,
        data__type="refund",
        data__charge=payment.charge,
    )
    for notice in waiting.order_by("pk") if payment.charge else ():
        told = msgspec.convert(notice.data, RefundTold)
        notice.outcome, notice.note = _refund_told(payment.provider, told)
        notice.save(update_fields=["outcome", "note"])


def _refund_told(provider: str, told: RefundTold) -> Outcome:
    if told.refund_id is not None:
        refund = Refund.objects.filter(public_id=told.refund_id, payment__provider=provider).first()
    else:
        refund = Refund.objects.filter(reference=told.reference, payment__provider=provider).first()
    if refund is not None:
        applied = refunds.settle_refund(refund, told)
        return (NoticeOutcome.APPLIED, "") if applied else NOTHING
    payment = _paid_by(provider, told.charge)
    if payment is None:
        return _flag("no such charge")
    problem = refunds.record_outside(payment, told)
    return _flag(problem) if problem else (NoticeOutcome.APPLIED, "paid back at the provider")


def _charge_told(provider: str, told: ChargeTold) -> Outcome:
    """A charge says only how much was paid back in all; each refund is told of by itself, too."""
    payment = _paid_by(provider, told.charge)
    if payment is None:
        return _flag("no such charge")
    known = refunds.paid_back(payment)
    if told.refunded_minor > known:
        return _flag(f"{told.refunded_minor} was paid back at the provider, {known} by us")
    return NOTHING


def _paid_by(provider: str, charge: str) -> Payment | None:
    paid = Payment.objects.filter(provider=provider, charge=charge, state=PaymentState.PAID)
    return paid.first() if charge else None


def _is_shown(payment: Payment) -> bool:
    return bool(payment.show_as.keys() & {"redirect", "qr"})


def _end_stale(order: Order) -> None:
    """Close an open payment that ends too soon to be made, or that was asked for a while ago and
    never began, so that another can be started.
    """
    at = now()
    ends_soon = Q(expires_at__lt=at + TOO_SHORT)
    never_began = Q(reference=None, started_at__lt=at - SAME_TRY)
    for payment in order.payments.filter(ends_soon | never_began, state=PaymentState.OPEN):
        close_payment(payment)


@transaction.atomic
def _open(order: Order, provider: Provider, return_to: str) -> Payment:
    """The order's open payment: the one there is, or a new one, which extends the hold."""
    order = lock_order(order.pk)
    if order.state != OrderState.HELD:
        raise TimeToPayOver(order)
    if payment := order.payments.filter(state=PaymentState.OPEN).first():
        return payment
    at = now()
    expires_at = at + provider.lasts
    if not holds.extend_hold(order, expires_at + holds.MARGIN):
        raise TimeToPayOver(order)
    return Payment.objects.create(
        order=order,
        provider=provider.name,
        amount_minor=order.total_minor,
        currency=order.currency,
        show_as={"back": return_to},
        expires_at=expires_at,
        started_at=at,
    )


def _start(payment: Payment, provider: Provider) -> Payment:
    try:
        started = provider.start(payment)
    except ProviderAway as error:
        raise PaymentServiceAway from error
    except ProviderRefused as error:
        _apply_told(payment, PaymentTold(PaymentStatus.FAILED, payment.reference or ""))
        raise PaymentRefused from error
    failpoint("payments.after_start")
    return _keep(payment, started)


def _keep(payment: Payment, started: Started) -> Payment:
    """Remember where the buyer pays; a payment may have been settled or ended in the meantime."""
    Payment.objects.filter(pk=payment.pk, state=PaymentState.OPEN).update(
        reference=started.reference,
        show_as={**payment.show_as, **msgspec.to_builtins(started.show_as)},
        expires_at=started.expires_at,
    )
    payment.refresh_from_db()
    if not _is_shown(payment):
        raise TimeToPayOver(payment.order)
    return payment


def close_payment(payment: Payment) -> Payment:
    """End an open payment at its provider, unless it was made at the last moment."""
    if payment.reference is None:
        # The provider may know it, but nobody was ever sent there.
        _apply_told(payment, PaymentTold(PaymentStatus.FAILED, ""))
        payment.refresh_from_db()
        return payment
    try:
        told = services.provider(payment.provider).close(payment)
    except ProviderRefused:  # it is closed, or made: reading tells which
        return read_payment(payment)
    except (ProviderAway, NotFound):
        return payment
    _apply_told(payment, told)
    payment.refresh_from_db()
    return payment
