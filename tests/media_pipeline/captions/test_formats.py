"""Caption files, as many programs write them: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from media_pipeline.captions.cues import cue
from media_pipeline.captions.formats import MOST_CUES, plain, read, srt, vtt

CLOCKS = [f"{n // 60:02}:{n % 60:02}" for n in range(MOST_CUES + 1)]
TOO_MANY = "".join(f"{clock}.0 --> {clock}.9\na\n\n" for clock in CLOCKS)
CHINESE = "1\n00:00:01,000 --> 00:00:02,500\n每箱五公斤\n"


def lines(data: bytes) -> list[tuple[int, int, str]]:
    return [(one.start_ms, one.end_ms, one.text) for one in read(data).cues]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_is_read_however_it_was_saved(encoding: str) -> None:
    assert lines(CHINESE.encode(encoding)) == [(1000, 2500, "每箱五公斤")]


def test_western_text_of_an_old_program_is_not_read_as_chinese() -> None:
    data = "1\r\n00:01.0 --> 00:02.0\r\nPommes séchées à la ferme\r\n".encode("cp1252")
    assert lines(data) == [(1000, 2000, "Pommes séchées à la ferme")]


def test_webvtt_with_all_that_it_may_hold() -> None:
    data = b"""WEBVTT Kind: captions
Language: en

STYLE
::cue { color: red }

NOTE
nobody reads --this

intro
00:01.000 --> 00:02.000 align:start position:10%
<v Zhang>Hello <00:01.500><c.loud>there</c> &amp; welcome

01:00:00.000 --> 01:00:01.000
- two lines
- of text
"""
    assert lines(data) == [
        (1000, 2000, "Hello there & welcome"),
        (3_600_000, 3_601_000, "- two lines\n- of text"),
    ]
    assert read(data).problems == []


def test_what_is_broken_is_named_by_its_line_and_the_rest_is_kept() -> None:
    found = read(
        b"""1
00:00:01,000 --> 00:00:03,000
one

2
00:00:0x,000 --> 00:00:03,000
two

3
00:00:05,000 --> 00:00:04,000
three

lost words

4
00:00:02,000 --> 00:00:04,000
four

5
00:00:06,000 --> 00:00:07,000

"""
    )
    assert [one.line for one in found.problems] == [6, 10, 13, 16, 20]
    assert [(one.start_ms, one.end_ms, one.text) for one in found.cues] == [
        (1000, 2000, "one"),
        (2000, 4000, "four"),
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>apples",
        "<SCRIPT src=x>alert(1)</SCRIPT >apples",
        "&lt;script&gt;alert(1)&lt;/script&gt;apples",
        "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;apples",
        "<img src=x onerror=alert(1)>apples",
        "{\\an8}<font color='red'>apples</font>",
        "<<b>i>apples",
        "app\u202eles\u0000",
    ],
)
def test_nothing_but_text_is_left(hostile: str) -> None:
    text = plain(hostile)
    assert text.endswith("apples")
    assert "alert" not in text
    assert "<" not in vtt([cue(0, 1000, text)])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no captions"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no text file"),
        (b"a poem about apples", "Line 1"),
        (b"a" * (2 * 2**20 + 1), "larger than 2 MB"),
        (TOO_MANY.encode(), "more than 5000"),
    ],
)
def test_what_is_no_caption_file_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(data)


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, b"00:01.000 --> 00:02.000\n" + data):
        try:
            found = read(whole)
        except InvalidInput:
            continue
        assert found.cues


TEXT = st.text("ab <>&-一二，\n", min_size=1, max_size=30).map(plain).filter(bool)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(100, 9000), TEXT), min_size=1, max_size=6))
def test_what_is_written_is_read_as_it_was(made: list[tuple[int, str]]) -> None:
    at_ms, cues = 0, []
    for length_ms, text in made:
        cues.append(cue(at_ms, at_ms + length_ms, text))
        at_ms += length_ms
    assert read(vtt(cues).encode()).cues == cues
    if "->" not in vtt(cues).replace(" --> ", "") and "<" not in "".join(one.text for one in cues):
        assert [one.start_ms for one in read(srt(cues).encode()).cues] == [
            one.start_ms for one in cues
        ]
