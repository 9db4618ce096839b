"""Money: whole minor units (cents, fen) and an ISO 4217 currency; never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language, to_locale


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units, e.g. `Money(2990, "CNY")` is ¥29.90."""

    amount_minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount_minor * quantity, self.currency)

    def __str__(self) -> str:
        return format_money(self.amount_minor, self.currency)


def format_money(amount_minor: int, currency: str) -> str:
    """The amount as a reader of the active language writes it, e.g. "¥29.90"."""
    locale = to_locale(get_language() or "en")
    written = format_currency(to_major(amount_minor, currency), currency, locale=locale)
    # Where it is sold a yuan is ¥ in every language; the scripts write it so, too.
    return written.replace("CN¥", "¥")


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Whole units of the currency, exactly: 2990 fen are `Decimal("29.90")` yuan."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount in whole units, rounded half up where it is finer than they are."""
    minor = amount.scaleb(get_currency_precision(currency))
    return int(minor.to_integral_value(ROUND_HALF_UP))
