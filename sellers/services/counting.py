"""What people do to stock with their hands: count, harvest, throw away, give away."""

from __future__ import annotations

from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from core.text import clean_line
from sellers.models import MovementKind, StockMovement, Variant
from sellers.services import stock

TRIES = 10
LONGEST_NOTE = 150


class Happened(models.TextChoices):
    """Why there is more or less of something than the books say."""

    COUNTED = "counted", gettext_lazy("counted")
    HARVESTED = "harvested", gettext_lazy("harvested or made")
    DAMAGED = "damaged", gettext_lazy("damaged or spoilt")
    GIVEN = "given", gettext_lazy("given away")
    OWN_USE = "own_use", gettext_lazy("own use")
    OTHER = "other", gettext_lazy("something else: count anew")


SIGN = {Happened.HARVESTED: 1, Happened.DAMAGED: -1, Happened.GIVEN: -1, Happened.OWN_USE: -1}
"""What adds or takes away; everything else says how many there are."""


def write_down(
    variant: Variant, *, happened: str, pieces: int, note: str, actor: User, key: UUID | None
) -> None:
    """Bring the books in line with what happened; the same `key` again changes nothing.

    Raises `InvalidInput` naming "happened", "pieces" or "note", and `Conflict` where goods keep
    moving while it is written down.
    """
    what = _clean_what(happened)
    reason = _reason(what, note)
    if key is not None and StockMovement.objects.filter(key=key).exists():
        return
    if what not in SIGN:
        _set(variant, pieces, reason, actor, key)
        return
    if pieces < 1:
        raise InvalidInput(_("Please write how many, 1 or more."), field="pieces")
    _change(variant, SIGN[what] * pieces, reason, actor, key)


def _clean_what(happened: str) -> Happened:
    if happened not in Happened.values:
        raise InvalidInput(_("Please say what happened."), field="happened")
    return Happened(happened)


def _reason(what: Happened, note: str) -> str:
    note = clean_line(note, "note", longest=LONGEST_NOTE, shortest=0)
    if what == Happened.OTHER:
        return clean_line(note, "note", longest=LONGEST_NOTE)
    label = str(what.label)
    return f"{label}: {note}" if note else label


def _change(variant: Variant, difference: int, reason: str, actor: User, key: UUID | None) -> None:
    """More or fewer than there are; orders that come meanwhile only mean looking again."""
    for last in [False] * (TRIES - 1) + [True]:
        variant.stock.refresh_from_db()
        on_hand = variant.stock.on_hand + difference
        if on_hand < 0:
            raise InvalidInput(
                _("There are only %(count)d.") % {"count": variant.stock.on_hand}, field="pieces"
            )
        try:
            _set(variant, on_hand, reason, actor, key)
        except Conflict:
            if last:
                raise
        else:
            return


def _set(variant: Variant, on_hand: int, reason: str, actor: User, key: UUID | None) -> None:
    try:
        with transaction.atomic():
            stock.adjust(variant.public_id, on_hand=on_hand, reason=reason, actor=actor)
            if key is not None:
                _mark(variant, key)
    except InvalidInput as error:
        field = "pieces" if error.field == "on_hand" else error.field
        raise InvalidInput(error.message, field=field, details=error.details) from error


def _mark(variant: Variant, key: UUID) -> None:
    """The stock row is ours until commit, so its last adjustment is the one just made.

    A second form with the key that came at the same time raises `IntegrityError` here, and all of
    it is undone: `made_once` then finds the first.
    """
    mine = StockMovement.objects.filter(variant=variant, kind=MovementKind.ADJUST)
    StockMovement.objects.filter(pk=mine.order_by("-pk").values("pk")[:1]).update(key=key)
