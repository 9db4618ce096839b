"""Text that people typed, made fit to keep and to show to others."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import InvalidInput

MOST_MARKS = 4  # on one letter: Vietnamese needs two, Tibetan up to four
MOST_TYPED = 20  # times the allowed length: what is longer is not looked at
_SPACES = re.compile(r"\s+")
_JOINERS = "\u200c\u200d"
# Arabic, the scripts of India and their neighbours, Mongolian, Arabic's presentation forms.
_JOINING = "\u0600-\u109f\u1780-\u18af\u1900-\u1cff\ua840-\uabff\ufb50-\ufdff\ufe70-\ufefe"
_PICTURES = "\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff"
_EMOJI = _PICTURES + "\ufe0f"
_JOINED = re.compile(
    f"(?<=[{_JOINING}])[{_JOINERS}](?=[{_JOINING}])|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
)
# Latin, Chinese and Japanese: composed, visible, no marks. What most people type needs no more.
_SIMPLE = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02af\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fa"
    "\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5e]*"
)
# Variation selectors where they select nothing, and marks that are never seen.
_STRAY = re.compile(
    f"(?<![{_PICTURES}\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299])[\ufe0e\ufe0f](?!\u20e3)"
    "|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    "|(?<![\u1820-\u18aa])[\u180b-\u180d]|[\ufe00-\ufe0d\u034f\u17b4\u17b5]"
)
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800\ufffc"), " ")


def clean_line(value: object, field: str, *, longest: int, shortest: int = 1) -> str:
    """One line of at most `longest` characters that can be seen, or `InvalidInput` naming `field`.

    Line breaks become spaces. Controls, overrides of the writing direction, invisible characters
    and piles of accents go; joiners stay where they join (emoji, Persian, Hindi). What is left
    shows as what it is, so that nobody can wear another's name.
    """
    line = _plain(_typed(value, field, longest))
    if not line and shortest:
        raise InvalidInput(_("Please fill this in."), field=field)
    if len(line) < shortest:
        raise InvalidInput(_("Please write a little more here."), field=field)
    if len(line) > longest:
        raise InvalidInput(_too_long(longest), field=field)
    return line


def _typed(value: object, field: str, longest: int) -> str:
    """The text, if there is any chance that it is short enough once it is clean."""
    if not isinstance(value, str):
        raise InvalidInput(_("Please write this as text."), field=field)
    if len(value) > MOST_TYPED * longest:
        raise InvalidInput(_too_long(longest), field=field)
    return value


def _plain(text: str) -> str:
    if _SIMPLE.fullmatch(text):
        return " ".join(text.split())
    line = _SPACES.sub(" ", _without_piles(_without_invisible(text))).strip()
    line = unicodedata.normalize("NFC", line)  # what was taken out may have kept marks apart
    return line if any(unicodedata.category(char)[0] in "LNPS" for char in line) else ""


def clean_lines(value: object, field: str, *, longest: int) -> str:
    """Any number of lines, of at most `longest` characters together; may be empty."""
    typed = _typed(value, field, longest)
    lines = (clean_line(line, field, longest=longest, shortest=0) for line in typed.splitlines())
    text = "\n".join(lines).strip()
    if len(text) > longest:
        raise InvalidInput(_too_long(longest), field=field)
    return text


def _without_invisible(text: str) -> str:
    # Composing takes the square of the length of a pile: piles are made lower before it, too.
    low = _STRAY.sub("", _without_piles(text, 4 * MOST_MARKS))
    folded = unicodedata.normalize("NFC", low).translate(_BLANK_LETTERS)
    if folded.isprintable():
        return folded
    joins = {found.start() for found in _JOINED.finditer(folded)}
    return "".join(char if place in joins else _visible(char) for place, char in enumerate(folded))


def _visible(char: str) -> str:
    """The character, a space for a control, or nothing: PostgreSQL refuses some, none is text."""
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    is_no_character = ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    return "" if category in {"Cf", "Co", "Cs"} or is_no_character else char


def _without_piles(text: str, most: int = MOST_MARKS) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= most:
            kept.append(char)
    return "".join(kept)


def _too_long(longest: int) -> str:
    return ngettext(
        "Please use at most %(count)d character.",
        "Please use at most %(count)d characters.",
        longest,
    ) % {"count": longest}
