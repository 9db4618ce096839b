"""Every unit is counted in its own words."""

from __future__ import annotations

import pytest
from django.utils import translation

from sellers.units import amount


@pytest.mark.parametrize(
    ("count", "unit", "english", "chinese"),
    [
        (1, "box", "1 box", "1 箱"),
        (3, "box", "3 boxes", "3 箱"),
        (2, "kg", "2 kg", "2 公斤"),
        (5, "jin", "5 jin", "5 斤"),
        (2, "piece", "2 pieces", "2 件"),
    ],
)
def test_how_many_of_a_unit(count: int, unit: str, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert amount(count, unit) == english
    with translation.override("zh-hans"):
        assert amount(count, unit) == chinese
