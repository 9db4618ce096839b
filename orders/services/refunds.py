"""Money on its way back: owed in the books first, then carried out, by hand or by the provider.

A refund is a row before anybody is asked for it, and is asked for under the row's own id: whatever
crashes between two steps, the money goes back once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.failpoints import failpoint
from core.text import clean_line
from orders import payments as services
from orders import reasons
from orders.events import RefundSettled
from orders.models import (
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentMethod,
    PaymentState,
    Refund,
    RefundState,
)
from orders.payments import cash
from orders.payments.interface import ProviderAway, ProviderRefused, RefundStatus, RefundTold
from orders.services import refund_keys
from orders.services.moves import change_state, lock_order
from sellers.services import stock

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=6)  # twelve attempts take a day and a half
PENDING_PAUSE = timedelta(hours=1)
BUDGET_S = 3.0
AGAIN = "again:"
AFTER_SENDING = (OrderState.SENT, OrderState.DELIVERED)


def charge_of(order: Order) -> Payment | None:
    """The payment that pays for the order."""
    return order.payments.filter(state=PaymentState.PAID, is_surplus=False).first()


def can_pay_back(order: Order) -> int:
    """How much of the order's money could still be paid back, in minor units."""
    charge = charge_of(order)
    if charge is not None:
        return charge.amount_minor - order.refunded_minor
    return order.total_minor - order.refunded_minor if _was_paid_in_cash(order) else 0


@transaction.atomic
def pay_back(
    order: Order,
    amount_minor: int,
    reason: str,
    actor: User | None,
    key: str,
    returned_lines: Mapping[int, int] | None = None,
) -> Refund:
    """Pay a part of the order's money back, or all of it; who may is the caller's to decide.

    The same key is the same refund. `returned_lines`: by line (primary key), how many pieces come
    back into stock; only of an order that was sent. When nothing of the money is left, a sent order
    is refunded. Raises `InvalidInput` for an amount or a quantity that cannot be, `Conflict` for an
    order that was not paid or is not to be sent at all, `KeyReused` for another refund's key.
    """
    reason = clean_line(reason, "reason", longest=200)
    order = lock_order(order.pk)
    charge = _charge(order)
    digest = refund_keys.digest(amount_minor, reason, returned_lines or {})
    if (known := refund_keys.known(charge, key, amount_minor, digest)) is not None:
        return known
    _check_amount(order, charge, amount_minor)
    _count(order, charge, amount_minor)
    refund = owe(charge, amount_minor, key=key, reason=reason, actor=actor, request_hash=digest)
    _take_back(order, returned_lines or {}, actor)
    if order.refunded_minor == charge.amount_minor:
        change_state(order, OrderState.REFUNDED, sources=AFTER_SENDING, actor=actor, reason=reason)
    return refund


def pay_back_rest(order: Order, *, reason: str, actor: User | None) -> Refund | None:
    """Pay back what is left of the money of an order that is gone, in the caller's transaction."""
    charge = charge_of(order)
    order.refresh_from_db(fields=["refunded_minor"])
    rest = charge.amount_minor - order.refunded_minor if charge else 0
    if charge is None or not rest:
        return None
    _count(order, charge, rest)
    return owe(charge, rest, key="cancelled", reason=reason, actor=actor)


def owe(
    payment: Payment,
    amount_minor: int,
    *,
    key: str,
    reason: str,
    actor: User | None,
    request_hash: str = "",
) -> Refund:
    """Write down that money goes back; of cash that is all, for people hand it over.

    In the caller's transaction, which holds the order's row.
    """
    by_hand = payment.provider == cash.NAME
    at = now()
    refund = Refund.objects.create(
        payment=payment,
        amount_minor=amount_minor,
        reason=reason[:200],
        state=RefundState.DONE if by_hand else RefundState.DUE,
        key=refund_keys.kept(key),
        request_hash=request_hash,
        actor=actor,
        try_at=at,
        asked_at=at,
        settled_at=at if by_hand else None,
    )
    if by_hand:
        _tell(refund)
    return refund


def carry_out_refunds(budget_s: float = BUDGET_S) -> int:
    """Ask the providers for what is due, oldest first; how many were answered. Periodic.

    Stops at the first provider that does not answer: the others are asked in the next round.
    """
    answered = 0
    deadline = time.monotonic() + budget_s
    due = Refund.objects.filter(state=RefundState.DUE, try_at__lte=now()).order_by("try_at")
    for refund in due.select_related("payment")[:100]:
        if time.monotonic() > deadline:
            break
        if not _claim(refund):
            continue
        if not _carry_out(refund):
            break
        answered += 1
    return answered


