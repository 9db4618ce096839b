"""Tracking numbers that come as a table: first what they would do, then doing it.

What a table would do is worked out anew each time, from the orders as they are: doing it again, or
after somebody else did half of it, sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import AppError, Conflict, NotFound
from orders.models import Delivery, Order, OrderState, TrackingUpload
from orders.services.fulfil import move_order
from orders.tracking_file import BadRow, Row, rows_of, text_of
from sellers.models import Seller

KEPT = timedelta(days=1)
AT_ONCE = 500
MOST_MOVES = 1000
"""In one request: what takes longer is cut off by somebody's patience or proxy."""

ON_THE_WAY = {
    OrderState.PLACED: (OrderState.PACKED, OrderState.SENT),
    OrderState.PAID: (OrderState.PACKED, OrderState.SENT),
    OrderState.PACKED: (OrderState.SENT,),
    OrderState.SENT: (OrderState.SENT,),
}
"""What an order in each state goes through until it is sent with its number."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A row that can be used, and its order as it is now."""

    row: Row
    order_id: UUID
    state: str
    recipient: str


@dataclass(slots=True)
class Plan:
    """What a table would do: `same` rows are done already."""

    ready: list[Parcel] = field(default_factory=list)
    same: int = 0
    bad: list[BadRow] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What was done; `left` rows are good, and for the next time."""

    sent: int = 0
    same: int = 0
    bad: list[BadRow] = field(default_factory=list)
    left: int = 0


def keep_upload(actor: User, name: str, data: bytes, *, public_id: UUID) -> TrackingUpload:
    """Keep a file that can be read as such a table. Raises `InvalidInput` for the field "file"."""
    text = text_of(data)
    for _row in islice(rows_of(text), 1):
        pass  # a table without the columns is refused before anybody waits for it
    TrackingUpload.objects.filter(actor=actor, made_at__lt=now() - KEPT).delete()
    return TrackingUpload.objects.create(
        public_id=public_id, actor=actor, name=name[:120], text=text, made_at=now()
    )


def upload_of(actor: User, upload_id: UUID) -> TrackingUpload:
    """What this person uploaded; `NotFound` for everybody else."""
    upload = TrackingUpload.objects.filter(public_id=upload_id, actor=actor).first()
    if upload is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return upload


def plan(upload: TrackingUpload, sellers: Sequence[Seller]) -> Plan:
    """What the table would do to these sellers' orders. Raises `InvalidInput`."""
    made, seen = Plan(), dict[str, Row]()
    rows = rows_of(upload.text)
    while some := list(islice(rows, AT_ONCE)):
        made.bad += [row for row in some if isinstance(row, BadRow)]
        good = [row for row in some if isinstance(row, Row)]
        for row, order in _with_orders(good, sellers):
            _consider(made, row, order, seen)
    return made


def carry_out(
    upload: TrackingUpload, sellers: Sequence[Seller], actor: User, *, all_or_nothing: bool
) -> Outcome:
    """Send what the table says. With `all_or_nothing` one bad row keeps all others back.

    Raises `Conflict` for that, with nothing changed; otherwise the good rows are sent, each by
    itself, at most `MOST_MOVES` of them.
    """
    planned = plan(upload, sellers)
    now_, later = planned.ready[:MOST_MOVES], planned.ready[MOST_MOVES:]
    outcome = Outcome(same=planned.same, bad=list(planned.bad), left=len(later))
    if not all_or_nothing:
        outcome.sent = sum(_sent(parcel, actor, outcome) for parcel in now_)
        return outcome
    if planned.bad:
        raise Conflict(_("Nothing was changed: some rows are wrong."))
    if later:
        most = {"most": MOST_MOVES}
        raise Conflict(_("At most %(most)d rows go all or none. Please split the file.") % most)
    with transaction.atomic():
        for parcel in now_:
            _send(parcel, actor)
    outcome.sent = len(now_)
    return outcome


def _with_orders(
    rows: Iterable[Row], sellers: Sequence[Seller]
) -> Iterator[tuple[Row, Order | None]]:
    wanted = list(rows)
    orders = Order.objects.filter(seller__in=sellers, number__in={row.number for row in wanted})
    known = {order.number: order for order in orders}
    return ((row, known.get(row.number)) for row in wanted)


def _consider(made: Plan, row: Row, order: Order | None, seen: dict[str, Row]) -> None:
    before = seen.setdefault(row.number, row)
    if why := _why_not(row, order, before):
        made.bad.append(BadRow(row.line, f"{row.number} · {row.tracking}", why))
    elif order is None or before is not row or _is_same(row, order):
        made.same += 1
    else:
        made.ready.append(Parcel(row, order.public_id, order.state, order.recipient))


def _why_not(row: Row, order: Order | None, before: Row) -> str:
    """Why the row cannot be used; "" if it can."""
    if order is None:
        return _("There is no such order, or it is not yours.")
    if before is not row and (before.tracking, before.carrier) != (row.tracking, row.carrier):
        return _("Line %(line)d says something else of the same order.") % {"line": before.line}
    if order.delivery != Delivery.COURIER:
        return _("This order is fetched at a pick-up point.")
    if order.state not in ON_THE_WAY and not _is_same(row, order):
        state = OrderState(order.state).label
        return _("This order is already %(state)s.") % {"state": state}
    return ""


def _is_same(row: Row, order: Order) -> bool:
    is_gone = order.state in {OrderState.SENT, OrderState.DELIVERED, OrderState.REFUNDED}
    carrier = row.carrier or order.carrier
    return is_gone and (order.carrier, order.tracking_number) == (carrier, row.tracking)


def _sent(parcel: Parcel, actor: User, outcome: Outcome) -> bool:
    """Whether it could be sent: somebody may have cancelled it since it was looked at."""
    try:
        with transaction.atomic():
            _send(parcel, actor)
    except AppError as error:
        shown = f"{parcel.row.number} · {parcel.row.tracking}"
        outcome.bad.append(BadRow(parcel.row.line, shown, error.message))
        return False
    return True


def _send(parcel: Parcel, actor: User) -> None:
    row = parcel.row
    *before, _sent_at_last = ON_THE_WAY[OrderState(parcel.state)]
    for state in before:
        move_order(parcel.order_id, state, actor)
    move_order(
        parcel.order_id,
        OrderState.SENT,
        actor,
        carrier=row.carrier,
        tracking_number=row.tracking,
    )
