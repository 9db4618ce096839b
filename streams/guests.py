"""Who comes to the door of a room, and what says so: a cookie, a ticket, or a token."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from core.accounts.access import AnyUser, is_signed_in
from core.accounts.models import User
from core.accounts.proof import Proof
from core.accounts.sockets import Handshake, user_by_public_id
from core.realtime import tickets
from core.realtime.db import run_in_db
from streams import resume
from streams.door import Door
from streams.protocol import FirstFrame, You


class Refused(Exception):
    """Not let in; `code` is what the socket is closed with."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(slots=True)
class Guest:
    """Somebody at the door: who they are, and what says so.

    `session` is a digest of their session's key; `proven_at` is when the database was asked, which
    for who comes `by_token` was some time ago. Strangers have no `proof`.
    """

    user: AnyUser
    you: You
    viewer_key: str
    session: str
    proven_at: int
    proof: Proof | None
    by_token: bool = False

    def token(self, show_id: uuid.UUID) -> str:
        known = resume.Known(
            show_id=show_id,
            user_id=self.you.id,
            user_pk=self.user.pk,
            name=self.you.name,
            role=self.you.role,
            viewer_key=self.viewer_key,
            session=self.session,
            password=self.proof.password if self.proof else "",
            proven_at=self.proven_at,
        )
        return known.token()

    def user_again(self) -> AnyUser:
        """Who they are as the database has it now: nobody, once they have signed out."""
        return self.proof.person() if self.proof else self.user


async def guest_at(door: Door, handshake: Handshake, first: FirstFrame) -> Guest:
    """Who comes; the database is asked only about those who cannot be known without it.

    Raises `Refused` and what `Door.admit` raises.
    """
    session_key = handshake.session_key() if handshake.is_browser else None
    session = resume.digest(session_key)
    known = _known(door, first, session)
    proof = _proof_of(known, session_key) if known else None
    if known is not None and door.trusts(known.role):
        return _guest_again(door, known, proof)
    user = await run_in_db(proof.person) if proof else AnonymousUser()
    if not is_signed_in(user):
        user = await _user(handshake, first)
    you = None if is_signed_in(user) else door.admit_stranger()
    if you is None:
        you = await run_in_db(door.admit, user)
    key = _viewer_key(user, handshake)
    proof = Proof.of(user, session_key) if is_signed_in(user) else None
    return Guest(user, you, key, session, int(time.time()), proof)


def _known(door: Door, first: FirstFrame, session: str) -> resume.Known | None:
    if not door.resumes or not isinstance(first.resume, str):
        return None
    try:
        return resume.read(first.resume, show_id=door.show_id, session=session)
    except resume.TokenRefused:
        return None


def _proof_of(known: resume.Known, session_key: str | None) -> Proof | None:
    """What the token's holder once showed; whether it still holds, the database knows."""
    if known.user_pk is None:
        return None
    return Proof(known.user_pk, known.password, session_key)


def _guest_again(door: Door, known: resume.Known, proof: Proof | None) -> Guest:
    """Who comes back. Their row is read when they ask for something, not before."""
    user = User(pk=known.user_pk, public_id=known.user_id) if known.user_id else AnonymousUser()
    you = door.admit_known(known)
    return Guest(user, you, known.viewer_key, known.session, known.proven_at, proof, by_token=True)


async def _user(handshake: Handshake, first: FirstFrame) -> AnyUser:
    """By cookie or ticket; raises `Refused` for a ticket that is none."""
    if handshake.is_browser:
        has_session = handshake.session_key() is not None
        return await run_in_db(handshake.user) if has_session else AnonymousUser()
    if first.ticket is None:
        return AnonymousUser()
    try:
        if isinstance(first.ticket, str):
            return await run_in_db(_user_of_ticket, first.ticket)
    except tickets.TicketRefused:
        pass
    raise Refused(4401)


def _user_of_ticket(ticket: str) -> AnyUser:
    return user_by_public_id(tickets.redeem(ticket))


def _viewer_key(user: AnyUser, handshake: Handshake) -> str:
    """The same for all sockets of one person. A cookie is a secret: the page must not read it in
    its token, nor other programs in Redis."""
    if is_signed_in(user):
        return f"user:{user.public_id}"
    return f"browser:{resume.digest(handshake.browser_key()) or uuid.uuid4()}"
