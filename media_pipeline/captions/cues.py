"""Cues: lines of text with their time, and the moment of every word in them.

A word is what can be pointed at: with its spaces, or one Chinese, Japanese or Korean character
with the punctuation behind it. The words of a cue, put together, are its text. `words.js` of the
editor follows the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile

import msgspec

_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_CLOSING = "\u3000-\u303f\uff00-\uffef,.!?;:)\\]…’”"
_WORD = re.compile(rf"[{_SINGLE}][{_CLOSING}]*\s*|[^\s{_SINGLE}]+\s*")


class Cue(msgspec.Struct, frozen=True):
    """`text` from `start_ms` up to `end_ms`, at most a few lines; `words_ms` says when each word
    of it begins (as many as `words_of(text)`, rising, within the cue)."""

    start_ms: int
    end_ms: int
    text: str
    words_ms: tuple[int, ...]

    def words(self) -> list[tuple[int, int, str]]:
        """(from_ms, to_ms, text) of each word; one lasts until the next."""
        ends = [*self.words_ms[1:], self.end_ms]
        return list(zip(self.words_ms, ends, words_of(self.text), strict=True))


def words_of(text: str) -> list[str]:
    """The words of a text without space around it; together they are the text."""
    return _WORD.findall(text)


def cue(start_ms: int, end_ms: int, text: str, heard: Sequence[tuple[int, str]] = ()) -> Cue:
    """A cue whose words begin when `heard` ((ms, word), ...) says.

    Where the text was changed since, the words before and behind the change keep their moments and
    those between share the time that is left by their length.
    """
    words = words_of(text)
    before = _same(words, [word for _ms, word in heard])
    rest = min(len(words), len(heard)) - before
    behind = _same(words[::-1], [word for _ms, word in heard[::-1]], most=rest)
    kept = [ms for ms, _word in heard]
    head, tail = kept[:before], kept[len(kept) - behind :]
    gap = words[before : len(words) - behind]
    until = tail[0] if tail else end_ms
    since = kept[before] if before < len(kept) - behind else (head[-1] if head else start_ms)
    if head and before == len(kept) - behind and gap:  # put in between: behind the last kept one
        since = (since + until) // 2
    if not head:
        since = start_ms
    moments = [*head, *_shared(gap, since, until), *tail]
    return Cue(start_ms, end_ms, text, _rising(moments, start_ms, end_ms))


def _same(words: Sequence[str], others: Sequence[str], most: int | None = None) -> int:
    """How many from the begin are equal, but for the spaces around them."""
    pairs = list(zip(words, others, strict=False))[:most]
    return len(list(takewhile(lambda pair: pair[0].strip() == pair[1].strip(), pairs)))


def _shared(words: Sequence[str], since_ms: int, until_ms: int) -> list[int]:
    """When each word begins if all take their share of the time, by their length."""
    lengths = [max(1, len(word.strip())) for word in words]
    whole, said = sum(lengths), 0
    moments = []
    for length in lengths:
        moments.append(since_ms + (until_ms - since_ms) * said // whole)
        said += length
    return moments


def _rising(moments: Sequence[int], start_ms: int, end_ms: int) -> tuple[int, ...]:
    rising = list[int]()
    for ms in moments:
        rising.append(min(end_ms, max(ms, rising[-1] if rising else start_ms)))
    return tuple(rising)


def in_order(cues: Sequence[Cue]) -> bool:
    """Whether no cue begins before the one in front of it ends."""
    return all(one.end_ms <= following.start_ms for one, following in pairwise(cues))
