from __future__ import annotations

import time
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import text
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
        ("👩\u200d❤\ufe0f\u200d👨", "👩\u200d❤\ufe0f\u200d👨"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("👍🏽", "👍🏽"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("नमस्\u200dते", "नमस्\u200dते"),
        ("葛\U000e0100", "葛\U000e0100"),
        ("Zh\u200dang", "Zhang"),
        ("张\u200c伟", "张伟"),
        ("Li\ufe0f", "Li"),
        ("Li\U000e0100", "Li"),
        ("L\u034fi", "Li"),
        ("e\u200b\u0301", "é"),
        ("a\ufdd0b\uffffc", "abc"),
        ("Tiếng Việt", "Tiếng Việt"),
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


@pytest.mark.parametrize(
    "typed", ["a" + "\u0345\u0334" * 5_000, "\u200d" * 9_000, "👨\u200d" * 4_000]
)
def test_a_flood_is_cleaned_or_refused_at_once(typed: str) -> None:
    began = time.process_time()
    with suppress(InvalidInput):
        assert len(clean_text(typed)) <= LONGEST
    assert time.process_time() - began < 0.1


def test_ten_thousand_letters_are_refused_with_the_limit() -> None:
    for count in (10_000, 10_000_000):
        with pytest.raises(InvalidInput) as refused:
            clean_text("好" * count)
        assert (refused.value.field, "500" in refused.value.message) == ("text", True)


EMOJI = st.lists(
    st.sampled_from(
        [
            "👨\u200d👩\u200d👧",
            "👩🏽\u200d🚀",
            "❤\ufe0f",
            "🏳\ufe0f\u200d🌈",
            "1\ufe0f\u20e3",
            "好",
            "a",
        ]
    ),
    min_size=1,
    max_size=20,
).map("".join)


@given(EMOJI)
def test_emoji_stay_whole(typed: str) -> None:
    assert clean_text(typed) == typed


TRICKS = (
    "ab张é\u0301\u0327\u200b\u200c\u200d\u200e\u202e\u2066\ufe0f\u034f\U000e0100\u00ad\n\x00 👍❤"
)


@given(st.text(alphabet=TRICKS, max_size=60))
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    try:
        kept = clean_text(typed)
    except InvalidInput:
        return
    assert clean_text(kept) == kept
    assert unicodedata.is_normalized("NFC", kept)
    assert not set(kept) & set("\u200b\u200e\u202e\u2066\u034f\u00ad\n\x00")


@given(st.text(alphabet="Li张\u200b\u200c\u200d\u2060\ufe0f\u034f\U000e0100\u00ad", max_size=20))
def test_two_names_that_look_the_same_are_the_same(typed: str) -> None:
    visible = "".join(char for char in typed if char in "Li张")
    shown = clean_line(typed, "display_name", longest=60, shortest=0)
    assert shown.replace("\U000e0100", "") == visible


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


@given(st.text(alphabet=st.characters(max_codepoint=0xFFFF), max_size=30))
def test_what_is_simple_is_cleaned_as_all_else_is(typed: str) -> None:
    simple = "".join(text._SIMPLE.findall(typed))
    assert (
        text._plain(simple) == text._plain(f"{simple}\u0bcd\u200b").removesuffix("\u0bcd").strip()
    )


def test_lines_stay_lines_and_lose_what_cannot_be_seen() -> None:
    assert clean_lines("sweet\u202e\n\u200b\nripe", "about", longest=99) == "sweet\n\nripe"
