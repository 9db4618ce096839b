"""A buyer asks for money back, with photos; the seller answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.text import clean_lines
from orders import access, photos, reasons
from orders.events import ClaimChanged
from orders.models import ClaimPhoto, ClaimState, Order, OrderState, Refund, RefundClaim
from orders.services.refunds import can_pay_back, pay_back

LONGEST = 1000


def ask_refund(
    order_id: UUID, buyer: User, text: str, amount_minor: int, pictures: Sequence[bytes] = ()
) -> RefundClaim:
    """Ask the seller for money back. The same again while it is open: the same claim.

    Raises `NotFound` for everybody but the buyer, `InvalidInput` naming the field, `Conflict`
    where nothing can be asked back: not sent, not paid, too late, asked already.
    """
    order = access.order_of(buyer, order_id)
    access.buyer_of(buyer, order)
    text = _clean_text(text, "text")
    if (known := _same(order, text, amount_minor)) is not None:
        return known
    _check(order, amount_minor)
    claim = RefundClaim(
        public_id=new_id(), order=order, text=text, amount_minor=amount_minor, asked_at=now()
    )
    keys = photos.keep(claim.public_id, pictures)
    try:
        return _ask(claim, keys)
    except IntegrityError:
        photos.forget(claim.public_id)
        return _same_or_refuse(order, text, amount_minor)


@transaction.atomic
def answer_claim(
    claim_id: UUID,
    actor: User,
    accept: bool,
    amount_minor: int | None = None,
    answer: str = "",
    restock: Mapping[int, int] | None = None,
) -> RefundClaim:
    """The seller's yes or no. A yes pays back `amount_minor` (None: what was asked for) and puts
    the pieces of `restock` (by line's primary key) into stock.

    The same answer again changes nothing. Raises `NotFound`, `NotAllowed`, `Conflict` if it was
    answered otherwise or taken back, and what `pay_back` raises.
    """
    claim = claim_of(claim_id)
    access.keeper_of(actor, claim.order)
    to = ClaimState.ACCEPTED if accept else ClaimState.DECLINED
    answer = _clean_text(answer, "answer", shortest=0 if accept else 1)
    if not _answered(claim, to, answer, actor):
        return claim
    if accept:
        amount = claim.amount_minor if amount_minor is None else amount_minor
        reason = reasons.ASKED_AND_AGREED
        pay_back(claim.order, amount, reason, actor, _key(claim), restock)
    return claim


@transaction.atomic
def withdraw_claim(claim_id: UUID, buyer: User) -> RefundClaim:
    """The buyer asks for nothing any more. Again: the same answer."""
    claim = claim_of(claim_id)
    access.buyer_of(buyer, claim.order)
    _answered(claim, ClaimState.WITHDRAWN, "", buyer)
    return claim


def granted_minor(claim: RefundClaim) -> int:
    """How much the seller gave back on this claim; 0 if it was not accepted."""
    if claim.state != ClaimState.ACCEPTED:
        return 0
    given = Refund.objects.filter(payment__order=claim.order_id, key=_key(claim))
    total: int = given.aggregate(all=Sum("amount_minor", default=0))["all"]
    return total


def claim_until(order: Order) -> datetime | None:
    """Until when the buyer can ask for money back; `None`: not now, or never."""
    days = order.seller.refund_days
    came = order.moves.filter(state__in=[OrderState.SENT, OrderState.DELIVERED]).last()
    if not days or came is None or order.state not in {OrderState.SENT, OrderState.DELIVERED}:
        return None
    return came.at + timedelta(days=days)


def may_ask(order: Order) -> bool:
    """Whether the buyer can ask for money back now."""
    until = claim_until(order)
    is_open = order.claims.filter(state=ClaimState.OPEN).exists()
    return until is not None and now() < until and not is_open and can_pay_back(order) > 0


def _key(claim: RefundClaim) -> str:
    """The name of its refund: answered again, it is the same one."""
    return f"claim:{claim.pk}"


def _clean_text(text: object, field: str, *, shortest: int = 1) -> str:
    cleaned = clean_lines(text, field, longest=LONGEST)
    if len(cleaned) < shortest:
        raise InvalidInput(_("Please fill this in."), field=field)
    return cleaned


def _check(order: Order, amount_minor: object) -> None:
    until = claim_until(order)
    if until is None or now() >= until:
        raise _cannot_ask(order)
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or amount_minor < 1:
        raise InvalidInput(_("Please write how much you ask for."), field="amount_minor")
    most = can_pay_back(order)
    if not most:
        raise Conflict(_("Nothing was paid for this order yet."))
    if amount_minor > most:
        message = _("That is more than you paid for this order.")
        raise InvalidInput(message, field="amount_minor", details={"most_minor": most})


def _cannot_ask(order: Order) -> Conflict:
    days = order.seller.refund_days
    if claim_until(order) is not None:
        message = ngettext(
            "Money back can be asked for within %(count)d day.",
            "Money back can be asked for within %(count)d days.",
            days,
        )
        return Conflict(message % {"count": days})
    if not days:
        return Conflict(_("This seller takes nothing back. Please call them."))
    return Conflict(_("Money back can be asked for when the order was sent."))


def _same(order: Order, text: str, amount_minor: int) -> RefundClaim | None:
    return order.claims.filter(state=ClaimState.OPEN, text=text, amount_minor=amount_minor).first()


def _same_or_refuse(order: Order, text: str, amount_minor: int) -> RefundClaim:
    known = _same(order, text, amount_minor)
    if known is None:
        raise Conflict(_("You asked already, and the seller has not answered yet."))
    return known


@transaction.atomic
def _ask(claim: RefundClaim, keys: Sequence[str]) -> RefundClaim:
    """The unique constraint on open claims decides between two that come together."""
    claim.save(force_insert=True)
    ClaimPhoto.objects.bulk_create(ClaimPhoto(claim=claim, key=key) for key in keys)
    _tell(claim)
    return claim


def claim_of(claim_id: UUID) -> RefundClaim:
    claims = RefundClaim.objects.select_related("order__seller", "order__buyer")
    claim = claims.filter(public_id=claim_id).first()
    if claim is None:
        raise NotFound(_("There is no such claim, or it is not yours."))
    return claim


def _answered(claim: RefundClaim, to: ClaimState, answer: str, actor: User) -> bool:
    """Claim the one answer; `False` if it is this one already. Raises `Conflict` for another."""
    # The order's row first, as whoever pays back takes it.
    Order.objects.select_for_update().get(pk=claim.order_id)
    changed = RefundClaim.objects.filter(pk=claim.pk, state=ClaimState.OPEN).update(
        state=to, answer=answer, answered_by=actor, answered_at=now()
    )
    claim.refresh_from_db(fields=["state", "answer", "answered_by", "answered_at"])
    if changed:
        _tell(claim)
    elif claim.state != to:
        state = ClaimState(claim.state).label
        raise Conflict(_("This is %(state)s already.") % {"state": state})
    return changed == 1


def _tell(claim: RefundClaim) -> None:
    order = claim.order
    outbox.publish(
        ClaimChanged(
            order_id=order.public_id,
            number=order.number,
            seller_id=order.seller.public_id,
            buyer_id=order.buyer.public_id,
            at=now(),
            claim_id=claim.public_id,
            state=claim.state,
        )
    )
