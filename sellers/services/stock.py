"""Every change of stock: one conditional UPDATE, its movement and its fact, in one transaction.

The UPDATE alone decides, so that two buyers of the last box are told apart by the database and not
by what each of them read before. `CHECK` constraints stand behind it.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import outbox
from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from sellers.errors import SoldOut
from sellers.events import StockChanged
from sellers.models import MovementKind, Stock, StockMovement, Variant

MOST_ON_HAND = 1_000_000


def reserve(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User) -> Stock:
    """Set `quantity` aside for an order; raises `SoldOut` if fewer are free."""
    with transaction.atomic():
        enough = Q(on_hand__gte=F("reserved") + quantity)
        if not _change(variant_id, enough, reserved=quantity):
            raise SoldOut(_stock(variant_id).available)
        return _record(variant_id, MovementKind.RESERVE, actor, order_id, reserved=quantity)


def release(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User) -> Stock:
    """Give back what was set aside for an order; raises `Conflict` if that was less."""
    with transaction.atomic():
        if not _change(variant_id, Q(reserved__gte=quantity), reserved=-quantity):
            raise _never_reserved()
        return _record(variant_id, MovementKind.RELEASE, actor, order_id, reserved=-quantity)


def ship(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User) -> Stock:
    """What was set aside leaves the house; raises `Conflict` if less was set aside."""
    with transaction.atomic():
        if not _change(
            variant_id, Q(reserved__gte=quantity), on_hand=-quantity, reserved=-quantity
        ):
            raise _never_reserved()
        return _record(
            variant_id, MovementKind.SHIP, actor, order_id, on_hand=-quantity, reserved=-quantity
        )


def adjust(variant_id: UUID, *, on_hand: int, reason: str, actor: User | None) -> Stock:
    """Somebody counted: there are `on_hand`, whatever the books said.

    Raises `InvalidInput` for a count that is impossible or below what is promised to buyers, and
    `Conflict` if goods left or came while the count was being written down: it is then out of date.
    """
    _check_count(on_hand)
    reason = clean_line(reason, "reason", longest=200)
    with transaction.atomic():
        before = _stock(variant_id)
        if on_hand < before.reserved:
            raise _promised(before.reserved)
        difference = on_hand - before.on_hand
        unchanged = Q(on_hand=before.on_hand, reserved__lte=on_hand)
        if not _change(variant_id, unchanged, on_hand=difference):
            raise Conflict(_("Goods moved while you counted. Please count again."))
        return _record(
            variant_id, MovementKind.ADJUST, actor, None, reason=reason, on_hand=difference
        )


def _change(variant_id: UUID, condition: Q, *, on_hand: int = 0, reserved: int = 0) -> bool:
    """The one UPDATE; `False` if the condition did not hold in the row as it is now.

    The variant is named by a subquery and not by a join: Django would move the condition into the
    join's subquery, where PostgreSQL does not look again after waiting for another buyer.
    """
    variant = Variant.objects.filter(public_id=variant_id).values("pk")
    changed = Stock.objects.filter(condition, pk=Subquery(variant)).update(
        on_hand=F("on_hand") + on_hand,
        reserved=F("reserved") + reserved,
        version=F("version") + 1,
    )
    return changed == 1


def _record(
    variant_id: UUID,
    kind: MovementKind,
    actor: User | None,
    order_id: UUID | None,
    *,
    reason: str = "",
    on_hand: int = 0,
    reserved: int = 0,
) -> Stock:
    """Write the movement and the fact. The row is ours until commit, so what is read is ours."""
    stock = _stock(variant_id)
    StockMovement.objects.create(
        variant_id=stock.pk,
        kind=kind,
        on_hand_change=on_hand,
        reserved_change=reserved,
        reason=reason,
        actor=actor,
        order_id=order_id,
    )
    outbox.publish(
        StockChanged(variant_id=variant_id, available=stock.available, version=stock.version)
    )
    return stock


def _stock(variant_id: UUID) -> Stock:
    stock = Stock.objects.filter(variant__public_id=variant_id).first()
    if stock is None:
        raise NotFound(_("There is no such product."))
    return stock


def _check_count(on_hand: int) -> None:
    if isinstance(on_hand, bool) or not isinstance(on_hand, int) or on_hand < 0:
        raise InvalidInput(_("Please write how many there are, 0 or more."), field="on_hand")
    if on_hand > MOST_ON_HAND:
        raise InvalidInput(_("That is more than anybody could count."), field="on_hand")


def _promised(reserved: int) -> InvalidInput:
    return InvalidInput(
        ngettext(
            "%(count)d is promised to a buyer. Cancel the order first if it cannot be sent.",
            "%(count)d are promised to buyers. Cancel orders first if they cannot be sent.",
            reserved,
        )
        % {"count": reserved},
        field="on_hand",
        details={"reserved": reserved},
    )


def _never_reserved() -> Conflict:
    return Conflict(_("This was not set aside for the order any more."))
