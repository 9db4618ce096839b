"""An order as its buyer's page tells it: how it stands, what is next, where the money is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.accounts.models import User
from core.clock import epoch_ms
from core.money import Money
from orders import access, photos, reasons
from orders.models import (
    GONE,
    Delivery,
    Order,
    OrderMove,
    OrderState,
    Payment,
    PaymentState,
    Refund,
    RefundClaim,
    RefundState,
)
from orders.payments import cash
from orders.services.claims import claim_until, granted_minor, may_ask
from orders.services.refunds import can_pay_back
from orders.timeline import steps
from sellers.models import CancelUntil
from sellers.regions import address_line

TITLES = {
    OrderState.HELD: gettext_lazy("Waiting for your payment"),
    OrderState.PLACED: gettext_lazy("Ordered"),
    OrderState.PAID: gettext_lazy("Paid"),
    OrderState.PACKED: gettext_lazy("Packed"),
    OrderState.SENT: gettext_lazy("On its way to you"),
    OrderState.DELIVERED: gettext_lazy("Delivered"),
    OrderState.CANCELLED: gettext_lazy("Cancelled"),
    OrderState.EXPIRED: gettext_lazy("Not paid in time"),
    OrderState.REFUNDED: gettext_lazy("Paid back"),
}
FETCHED_TITLES = {
    OrderState.SENT: gettext_lazy("Ready for you to pick up"),
    OrderState.DELIVERED: gettext_lazy("Picked up"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """How the order stands in a few words, and in which colour."""

    icon: str
    title: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """Money on its way back, or there; `is_surplus`: it should not have come at all."""

    amount: Money
    state: str
    reason: str
    at: datetime
    is_surplus: bool
    in_cash: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to the order."""

    at: datetime
    label: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the buyer asked for, with addresses of its photos; `granted`: what they got, if less."""

    claim: RefundClaim
    amount: Money
    granted: Money | None
    photos: list[str]


def order_context(order: Order, buyer: User) -> dict[str, Any]:
    """Everything that the templates of the buyer's page read."""
    moves = order.way
    payments = list(order.payments.prefetch_related("refunds"))
    back = list(_money_back(order, payments))
    return {
        "order": order,
        "status": _status(order, moves),
        "steps": steps(order, moves),
        "lines": order.lines.select_related("variant__product").order_by("pk"),
        "goods": Money(order.total_minor - order.delivery_fee_minor, order.currency),
        "fee": Money(order.delivery_fee_minor, order.currency),
        "paid": next((one for one in payments if _pays(one)), None),
        "back": back,
        "gone_reason": _gone_reason(order, moves),
        "history": list(_history(order, moves, buyer)),
        "address": address_line(order.region, order.address),
        "held_until_ms": epoch_ms(order.held_until) if order.held_until else None,
        "is_under_way": order.state not in GONE and order.state != OrderState.REFUNDED,
        **_choices(order, buyer),
    }


def _choices(order: Order, buyer: User) -> dict[str, Any]:
    """What the buyer can do now, and until when."""

    def may(to: OrderState) -> bool:
        return order.buyer_id == buyer.pk and access.may_move(buyer, order, to)

    is_buyer = order.buyer_id == buyer.pk
    return {
        "is_buyer": is_buyer,
        "may_pay": is_buyer and order.state == OrderState.HELD,
        "may_pay_cash": may(OrderState.PLACED),
        "may_receive": may(OrderState.DELIVERED),
        "may_cancel": may(OrderState.CANCELLED),
        "cancel_rule": _cancel_rule(order),
        "may_ask": is_buyer and may_ask(order),
        "ask_until": claim_until(order),
        "most_back": Money(can_pay_back(order), order.currency),
        "claims": [_claim(claim) for claim in order.claims.prefetch_related("photos")],
    }


# How it stands


def _status(order: Order, moves: list[OrderMove]) -> Status:
    state = OrderState(order.state)
    fetched = order.delivery == Delivery.PICKUP
    title = FETCHED_TITLES.get(state, TITLES[state]) if fetched else TITLES[state]
    tone = "gone" if state in GONE else "wait" if state == OrderState.HELD else "ok"
    return Status(_icon(state, fetched), str(title), _text(order, state, fetched), tone)


def _icon(state: OrderState, fetched: bool) -> str:
    icons = {
        OrderState.HELD: "clock",
        OrderState.PLACED: "bag",
        OrderState.PAID: "cash",
        OrderState.PACKED: "orders",
        OrderState.SENT: "shop" if fetched else "truck",
        OrderState.DELIVERED: "check",
        OrderState.REFUNDED: "cash",
    }
    return icons.get(state, "close")


def _text(order: Order, state: OrderState, fetched: bool) -> str:
    match state:
        case OrderState.HELD:
            return _("The goods are set aside for you until you have paid.")
        case OrderState.PLACED:
            return _("The seller packs it soon. You pay in cash when you get it.")
        case OrderState.PAID:
            return _("The seller packs it soon.")
        case OrderState.PACKED:
            if fetched:
                return _("It is on its way to the pick-up point.")
            return _("The courier fetches it soon.")
        case OrderState.SENT:
            if fetched:
                return _("Take the code with you.")
            return ""
        case OrderState.DELIVERED:
            return _("Enjoy it!")
        case OrderState.EXPIRED:
            return _("The goods are on sale again. You can order anew.")
        case _:
            return ""


def _cancel_rule(order: Order) -> str:
    if order.seller.cancel_until == CancelUntil.SENT:
        return _("This seller lets you cancel until it is sent.")
    return _("This seller lets you cancel until it is packed.")


def _gone_reason(order: Order, moves: list[OrderMove]) -> str:
    """Why it was cancelled, in the words of whoever did that."""
    last = next((move for move in reversed(moves) if move.state == order.state), None)
    if last is None or order.state != OrderState.CANCELLED:
        return ""
    return reasons.told(last.reason)


# Money


def _pays(payment: Payment) -> bool:
    return payment.state == PaymentState.PAID and not payment.is_surplus


def _money_back(order: Order, payments: list[Payment]) -> Iterator[MoneyBack]:
    for payment in payments:
        for refund in payment.refunds.all():
            yield MoneyBack(
                amount=Money(refund.amount_minor, order.currency),
                state=refund.state,
                reason=reasons.told(refund.reason),
                at=_last(refund),
                is_surplus=payment.is_surplus,
                in_cash=payment.provider == cash.NAME,
            )


def _last(refund: Refund) -> datetime:
    is_done = refund.state == RefundState.DONE and refund.settled_at is not None
    return refund.settled_at if is_done and refund.settled_at else refund.asked_at


def _claim(claim: RefundClaim) -> Claim:
    currency = claim.order.currency
    granted = granted_minor(claim)
    return Claim(
        claim=claim,
        amount=Money(claim.amount_minor, currency),
        granted=Money(granted, currency) if 0 < granted < claim.amount_minor else None,
        photos=[photos.address(photo.key) for photo in claim.photos.all()],
    )


# What happened


def _history(order: Order, moves: list[OrderMove], buyer: User) -> Iterator[Moment]:
    """The newest first."""
    for move in reversed(moves):
        label = OrderState(move.state).label
        yield Moment(move.at, str(label), _who(order, move, buyer), reasons.told(move.reason))


def _who(order: Order, move: OrderMove, buyer: User) -> str:
    """A buyer deals with the seller, whoever of its people it was."""
    if move.actor_id is None:
        return _("by itself")
    if move.actor_id == order.buyer_id:
        return _("by you") if order.buyer_id == buyer.pk else _("by the buyer")
    return _("by the seller")
