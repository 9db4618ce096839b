"""What shows that somebody is signed in, and whether it still does.

A socket lives for hours and a resume token travels with its page. Both keep what Django looks at
with every request, the session and the password, so that signing out or a new password ends them
wherever the database is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from core import bulk
from core.accounts.access import AnyUser
from core.accounts.models import User
from core.clock import now


@dataclass(frozen=True, slots=True)
class Proof:
    """Who somebody is, and with which password and session they showed it.

    `password` is a digest that changes with the password. `session_key` is `None` for who came
    with a ticket, without a session.
    """

    user_pk: int
    password: str
    session_key: str | None

    @classmethod
    def of(cls, user: User, session_key: str | None) -> Proof:
        return cls(user.pk, password_digest(user), session_key)

    def person(self) -> AnyUser:
        """Whom it still proves, as the database has them now; else nobody."""
        user = User.objects.filter(pk=self.user_pk, is_active=True).first()
        if user is None or not self.holds(user, living([self])):
            return AnonymousUser()
        return user

    def holds(self, user: User, sessions: Collection[str]) -> bool:
        """Whether it proves this user, as the database has them; `sessions` are those alive."""
        in_session = self.session_key is None or self.session_key in sessions
        return user.is_active and in_session and self.password == password_digest(user)


def proven(proofs: Collection[Proof]) -> dict[Proof, User]:
    """Whom they still prove, as the database has them now; two queries, however many."""
    if not proofs:
        return {}
    people = {user.pk: user for user in _active({proof.user_pk for proof in proofs})}
    sessions = living(proofs)
    return {
        proof: user
        for proof in proofs
        if (user := people.get(proof.user_pk)) is not None and proof.holds(user, sessions)
    }


def _active(pks: Collection[int]) -> list[User]:
    """Asked with every group of orders: written out, as `bulk.read` says why."""
    sql = (
        f'SELECT {bulk.columns(User, "u")} FROM "{User._meta.db_table}" u '  # noqa: S608 - constants
        f"JOIN {bulk.rows(pk='bigint')} ON u.id = r.pk WHERE u.is_active"
    )
    return [user for (user,) in bulk.read(sql, bulk.encode((pk,) for pk in pks), User)]


def living(proofs: Collection[Proof]) -> set[str]:
    """The sessions of these proofs that nobody has signed out of; a query, if there are any."""
    return living_sessions({proof.session_key for proof in proofs if proof.session_key})


def living_sessions(keys: Collection[str]) -> set[str]:
    if not keys:
        return set()
    at = now()
    sql = (
        'SELECT s.session_key FROM "django_session" s '  # noqa: S608 - of constants
        f"JOIN {bulk.rows(key='text', at='timestamptz')} "
        "ON s.session_key = r.key AND s.expire_date > r.at"
    )
    return {key for (key,) in bulk.execute(sql, bulk.encode((key, at) for key in keys))}


def password_digest(user: User) -> str:
    """Another one once the password is another; useless to anybody who reads it."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()[:24]
