"""Stream keys: made, shown once, rotated, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.text import clean_line
from sellers.access import KEEPERS, member_of
from sellers.models import Seller
from streams.models import EncoderStream, StreamKey

UNUSED_FOR = timedelta(days=180)
"""A key that nobody used for so long has expired: it lies in a program that somebody forgot."""
MOST_KEYS = 20
# No look-alikes: people read keys aloud. 28 of these letters are 138 bits, beyond guessing, so
# that a plain digest is enough.
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 28


def make_key(seller: Seller, host: User, label: str, *, public_id: UUID | None = None) -> str:
    """A new key of the host, as text, which is known to nobody after this.

    Raises `NotFound` for somebody who may not host for the seller, `InvalidInput` for the label or
    for more keys than anybody needs.
    """
    member_of(host, seller, *KEEPERS)
    longest = StreamKey._meta.get_field("label").max_length or 0
    name = clean_line(label, "label", longest=longest)
    if keys_of(host, seller).count() >= MOST_KEYS:
        raise InvalidInput(_("You have many keys already. Revoke one that you do not use."))
    text = _new_text()
    StreamKey.objects.create(
        public_id=public_id or new_id(), seller=seller, host=host, label=name, **_kept(text)
    )
    return text


def keys_of(host: User, seller: Seller) -> QuerySet[StreamKey]:
    """The host's keys that are not revoked, newest first."""
    return StreamKey.objects.filter(host=host, seller=seller, revoked_at=None)


def key_to_change(user: AnyUser, key_id: UUID) -> StreamKey:
    """A key of the user's own; raises `SignInRequired` or `NotFound`."""
    keys = StreamKey.objects.select_related("seller", "host")
    key = keys.filter(host=signed_in(user), public_id=key_id, revoked_at=None).first()
    if key is None:
        raise NotFound(_("There is no such key, or it is not yours."))
    return key


def rotate(key: StreamKey) -> str:
    """Another text for the key: the old one is void at once, and what streams by it ends."""
    text = _new_text()
    with transaction.atomic():
        StreamKey.objects.filter(pk=key.pk).update(
            **_kept(text), last_used_at=None, created_at=now(), refused_at=None, refusal=""
        )
        _end_streams(key, "rotated")
    return text


def revoke(key: StreamKey) -> None:
    """The key is void for good, and what streams by it ends."""
    with transaction.atomic():
        StreamKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now())
        _end_streams(key, "revoked")


def key_of(text: str) -> StreamKey | None:
    """The key that the text stands for, whatever its state."""
    keys = StreamKey.objects.select_related("seller", "host")
    return keys.filter(digest=_digest(text)).first()


def has_expired(key: StreamKey) -> bool:
    return now() - (key.last_used_at or key.created_at) > UNUSED_FOR


def _end_streams(key: StreamKey, reason: str) -> None:
    EncoderStream.objects.filter(key=key, ended_at=None).update(ended_at=now(), reason=reason)


def _new_text() -> str:
    return "".join(secrets.choice(LETTERS) for _letter in range(LENGTH))


def _kept(text: str) -> dict[str, str]:
    return {"digest": _digest(text), "hint": text[-4:]}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
