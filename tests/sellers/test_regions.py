"""Addresses as their reader writes them."""

from __future__ import annotations

import pytest
from django.utils import translation

from sellers.regions import address_line


@pytest.mark.parametrize(
    ("language", "region", "street", "line"),
    [
        ("en", "62", "18 Binhe Road, Lanzhou", "18 Binhe Road, Lanzhou, Gansu"),
        ("zh-hans", "62", "兰州市滨河路 18 号", "甘肃 兰州市滨河路 18 号"),
        ("en", "", "18 Binhe Road", "18 Binhe Road"),
    ],
)
def test_an_address_begins_with_the_province_in_chinese(
    language: str, region: str, street: str, line: str
) -> None:
    with translation.override(language):
        assert address_line(region, street) == line
