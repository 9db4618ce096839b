"""Tickets: how a client without a browser's cookie says who it is.

A ticket is signed, lives for `LIFETIME_S` seconds, works once, and travels in the first frame,
never in an address, where logs would keep it.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.core import signing
from django.db import IntegrityError, transaction

from core.clock import now
from core.realtime.models import RedeemedTicket

LIFETIME_S = 60
_SALT = "core.realtime.ticket"


class TicketRefused(Exception):
    """Not a ticket of ours, too old, or used before."""


def issue(user_id: uuid.UUID) -> str:
    """A ticket for the person with this public id."""
    return signing.dumps([user_id.hex, secrets.token_hex(16)], salt=_SALT)


def redeem(ticket: str) -> uuid.UUID:
    """Whose ticket this is. It is used up by that; raises `TicketRefused`."""
    try:
        user_id, nonce = signing.loads(ticket, salt=_SALT, max_age=LIFETIME_S)
    except signing.BadSignature as error:
        raise TicketRefused(str(error)) from error
    _use_up(nonce)
    return uuid.UUID(user_id)


def _use_up(nonce: str) -> None:
    """Let the primary key decide who is first, and forget tickets that have expired anyway."""
    RedeemedTicket.objects.filter(at__lt=now() - timedelta(seconds=2 * LIFETIME_S)).delete()
    try:
        with transaction.atomic():
            RedeemedTicket.objects.create(nonce=nonce, at=now())
    except IntegrityError as error:
        raise TicketRefused("used before") from error
