"""Text that people typed, made fit to keep and to show to others."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import InvalidInput

MOST_MARKS = 4  # on one letter: Vietnamese needs two, Tibetan up to four
_SPACES = re.compile(r"\s+")
_JOINERS = "\u200c\u200d"
_JOINED = re.compile(f"(?<=[^\\s{_JOINERS}])[{_JOINERS}](?=[^\\s{_JOINERS}])")
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"), " ")


def clean_line(value: object, field: str, *, longest: int, shortest: int = 1) -> str:
    """One line of at most `longest` characters that can be seen, or `InvalidInput` naming `field`.

    Line breaks become spaces. Controls, overrides of the writing direction, invisible characters
    and piles of accents go; joiners stay where they join (emoji, Persian, Hindi). What is left
    shows as what it is, so that nobody can wear another's name.
    """
    if not isinstance(value, str):
        raise InvalidInput(_("Please write this as text."), field=field)
    line = _SPACES.sub(" ", _without_piles(_without_invisible(value))).strip()
    if not any(unicodedata.category(char)[0] in "LNPS" for char in line):
        line = ""
    if not line and shortest:
        raise InvalidInput(_("Please fill this in."), field=field)
    if len(line) < shortest:
        raise InvalidInput(_("Please write a little more here."), field=field)
    if len(line) > longest:
        raise InvalidInput(_too_long(longest), field=field)
    return line


def clean_lines(value: object, field: str, *, longest: int) -> str:
    """Any number of lines, of at most `longest` characters together; may be empty."""
    if not isinstance(value, str):
        raise InvalidInput(_("Please write this as text."), field=field)
    lines = (clean_line(line, field, longest=longest, shortest=0) for line in value.splitlines())
    text = "\n".join(lines).strip()
    if len(text) > longest:
        raise InvalidInput(_too_long(longest), field=field)
    return text


def _without_invisible(text: str) -> str:
    folded = unicodedata.normalize("NFC", text).translate(_BLANK_LETTERS)
    joins = {found.start() for found in _JOINED.finditer(folded)}
    return "".join(char if place in joins else _visible(char) for place, char in enumerate(folded))


def _visible(char: str) -> str:
    """The character, a space for a control, or nothing: PostgreSQL refuses some, none is text."""
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category in {"Cf", "Co", "Cs"} else char


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _too_long(longest: int) -> str:
    return ngettext(
        "Please use at most %(count)d character.",
        "Please use at most %(count)d characters.",
        longest,
    ) % {"count": longest}
