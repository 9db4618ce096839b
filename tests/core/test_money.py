from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money, format_money, to_major, to_minor

CURRENCIES = ["CNY", "USD", "JPY", "KWD"]


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (2990, "CNY", "¥29.90"),
        (2990, "USD", "$29.90"),
        (2990, "JPY", "¥2,990"),
        (5, "USD", "$0.05"),
        (123_456_789, "USD", "$1,234,567.89"),
        (9_007_199_254_740_993, "USD", "$90,071,992,547,409.93"),  # a float would say .94
    ],
)
def test_money_is_written_as_its_reader_writes_it(amount: int, currency: str, written: str) -> None:
    with translation.override("en"):
        assert format_money(amount, currency) == written


def test_chinese_readers_see_their_own_sign() -> None:
    with translation.override("zh-hans"):
        assert str(Money(2990, "CNY")) == "¥29.90"


def test_money_adds_and_multiplies() -> None:
    assert Money(1, "CNY") + Money(2, "CNY") == Money(3, "CNY")
    assert Money(3590, "CNY") * 2 == Money(7180, "CNY")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot add USD to CNY"):
        Money(1, "CNY") + Money(1, "USD")


@given(st.integers(0, 10**18), st.sampled_from(CURRENCIES))
def test_no_amount_is_changed_by_writing_it_in_whole_units(amount: int, currency: str) -> None:
    assert to_minor(to_major(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [("29.9", "CNY", 2990), ("0.005", "CNY", 1), ("0.004", "CNY", 0), ("300", "JPY", 300)],
)
def test_finer_amounts_are_rounded_half_up(typed: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(typed), currency) == minor
