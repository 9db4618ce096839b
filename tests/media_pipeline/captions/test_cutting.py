"""Cues of a film that is cut: none lies across a cut, and every word is where it is heard."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from media_pipeline.captions.cues import Cue, cue, in_order, words_of
from media_pipeline.captions.cutting import joined, muted, without

HEARD = [(1000, "we"), (2000, "pick"), (3000, "sweet"), (4000, "apples")]
APPLES = cue(1000, 5000, "we pick sweet apples", HEARD)
BOXES = cue(6000, 8000, "每箱五公斤。")


def lines(cues: list[Cue]) -> list[tuple[int, int, str]]:
    return [(one.start_ms, one.end_ms, one.text) for one in cues]


def test_the_words_of_a_text_are_its_words_or_its_characters() -> None:
    assert words_of("two boxes, please") == ["two ", "boxes, ", "please"]
    assert words_of("每箱5公斤。好！") == ["每", "箱", "5", "公", "斤。", "好！"]


def test_a_cue_across_a_cut_becomes_two() -> None:
    assert lines(without([APPLES, BOXES], [(2.9, 3.9)], 10)) == [
        (1000, 2900, "we pick"),
        (2900, 4000, "apples"),
        (5000, 7000, "每箱五公斤。"),
    ]


def test_what_is_said_in_a_removed_passage_is_not_to_be_read() -> None:
    assert lines(without([APPLES, BOXES], [(0, 5.5)], 10)) == [(500, 2500, "每箱五公斤。")]
    assert lines(muted([APPLES, BOXES], [(1.9, 6.9)], 10)) == [
        (1000, 1900, "we"),
        (6900, 8000, "公斤。"),
    ]


def test_a_film_of_several_pieces_has_their_cues_one_after_the_other() -> None:
    assert lines(joined([APPLES, BOXES], [(6, 7), (3, 5.5), (0, 1.05)])) == [
        (0, 1000, "每箱五"),
        (1000, 3000, "sweet apples"),
    ]


def test_a_changed_text_keeps_the_moments_of_the_words_around_the_change() -> None:
    heard = [(1000, "we "), (2000, "pig "), (3000, "sweet "), (4000, "apples")]
    assert cue(1000, 5000, "we pick them sweet apples", heard).words_ms == (
        1000,
        2000,
        2500,
        3000,
        4000,
    )
    assert cue(1000, 5000, "sweet apples", heard).words_ms[-2:] == (3000, 4000)
    assert cue(1000, 3000, "ab cd").words_ms == (1000, 2000)


MS = st.integers(0, 20_000)
SPAN = st.tuples(MS, MS).map(lambda two: (min(two) / 1000, max(two) / 1000))


@st.composite
def films(draw: st.DrawFn) -> list[Cue]:
    edges = sorted(draw(st.lists(MS, unique=True, max_size=12)))
    text = st.lists(st.sampled_from(["apple", "箱", "五。", "a"]), min_size=1, max_size=6)
    return [
        cue(start, end, " ".join(draw(text)))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]


@settings(deadline=None)
@given(films(), st.lists(SPAN, max_size=5))
def test_after_any_cuts_cues_are_whole_and_in_order(film: list[Cue], gone: list) -> None:
    left = without(film, gone, 20)
    assert in_order(left)
    taken = {ms for from_s, to_s in gone for ms in range(round(from_s * 1000), round(to_s * 1000))}
    kept_ms = 20_000 - len(taken)
    for one in left:
        assert 0 <= one.start_ms < one.end_ms <= kept_ms
        assert len(one.words_ms) == len(words_of(one.text)) > 0
        assert list(one.words_ms) == sorted(one.words_ms)
    assert without(left, [], kept_ms / 1000) == left
