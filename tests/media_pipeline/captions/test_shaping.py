"""Words become lines that can be read: by sentences and pauses, and never over the end."""

from __future__ import annotations

from media_pipeline.captions.shaping import WIDEST, shaped, width
from media_pipeline.captions.speech import Word


def said(text: str, each_s: float = 0.4) -> list[Word]:
    words = [f" {word}" for word in text.split()]
    return [Word(n * each_s, n * each_s + 0.3, word) for n, word in enumerate(words)]


def test_sentences_and_pauses_part_them() -> None:
    words = said("We pick them in the morning. Then we send them.")
    assert [one.text for one in shaped(words, 0, 60)] == [
        "We pick them in the morning.",
        "Then we send them.",
    ]
    late = [Word(word.start_s + 5, word.end_s + 5, word.text) for word in words[:2]]
    assert len(shaped([*words[:3], *late], 0, 60)) == 2


def test_none_is_wider_than_a_telephone_or_longer_than_its_words() -> None:
    cues = shaped(said("orchard " * 60), 10, 60)
    assert all(width(one.text) <= WIDEST for one in cues)
    assert all(one.end_ms - one.start_ms <= 6500 for one in cues)
    assert cues[0].start_ms == 10_000


def test_chinese_is_joined_and_nothing_ends_after_the_sound() -> None:
    words = [Word(0, 0.2, " 苹"), Word(0.2, 0.4, "果"), Word(0.4, 0.5, "甜。")]
    (cue,) = shaped(words, 1, 1.7)
    assert (cue.text, cue.words_ms, cue.end_ms) == ("苹果甜。", (1000, 1200, 1400), 1700)
    assert shaped([], 0, 10) == []
