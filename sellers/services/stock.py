"""Every change of stock: one conditional UPDATE, its movements and its facts, in one transaction.

The UPDATE alone decides, so that two buyers of the last box are told apart by the database and not
by what each of them read before. `CHECK` constraints stand behind it. Many changes of many variants
are one statement each, whatever their number; rows are locked in the order of their keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import bulk, outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.text import clean_line
from sellers.errors import SoldOut
from sellers.events import StockChanged
from sellers.models import MovementKind, Stock, StockMovement

MOST_ON_HAND = 1_000_000


class Change(NamedTuple):
    """So many pieces of a variant (by primary key), for an order, by somebody."""

    variant_pk: int
    quantity: int
    order_id: UUID | None
    actor_pk: int | None


class Effect(NamedTuple):
    """What one piece does to the books, and what must be true of the row for it to happen."""

    on_hand: int
    reserved: int
    condition: str


EFFECTS: dict[MovementKind, Effect] = {
    MovementKind.RESERVE: Effect(0, 1, "s.on_hand - s.reserved >= r.pieces"),
    MovementKind.RELEASE: Effect(0, -1, "s.reserved >= r.pieces"),
    MovementKind.SHIP: Effect(-1, -1, "s.reserved >= r.pieces"),
    MovementKind.RETURN: Effect(1, 0, f"s.on_hand + r.pieces <= {MOST_ON_HAND}"),
}


class NotAll(Conflict):
    """The books do not have what a change needs; nothing was changed."""


def locked(variant_pks: Collection[int]) -> dict[int, Stock]:
    """The rows as they are, ours until commit; always taken in the order of their keys."""
    sql = (
        f'SELECT {bulk.columns(Stock, "s")} FROM "sellers_stock" s '  # noqa: S608 - of constants
        f"WHERE s.variant_id IN (SELECT r.pk FROM {bulk.rows(pk='bigint')}) ORDER BY s.variant_id"
        f"{' FOR NO KEY UPDATE OF s' if bulk.locks_rows() else ''}"
    )
    return {
        row.pk: row for (row,) in bulk.read(sql, bulk.encode((pk,) for pk in variant_pks), Stock)
    }


def reserve_many(changes: Sequence[Change]) -> None:
    """Set pieces aside for orders; all or `NotAll`, after which the transaction is to end."""
    _change_many(MovementKind.RESERVE, changes)


def release_many(changes: Sequence[Change]) -> None:
    """Give back what was set aside; all or `NotAll`."""
    _change_many(MovementKind.RELEASE, changes)


def ship_many(changes: Sequence[Change]) -> None:
    """What was set aside leaves the house; all or `NotAll`."""
    _change_many(MovementKind.SHIP, changes)


def take_back_many(changes: Sequence[Change], *, reason: str = "") -> None:
    """What was sent has come back and can be sold again; all or `NotAll`."""
    _change_many(MovementKind.RETURN, changes, reason=reason)


def reserve(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User | None) -> Stock:
    """Set `quantity` aside for an order; raises `SoldOut` if fewer are free."""
    change = _change_of(variant_id, quantity, order_id, actor)
    try:
        with transaction.atomic():
            reserve_many([change])
            return Stock.objects.get(pk=change.variant_pk)
    except NotAll:
        raise SoldOut(_stock(variant_id).available, variant_id) from None


def release(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User | None) -> Stock:
    """Give back what was set aside for an order; raises `Conflict` if that was less."""
    change = _change_of(variant_id, quantity, order_id, actor)
    with transaction.atomic():
        release_many([change])
        return Stock.objects.get(pk=change.variant_pk)


def ship(variant_id: UUID, quantity: int, *, order_id: UUID, actor: User | None) -> Stock:
    """What was set aside leaves the house; raises `Conflict` if less was set aside."""
    change = _change_of(variant_id, quantity, order_id, actor)
    with transaction.atomic():
        ship_many([change])
        return Stock.objects.get(pk=change.variant_pk)


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
        unchanged = Stock.objects.filter(
            pk=before.pk, on_hand=before.on_hand, reserved__lte=on_hand
        )
        if not unchanged.update(on_hand=on_hand, version=F("version") + 1):
            raise Conflict(_("Goods moved while you counted. Please count again."))
        difference = on_hand - before.on_hand
        _record(
            MovementKind.ADJUST,
            [(before.pk, difference, 0, None, actor.pk if actor else None)],
            reason,
        )
        stock = _stock(variant_id)
        outbox.publish(StockChanged(variant_id, stock.available, stock.version))
        return stock


def _change_many(kind: MovementKind, changes: Sequence[Change], *, reason: str = "") -> None:
    if not changes:
        return
    with transaction.atomic(savepoint=False):
        changed = _update(kind, _sums(changes))
        effect = EFFECTS[kind]
        _record(
            kind,
            [
                (pk, effect.on_hand * pieces, effect.reserved * pieces, order_id, actor_pk)
                for pk, pieces, order_id, actor_pk in changes
            ],
            reason,
        )
        # The rows are ours until commit, so what was returned holds.
        outbox.publish(changed)


def _sums(changes: Iterable[Change]) -> Mapping[int, int]:
    sums = Counter[int]()
    for change in changes:
        sums[change.variant_pk] += change.quantity
    return sums


def _update(kind: MovementKind, pieces: Mapping[int, int]) -> list[StockChanged]:
    """The one UPDATE; what is to be told of it. Raises `NotAll`.

    PostgreSQL locks the rows of an UPDATE in any order: of several, they are locked before it.
    """
    if len(pieces) > 1:
        locked(pieces)
    rows = bulk.execute(update_sql(kind), bulk.encode(pieces.items()))
    if len(rows) != len(pieces):
        raise NotAll(_("This was not set aside for the order any more."))
    return [StockChanged(_uuid(one), available, version) for one, available, version in rows]


def update_sql(kind: MovementKind) -> str:
    """The statement that changes stock, of rows (variant, pieces)."""
    effect = EFFECTS[kind]
    return (
        'UPDATE "sellers_stock" AS s SET '  # noqa: S608 - of constants
        f"on_hand = s.on_hand + ({effect.on_hand}) * r.pieces, "
        f"reserved = s.reserved + ({effect.reserved}) * r.pieces, "
        "version = s.version + 1 "
        f"FROM {bulk.rows(variant='bigint', pieces='bigint')} "
        f"WHERE s.variant_id = r.variant AND {effect.condition} "
        "RETURNING (SELECT public_id FROM sellers_variant AS v WHERE v.id = variant_id), "
        "on_hand - reserved, version"
    )


_MOVEMENT = ("variant_id", "on_hand_change", "reserved_change", "order_id", "actor_id",
             "kind", "reason", "at")  # fmt: skip


def _record(
    kind: MovementKind,
    movements: Iterable[tuple[int, int, int, UUID | None, int | None]],
    reason: str,
) -> None:
    """Write into the ledger: variant, change on hand, change reserved, order, actor."""
    at = now()
    bulk.insert(StockMovement, _MOVEMENT, [(*one, kind.value, reason, at) for one in movements])


def _uuid(value: UUID | str) -> UUID:
    """SQLite has ids as text."""
    return value if isinstance(value, UUID) else UUID(value)


def _change_of(variant_id: UUID, quantity: int, order_id: UUID, actor: User | None) -> Change:
    return Change(_stock(variant_id).pk, quantity, order_id, actor.pk if actor else None)


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
