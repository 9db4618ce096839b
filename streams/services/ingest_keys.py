"""Broadcast keys: how a program without a browser's cookie shows that it may broadcast a show."""

from __future__ import annotations

from uuid import UUID

from django.core import signing

from core.ids import parse_id
from streams.models import Show

LIFETIME_S = 12 * 3600
_SALT = "streams.ingest-key"


class KeyRefused(Exception):
    """Not a key of ours, or one that has expired."""


def issue(show: Show) -> str:
    """A key for broadcasting this show, good for `LIFETIME_S` seconds."""
    return signing.dumps(show.public_id.hex, salt=_SALT)


def show_of(key: str) -> UUID:
    """The public id of the show that the key is for; raises `KeyRefused`."""
    try:
        named = signing.loads(key, salt=_SALT, max_age=LIFETIME_S)
    except signing.BadSignature as error:
        raise KeyRefused(str(error)) from error
    if not isinstance(named, str) or (show_id := parse_id(named)) is None:
        raise KeyRefused("names no show")
    return show_id
