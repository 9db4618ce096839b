from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.text import MOST_MARKS, clean_line, clean_lines

LONGEST = 500


def clean_text(typed: str) -> str:
    return clean_line(typed, "text", longest=LONGEST)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  how heavy\n\n is a box?\t", "how heavy is a box?"),
        ("好吃吗？", "好吃吗？"),
        ("ring\x07 the\x00 bell", "ring the bell"),
        ("\u202etxt.exe\u202c", "txt.exe"),
        ("\u2066left\u2069 \u200fright", "left right"),
        ("a\u200b\u200b\u200b\ufeff\u2060b", "ab"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x\u200d\u200d\u200dy", "xy"),
        ("\u200dx\u200d", "x"),
        ("z" + "\u0336\u0337\u0338\u0334" * 9, "z\u0336\u0337\u0338\u0334"),
        ("བསྒྲུབས", "བསྒྲུབས"),
        ("cafe\u0301", "café"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_text_is_kept_plain(typed: str, kept: str) -> None:
    assert clean_text(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", " \n", "\u200b\u200b", "\u3164\u3164", "\u2800", "\u202e", "\u0301", "\U000e0041"]
)
def test_what_cannot_be_seen_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_text(typed)
    assert refused.value.field == "text"


def test_five_hundred_characters_are_allowed_and_not_one_more() -> None:
    assert len(clean_text("苹" * LONGEST)) == LONGEST
    with pytest.raises(InvalidInput) as refused:
        clean_text("苹" * (LONGEST + 1))
    assert refused.value.field == "text"


@given(st.text(max_size=60))
def test_whatever_is_typed_what_is_kept_can_be_shown(typed: str) -> None:
    try:
        kept = clean_text(typed)
    except InvalidInput:
        return
    categories = [unicodedata.category(char) for char in kept]
    assert kept == kept.strip()
    assert not {"Cc", "Cs", "Co", "Zl", "Zp"} & set(categories)
    assert all(
        char in "\u200c\u200d" for char, cat in zip(kept, categories, strict=True) if cat == "Cf"
    )
    assert not any(
        set(categories[n : n + MOST_MARKS + 1]) <= {"Mn", "Me"}
        for n in range(len(categories) - MOST_MARKS)
    )


def test_lines_stay_lines_and_lose_what_cannot_be_seen() -> None:
    assert clean_lines("sweet\u202e\n\u200b\nripe", "about", longest=99) == "sweet\n\nripe"
