"""JSON read strictly: unknown fields and wrong types are errors that name the field."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from django.utils.translation import gettext as _

from core.errors import InvalidInput

T = TypeVar("T", bound=msgspec.Struct)


def decode(text: str | msgspec.Raw, kind: type[T]) -> T:
    """The struct that the JSON spells; raises `InvalidInput` with the path of the field."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        problem, field = _explain(str(error))
        message = _("This cannot be used: %(problem)s.") % {"problem": problem}
        raise InvalidInput(message, field=field or None) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidInput(_("This is not a JSON object.")) from error


_AT = re.compile(r" - at `\$\.?([^`]*)`")
_NAMED = re.compile(r"field `([^`]*)`")
_PLACE = re.compile(r"\[([^\]]*)\]")


def _explain(problem: str) -> tuple[str, str]:
    """msgspec's message without its path, and the path of the field at fault, e.g. `lines.0.id`."""
    at, named = _AT.search(problem), _NAMED.search(problem)
    parts = [_PLACE.sub(r".\1", at[1]) if at else "", named[1] if named else ""]
    return _AT.sub("", problem), ".".join(part for part in parts if part)
