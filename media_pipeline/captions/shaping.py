"""From words to cues: lines that can be read in the time that they are shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from media_pipeline.captions.cues import Cue, cue, words_of
from media_pipeline.captions.speech import Word

# Two lines of a telephone held upright; a Chinese character is as wide as two letters.
WIDEST = 64
LONGEST_S = 6.0
# Speakers rest that long between two thoughts.
PAUSE_S = 0.7
SHORTEST_S = 1.0
# A sentence that is shorter goes together with the next.
SHORT_SENTENCE = 16
ENDS = tuple(".!?。！？…")


def shaped(words: Iterable[Word], at_s: float, end_s: float) -> list[Cue]:
    """Cues of what was said in a sound that begins at `at_s` of the film and ends at `end_s`."""
    groups = list(_groups([word for word in words if word.text.strip()]))
    starts = [at_s + group[0].start_s for group in groups]
    found = list[Cue]()
    nexts = [*starts, end_s][1:]
    for group, start_s, next_s in zip(groups, starts, nexts, strict=True):
        last_s = max(at_s + group[-1].end_s, start_s + SHORTEST_S)
        made = _cue(group, at_s, start_s, min(last_s, next_s, end_s))
        if made and (not found or found[-1].end_ms <= made.start_ms):
            found.append(made)
    return found


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and _is_full(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _is_full(group: Sequence[Word], word: Word) -> bool:
    text = "".join(one.text for one in group).strip()
    if word.start_s - group[-1].end_s > PAUSE_S or word.end_s - group[0].start_s > LONGEST_S:
        return True
    # A word that the model wrote in pieces stays together.
    is_begin = word.text[:1].isspace() or not text[-1].isascii() or not word.text[0].isascii()
    if is_begin and width(text + word.text) > WIDEST:
        return True
    return text.endswith(ENDS) and width(text) >= SHORT_SENTENCE and is_begin


def width(text: str) -> int:
    """In letters of the Latin alphabet."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cue(group: Sequence[Word], at_s: float, start_s: float, end_s: float) -> Cue | None:
    start_ms, end_ms = round(start_s * 1000), round(end_s * 1000)
    if end_ms <= start_ms:
        return None
    told = [(char, round((at_s + word.start_s) * 1000)) for word in group for char in word.text]
    while told[0][0].isspace():
        told.pop(0)
    text = "".join(char for char, _ms in told).rstrip()
    heard, at = list[tuple[int, str]](), 0
    for word in words_of(text):
        heard.append((told[at][1], word))
        at += len(word)
    return cue(start_ms, end_ms, text, heard)
