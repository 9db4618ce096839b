"""Resume tokens: how somebody who was let in a moment ago comes back without asking the database.

A server that restarts gets its whole room back within seconds. Who each of them is was looked up
when they came first; the token, signed and renewed with every `hello`, says it again. It proves
who somebody was and nothing more: whether they still are, and what they may do, is looked up with
every command, and who was banned meanwhile the room knows (`streams.door`). Those who keep order,
and all who come to a show by invitation, are looked up at the door.
"""

from __future__ import annotations

import hashlib
import time
from typing import Literal
from uuid import UUID

import msgspec
from django.core import signing

LIFETIME_S = 15 * 60
"""After this long away one is looked up again."""
PROVEN_FOR_S = 3600
"""However often a token was renewed: after this long its holder is looked up again."""

_SALT = "streams.resume"


class TokenRefused(Exception):
    """Not a token of ours, too old, or made for another room, session or browser."""


class Known(msgspec.Struct, frozen=True):
    """Somebody in one show's room, as a token says it; `user_id` is the public id, `user_pk` ours.

    `session` is a digest of the session that they came with, empty for who came without: signing
    out, or in as somebody else, ends the token. `password` is another one once their password is:
    who holds the token may then listen as anybody may, and do nothing. `proven_at` (seconds since
    1970) is when the database was asked.
    """

    show_id: UUID
    user_id: UUID | None
    user_pk: int | None
    name: str | None
    role: Literal["viewer", "moderator", "host", "operator"]
    viewer_key: str
    session: str
    password: str
    proven_at: int

    def token(self) -> str:
        return signing.dumps(msgspec.to_builtins(self), salt=_SALT)


def read(token: str, *, show_id: UUID, session: str) -> Known:
    """Who comes back to this show with this token; raises `TokenRefused`."""
    try:
        claims = signing.loads(token, salt=_SALT, max_age=LIFETIME_S)
        known = msgspec.convert(claims, Known)
    except (signing.BadSignature, msgspec.ValidationError) as error:
        raise TokenRefused(str(error)) from error
    if (known.show_id, known.session) != (show_id, session):
        raise TokenRefused("made for another room or session")
    if time.time() - known.proven_at > PROVEN_FOR_S:
        raise TokenRefused("looked up too long ago")
    return known


def digest(session_key: str | None) -> str:
    """What a token keeps of a session's key: enough to know it again, useless to anybody else."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:24] if session_key else ""
