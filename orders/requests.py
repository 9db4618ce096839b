"""What a buyer asks for, cleaned: from JSON of anybody's making to types that can be trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from core.errors import InvalidInput
from core.ids import parse_id
from core.text import clean_line
from orders.delivery import Destination, clean_destination
from orders.models import PaymentMethod

MOST_PER_LINE = 999
MOST_LINES = 20
MOST_MINOR = 10**15
WAYS = {method.value: method for method in PaymentMethod}


class Line(msgspec.Struct, frozen=True):
    """So many of an offer at the show's price, or of a variant at its own; one of the two ids."""

    offer_id: UUID | None
    variant_id: UUID | None
    quantity: int
    price_minor: int

    @property
    def named(self) -> str:
        return "offer_id" if self.offer_id else "variant_id"


class OrderRequest(msgspec.Struct, frozen=True):
    """What a buyer asked for. Equal requests have equal digests."""

    show_id: UUID | None
    lines: tuple[Line, ...]
    destination: Destination
    total_minor: int | None
    payment_method: PaymentMethod
    note: str

    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def clean_key(key: object) -> str:
    return clean_line(key, "key", longest=64)


def clean_request(
    *,
    lines: object,
    show_id: object,
    delivery: object,
    total_minor: object,
    payment_method: object,
    note: object,
) -> OrderRequest:
    """The request; raises `InvalidInput` naming the field, e.g. `lines.0.quantity`."""
    cleaned = clean_lines(lines)
    return OrderRequest(
        show_id=clean_show(show_id, cleaned),
        lines=cleaned,
        destination=clean_destination(delivery),
        total_minor=None if total_minor is None else clean_whole(total_minor, "total_minor"),
        payment_method=_clean_method(payment_method),
        note=clean_line(note, "note", longest=200, shortest=0),
    )


def clean_lines(lines: object) -> tuple[Line, ...]:
    """1 to 20 lines, none of the same offer or variant twice."""
    if not isinstance(lines, Sequence) or isinstance(lines, str) or not lines:
        raise InvalidInput(_("Please choose what to order."), field="lines")
    if len(lines) > MOST_LINES:
        message = _("Please order at most %(most)d different things at once.")
        raise InvalidInput(message % {"most": MOST_LINES}, field="lines")
    cleaned = tuple(_clean_line(line, f"lines.{place}") for place, line in enumerate(lines))
    seen: set[UUID | None] = set()
    for place, line in enumerate(cleaned):
        thing = line.offer_id or line.variant_id
        if thing in seen:
            message = _("This is in the order already.")
            raise InvalidInput(message, field=f"lines.{place}.{line.named}")
        seen.add(thing)
    return cleaned


def clean_show(show_id: object, lines: Sequence[Line]) -> UUID | None:
    """The show that the offers are of; without offers an order is of no show."""
    if all(line.offer_id is None for line in lines):
        return None
    return _clean_id(show_id, "show_id")


def clean_whole(value: object, field: str) -> int:
    # True is an int in Python, and "2" is not: neither is what a person meant.
    if isinstance(value, bool) or not isinstance(value, int) or not -1 < value <= MOST_MINOR:
        raise InvalidInput(_("Please write a whole number."), field=field)
    return value


def _clean_line(line: object, field: str) -> Line:
    if not isinstance(line, Mapping):
        raise InvalidInput(_("Please choose what to order."), field=field)
    offer_id, variant_id = line.get("offer_id"), line.get("variant_id")
    if (offer_id is None) == (variant_id is None):
        raise InvalidInput(_("Please choose what to order."), field=f"{field}.offer_id")
    return Line(
        offer_id=None if offer_id is None else _clean_id(offer_id, f"{field}.offer_id"),
        variant_id=None if variant_id is None else _clean_id(variant_id, f"{field}.variant_id"),
        quantity=_clean_quantity(line.get("quantity"), f"{field}.quantity"),
        price_minor=clean_whole(line.get("price_minor"), f"{field}.price_minor"),
    )


def _clean_id(value: object, field: str) -> UUID:
    known = value if isinstance(value, UUID) else parse_id(value)  # type: ignore[arg-type] # any
    if known is None:
        raise InvalidInput(_("Please choose what to order."), field=field)
    return known


def _clean_quantity(value: object, field: str) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= MOST_PER_LINE:  # type: ignore[operator] # an int by then
        message = _("Please order between 1 and %(most)d.") % {"most": MOST_PER_LINE}
        raise InvalidInput(message, field=field)
    return value  # type: ignore[return-value] # likewise


def _clean_method(value: object) -> PaymentMethod:
    method = WAYS.get(value) if isinstance(value, str) else None
    if method is None:
        raise InvalidInput(_("Please choose how to pay."), field="payment_method")
    return method
