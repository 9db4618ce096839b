"""Phone numbers as people write them, made one form: E.164, as in +8613912345678."""

from __future__ import annotations

import re
import unicodedata

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import InvalidInput

LONGEST_TYPED = 40
_BETWEEN = re.compile(r"[\s().·\-/]+")
_ANY = re.compile(r"\+[1-9][0-9]{6,14}")
# Mobile numbers have eleven digits there; a landline gets no messages.
_CHINA, _CHINESE_MOBILE = "86", re.compile(r"\+861[3-9][0-9]{9}")


def clean_phone(typed: object, field: str = "phone") -> str:
    """The number, with the instance's calling code where none was written; or `InvalidInput`."""
    found = phone_in(typed)
    if found is None:
        raise InvalidInput(_("Please write a whole mobile phone number."), field=field)
    return found


def phone_in(typed: object) -> str | None:
    """The number that this text is, if it is one and nothing else."""
    if not isinstance(typed, str) or len(typed) > LONGEST_TYPED:
        return None
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed))
    number = _international(digits)
    if not _ANY.fullmatch(number):
        return None
    is_chinese = number.startswith(f"+{_CHINA}")
    return number if not is_chinese or _CHINESE_MOBILE.fullmatch(number) else None


def _international(digits: str) -> str:
    code = settings.CALLING_CODE
    if digits.startswith("+"):
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if code == _CHINA and re.fullmatch(r"86[0-9]{11}", digits, re.ASCII):
        return f"+{digits}"
    # At home a zero stands in front of many countries' numbers, and goes with the calling code.
    return f"+{code}{digits.removeprefix('0')}"


def masked(phone: str) -> str:
    """Enough to know one's own number by."""
    return f"{phone[:3]}…{phone[-4:]}"
