"""Keys for other programs: what each may do, making, reading and revoking them.

Only a digest is kept. The keys are random and long, so that a plain one is enough.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.accounts.models import ApiToken, User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotAllowed, SignInRequired
from core.text import clean_line

PREFIX = "lc_"
MOST = 20
USED_EVERY = timedelta(minutes=1)
SCOPES = {
    "read:orders": gettext_lazy("See orders, payments and claims"),
    "write:orders": gettext_lazy("Order, pack, send, cancel and pay back"),
    "read:shows": gettext_lazy("See shows, their figures and what was made of them"),
    "write:shows": gettext_lazy("End shows, cut clips, change who may watch"),
    "read:courses": gettext_lazy("See courses and lessons"),
    "write:courses": gettext_lazy("Make courses and lessons, and learn"),
}


class TokenRefused(SignInRequired):
    """Unknown, revoked, over, or of somebody who is gone: nobody is told which."""

    code = "token_refused"


class ScopeMissing(NotAllowed):
    """The token was not made for this."""

    code = "scope_missing"


def make_token(
    user: User, *, name: str, scopes: Collection[str], ends_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """The token and what its owner has to keep, which nobody can look up again."""
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise InvalidInput(_("Choose what it may do."), field="scopes")
    if alive(user).count() >= MOST:
        raise Conflict(_("You have many tokens already. Revoke one that is not used any more."))
    key = PREFIX + secrets.token_urlsafe(30)
    made = ApiToken.objects.create(
        user=user,
        name=clean_line(name, "name", longest=60),
        digest=_digest(key),
        ending=key[-4:],
        scopes=[scope for scope in SCOPES if scope in scopes],
        ends_at=ends_at,
    )
    return made, key


def alive(user: User) -> QuerySet[ApiToken]:
    """The user's tokens that open something, the newest first."""
    return user.api_tokens.filter(_unended(), revoked_at=None).order_by("-pk")


def revoke_token(user: User, token_id: UUID) -> bool:
    """Whether there was one to revoke; it opens nothing from now on."""
    return bool(alive(user).filter(public_id=token_id).update(revoked_at=now()))


def user_of(key: str, scope: str) -> User:
    """Whose key it is, if it is good for this; raises `TokenRefused` or `ScopeMissing`."""
    found = ApiToken.objects.filter(
        _unended(), digest=_digest(key), revoked_at=None, user__is_active=True
    )
    token = found.select_related("user").first()
    if token is None:
        raise TokenRefused(_("This token opens nothing (any more)."))
    _note_use(token)
    if scope not in token.scopes:
        problem = _("This token may not do that: it was made without “%(scope)s”.")
        raise ScopeMissing(problem % {"scope": scope}, details={"scope": scope})
    return token.user


def _note_use(token: ApiToken) -> None:
    """To the minute: a program that asks without a pause shall not write without one."""
    if token.used_at is None or token.used_at < now() - USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now())


def _unended() -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=now())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