@transaction.atomic
def settle_refund(refund: Refund, told: RefundTold) -> bool:
    """Apply what the provider says about a refund of ours; `False` if that was known."""
    order = lock_order(refund.payment.order_id)
    waiting = Refund.objects.filter(pk=refund.pk, state=RefundState.DUE)
    if told.status == RefundStatus.PENDING:
        waiting.update(reference=told.reference, attempts=1, try_at=now() + PENDING_PAUSE)
        return False
    if told.status == RefundStatus.DONE:
        return _end(refund, RefundState.DONE, reference=told.reference, last_error="")
    # A bank can send money back days after it was "paid back".
    return _fail(order, refund, told.error or "failed", told.reference)


@transaction.atomic
def record_outside(payment: Payment, told: RefundTold) -> str:
    """Write down a refund that somebody made at the provider, past us; what is left to do, if any.

    An order that was wholly paid back like this is not to be sent any more.
    """
    order = lock_order(payment.order_id)
    key = refund_keys.kept(f"outside:{told.reference}")
    if Refund.objects.filter(payment=payment, key=key).exists():
        return ""
    if told.status == RefundStatus.FAILED or told.currency != payment.currency:
        return "paid back at the provider, and not to be understood"
    if not payment.is_surplus and not _counted(order, payment, told.amount_minor):
        return "more was paid back at the provider than was paid"
    reason = reasons.PAID_BACK_OUTSIDE
    refund = owe(payment, told.amount_minor, key=key, reason=reason, actor=None)
    Refund.objects.filter(pk=refund.pk).update(
        reference=told.reference, attempts=1, try_at=now() + PENDING_PAUSE
    )
    if told.status == RefundStatus.DONE:
        _end(refund, RefundState.DONE)
    if not payment.is_surplus and order.refunded_minor == payment.amount_minor:
        _nothing_is_left(order, reason)
    return ""


@transaction.atomic
def try_again(refund: Refund, actor: User) -> Refund:
    """Owe anew what could not be paid back; the same again: the same new refund.

    Another row, since the provider remembers what came of the first one's name. Raises `Conflict`
    if the refund has not failed, `InvalidInput` if the money went back otherwise by now.
    """
    order = lock_order(refund.payment.order_id)
    refund.refresh_from_db(fields=["state"])
    if refund.state != RefundState.FAILED:
        raise Conflict(_("This was paid back, or still will be."))
    key = f"{AGAIN}{refund.pk}"
    if (known := refund_keys.known(refund.payment, key, refund.amount_minor)) is not None:
        return known
    if not refund.payment.is_surplus:
        _count(order, refund.payment, refund.amount_minor)
    return owe(refund.payment, refund.amount_minor, key=key, reason=refund.reason, actor=actor)


def _charge(order: Order) -> Payment:
    charge = charge_of(order)
    if charge is None and _was_paid_in_cash(order):
        charge = cash.take(order)  # delivered before payments were written down
    if charge is None:
        raise Conflict(_("Nothing was paid for this order yet."))
    return charge


def _was_paid_in_cash(order: Order) -> bool:
    return (
        order.payment_method == PaymentMethod.CASH_ON_DELIVERY
        and order.state == OrderState.DELIVERED
    )


def _check_amount(order: Order, charge: Payment, amount_minor: object) -> None:
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or amount_minor < 1:
        raise InvalidInput(_("Please write how much to pay back."), field="amount_minor")
    if (
        order.state not in AFTER_SENDING
        and amount_minor >= charge.amount_minor - order.refunded_minor
    ):
        raise Conflict(_("Cancel the order instead: that pays everything back."))


def _count(order: Order, charge: Payment, amount_minor: int) -> None:
    if not _counted(order, charge, amount_minor):
        left = charge.amount_minor - order.refunded_minor
        raise InvalidInput(
            _("That is more than was paid and not paid back yet."),
            field="amount_minor",
            details={"left_minor": left},
        )


def _counted(order: Order, charge: Payment, amount_minor: int) -> bool:
    """Count money as paid back, if so much is left: the UPDATE decides."""
    most = charge.amount_minor - amount_minor
    counted = Order.objects.filter(pk=order.pk, refunded_minor__lte=most).update(
        refunded_minor=F("refunded_minor") + amount_minor
    )
    order.refresh_from_db(fields=["refunded_minor"])
    return counted == 1


