"""Text that people typed, made fit to keep."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import InvalidInput

_SPACES = re.compile(r"\s+")


def clean_line(value: object, field: str, *, longest: int, shortest: int = 1) -> str:
    """One line of at most `longest` characters; raises `InvalidInput` naming `field`.

    Control characters and lone surrogates go: PostgreSQL refuses some of them, and none is text.
    """
    if not isinstance(value, str):
        raise InvalidInput(_("Please write this as text."), field=field)
    line = _SPACES.sub(" ", "".join(_kept(char) for char in value)).strip()
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


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category == "Cs" else char


def _too_long(longest: int) -> str:
    return ngettext(
        "Please use at most %(count)d character.",
        "Please use at most %(count)d characters.",
        longest,
    ) % {"count": longest}
