"""Codes that are sent to a phone: six digits, for five minutes, for one use.

Whoever asks is told the same, and waits as long, whether or not the number is known here. Tries are
counted in the database, one by one, so that guesses which come together are counted as well.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import override

from core.accounts import limits, sms
from core.accounts.models import PhoneCode, User
from core.clock import now
from core.errors import Conflict, InvalidInput

DIGITS = 6
GOOD_FOR = timedelta(minutes=5)
TRIES = 5
# Of one number: its owner pays with attention for each message, and guesses need many of them.
PER_NUMBER = ((1, 30), (5, limits.HOUR_S), (10, limits.DAY_S))
# Of one address: a village may share one.
PER_ADDRESS = ((10, limits.MINUTE_S), (40, limits.HOUR_S))


class WrongCode(InvalidInput):
    """Not the code that was sent; it can be tried again."""

    code = "wrong_code"


class CodeOver(Conflict):
    """The code was used, is too old, or was guessed at too often: another one is needed."""

    code = "code_over"


def send_code(phone: str, *, address: str, language: str, to_strangers: bool) -> UUID:
    """Send a code, unless nobody has the number and `to_strangers` is no; the code's public id.

    `address` is the asker's. Raises `TooMany`, for known and unknown numbers alike.
    """
    for most, per_s in PER_ADDRESS:
        limits.take("codes to address", address, most=most, per_s=per_s)
    for most, per_s in PER_NUMBER:
        limits.take("codes to number", phone, most=most, per_s=per_s)
    user = User.objects.filter(phone=phone, is_active=True).first()
    typed = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    code = PhoneCode(phone=phone, ends_at=now() + GOOD_FOR)
    digest, text = _digest(code, typed), _text(phone, typed, (user and user.language) or language)
    is_sent = user is not None or to_strangers
    code.digest = digest if is_sent else ""
    code.save()
    sms.send_soon(text if is_sent else None)
    return code.public_id


def redeem(code_id: UUID, typed: str) -> str:
    """The phone number, if this is its code; raises `WrongCode` or `CodeOver`. Once."""
    alive = PhoneCode.objects.filter(public_id=code_id, used_at=None, ends_at__gt=now())
    if not alive.filter(tries__lt=TRIES).update(tries=F("tries") + 1):
        raise CodeOver(_("This code can no longer be used. Please ask for another one."))
    code = PhoneCode.objects.get(public_id=code_id)
    digits = "".join(unicodedata.normalize("NFKC", typed[:40]).split())
    if not hmac.compare_digest(_digest(code, digits), code.digest):
        raise WrongCode(_("That is not the code that we sent."), field="code")
    if not alive.update(used_at=now()):
        raise CodeOver(_("This code can no longer be used. Please ask for another one."))
    return code.phone


def forget_old() -> None:
    PhoneCode.objects.filter(ends_at__lt=now() - GOOD_FOR).delete()


def _digest(code: PhoneCode, typed: str) -> str:
    text = f"{code.public_id} {code.phone} {typed}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()


def _text(phone: str, code: str, language: str) -> sms.Text:
    with override(language):
        body = _("%(code)s is your code to sign in. It is good for 5 minutes. Tell it to nobody.")
    return sms.Text(phone, body % {"code": code}, code)