def _take_back(order: Order, returned: Mapping[int, int], actor: User | None) -> None:
    """Put pieces that came back into stock, in the variants' order."""
    if not returned:
        return
    if order.state not in AFTER_SENDING:
        raise Conflict(_("Nothing of this order was sent that could come back."))
    lines = list(order.lines.filter(pk__in=returned))
    if len(lines) != len(returned):
        raise NotFound(_("This is not in the order."), field="returned")
    for line in lines:
        _count_returned(line, returned[line.pk])
    actor_pk = actor.pk if actor else None
    stock.take_back_many(
        [
            stock.Change(line.variant_id, returned[line.pk], order.public_id, actor_pk)
            for line in lines
        ]
    )


def _count_returned(line: OrderLine, quantity: int) -> None:
    most = line.quantity - quantity
    if quantity < 1 or not OrderLine.objects.filter(pk=line.pk, returned__lte=most).update(
        returned=F("returned") + quantity
    ):
        raise InvalidInput(_("Fewer than that were sent."), field="returned")


def _claim(refund: Refund) -> bool:
    """Take the next attempt, which lasts until the one after it is due."""
    pause = min(FIRST_PAUSE * 2**refund.attempts, LONGEST_PAUSE)
    claimed = Refund.objects.filter(
        pk=refund.pk, state=RefundState.DUE, try_at__lte=now(), attempts=refund.attempts
    ).update(attempts=F("attempts") + 1, try_at=now() + pause)
    refund.refresh_from_db(fields=["attempts", "try_at"])
    return claimed == 1


def _carry_out(refund: Refund) -> bool:
    """One attempt; `False` if the provider did not answer."""
    try:
        told = services.provider(refund.payment.provider).refund(refund)
    except ProviderRefused as error:
        _give_up(refund, str(error))
        return True
    except (ProviderAway, NotFound) as error:
        _note(refund, str(error))
        return False
    failpoint("refunds.after_asked")
    settle_refund(refund, told)
    return True


def _note(refund: Refund, problem: str) -> None:
    log.warning("refund %s: attempt %d: %s", refund.public_id, refund.attempts, problem)
    if refund.attempts >= MOST_ATTEMPTS:
        _give_up(refund, problem)
    else:
        Refund.objects.filter(pk=refund.pk).update(last_error=problem[:500])


@transaction.atomic
def _give_up(refund: Refund, problem: str) -> None:
    _fail(lock_order(refund.payment.order_id), refund, problem, refund.reference)


def _fail(order: Order, refund: Refund, problem: str, reference: str) -> bool:
    """The money did not go back: the order has it again, and people must look after it."""
    ended = _end(refund, RefundState.FAILED, reference=reference, last_error=problem[:500])
    if ended:
        log.error("refund %s could not be paid back: %s", refund.public_id, problem)
    if ended and not refund.payment.is_surplus:
        Order.objects.filter(pk=order.pk).update(
            refunded_minor=F("refunded_minor") - refund.amount_minor
        )
    return ended


def _end(refund: Refund, state: RefundState, **also: str) -> bool:
    before = (
        [RefundState.DUE, RefundState.DONE] if state == RefundState.FAILED else [RefundState.DUE]
    )
    ended = Refund.objects.filter(pk=refund.pk, state__in=before).update(
        state=state, settled_at=now(), **also
    )
    if ended:
        refund.refresh_from_db()
        _tell(refund)
    return ended == 1


def _nothing_is_left(order: Order, reason: str) -> None:
    change_state(order, OrderState.REFUNDED, sources=AFTER_SENDING, actor=None, reason=reason)
    before = (OrderState.PAID, OrderState.PACKED)
    change_state(order, OrderState.CANCELLED, sources=before, actor=None, reason=reason)


def _tell(refund: Refund) -> None:
    order = refund.payment.order
    outbox.publish(
        RefundSettled(
            order_id=order.public_id,
            number=order.number,
            seller_id=order.seller.public_id,
            buyer_id=order.buyer.public_id,
            at=now(),
            refund_id=refund.public_id,
            state=refund.state,
            amount_minor=refund.amount_minor,
            currency=order.currency,
        )
    )


def paid_back(payment: Payment) -> int:
    """Of a payment, what is paid back or on its way back, in minor units."""
    kept = payment.refunds.exclude(state=RefundState.FAILED)
    total: int = kept.aggregate(total=Sum("amount_minor", default=0))["total"]
    return total


def failed_refunds() -> int:
    """How many refunds wait for a person."""
    return refunds_to_look_at().count()


def refunds_to_look_at() -> QuerySet[Refund]:
    """Those that failed and were not tried again by hand, the oldest first."""
    again = Refund.objects.filter(
        payment=OuterRef("payment"), key=Concat(Value(AGAIN), Cast(OuterRef("pk"), CharField()))
    )
    return Refund.objects.filter(~Exists(again), state=RefundState.FAILED).order_by("asked_at")
