"""Invitations on paper: made by operators, used once by whoever scans them first.

The token in the QR code is made of the invitation's id with the instance's secret. So a sheet can
be printed again, while who reads the database cannot use it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.accounts import services as accounts
from core.accounts.models import Invitation, Role, User
from core.accounts.phones import phone_in
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.text import clean_line
from sellers.models import MemberRole, Seller
from sellers.services.people import add_member

MOST_AT_ONCE = 60
LONGEST_DAYS = 90
# Operators are made by who has the machine: a sheet of paper is too easily lost.
INSTANCE_ROLES = (Role.MENTOR, Role.TRAINEE)


listeners: list[Callable[[Invitation, User], None]] = []
"""Who wants to know that an invitation was accepted, in the same transaction."""


class InvitationVoid(NotFound):
    """Used, revoked, over or never made: whoever tries is told the same."""

    code = "invitation_void"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody types who has no account yet; `login` is a user name or a phone number."""

    name: str
    login: str
    password: str


def invite(
    names: Sequence[str], *, role: str, seller: Seller | None, days: int, made_by: User
) -> UUID:
    """One invitation for each name; the id of their batch. Raises `InvalidInput`."""
    cleaned = [clean_line(name, "names", longest=60) for name in names if name.strip()]
    if not 1 <= len(cleaned) <= MOST_AT_ONCE:
        problem = _("Write 1 to %(most)d names, each on a line of its own.")
        raise InvalidInput(problem % {"most": MOST_AT_ONCE}, field="names")
    if role not in (MemberRole.values if seller else INSTANCE_ROLES):
        raise InvalidInput(_("Choose what they may do."), field="role")
    if not 1 <= days <= LONGEST_DAYS:
        problem = _("Choose 1 to %(most)d days.")
        raise InvalidInput(problem % {"most": LONGEST_DAYS}, field="days")
    batch = new_id()
    fresh = Invitation(
        batch=batch,
        role=role,
        seller_id=seller.public_id if seller else None,
        made_by=made_by,
        ends_at=now() + timedelta(days=days),
    )
    Invitation.objects.bulk_create(_of(fresh, name) for name in cleaned)
    return batch


def _of(like: Invitation, name: str) -> Invitation:
    made = Invitation(
        batch=like.batch,
        role=like.role,
        seller_id=like.seller_id,
        made_by=like.made_by,
        ends_at=like.ends_at,
        name=name,
    )
    made.digest = _digest(token_of(made))
    return made


def revoke(invitation_id: UUID) -> bool:
    """Whether there was one to revoke that nobody has used."""
    open_ = Invitation.objects.filter(public_id=invitation_id, used_at=None, revoked_at=None)
    return bool(open_.update(revoked_at=now()))


def token_of(invitation: Invitation) -> str:
    """What stands in its QR code: 128 bits."""
    made = hmac.digest(
        settings.SECRET_KEY.encode(), f"invitation {invitation.public_id}".encode(), "sha256"
    )
    return base64.urlsafe_b64encode(made[:18]).decode()


def open_invitation(token: str) -> Invitation:
    """The invitation that this token opens; raises `InvitationVoid`."""
    found = Invitation.objects.filter(digest=_digest(token)).first()
    if found is None or found.state != "open" or not _still_there(found):
        raise _void()
    return found


def _still_there(invitation: Invitation) -> bool:
    return invitation.seller_id is None or seller_of(invitation) is not None


def seller_of(invitation: Invitation) -> Seller | None:
    if invitation.seller_id is None:
        return None
    return Seller.objects.filter(public_id=invitation.seller_id).first()


def role_name(invitation: Invitation) -> str:
    kind = MemberRole if invitation.seller_id else Role
    return str(kind(invitation.role).label)


@transaction.atomic
def accept(token: str, user: User) -> Invitation:
    """Make this person what the invitation says, and tell `listeners`; raises `InvitationVoid`."""
    found = _claim(open_invitation(token))
    Invitation.objects.filter(pk=found.pk).update(used_by=user)
    seller = seller_of(found)
    if seller is not None:
        add_member(seller, user, MemberRole(found.role))
    else:
        accounts.grant(user, Role(found.role))
    for hear in listeners:
        hear(found, user)
    return found


def accept_as_newcomer(token: str, typed: Newcomer) -> User:
    """A new account that is what the invitation says.

    Raises `InvitationVoid`, or `InvalidInput` for what was typed; then nothing has changed.
    """
    open_invitation(token)
    user = _newcomer(typed)  # outside of the transaction: a password takes its time on purpose
    with transaction.atomic():
        _save(user)
        accept(token, user)
    return user


def _claim(invitation: Invitation) -> Invitation:
    """Of two who use it at the same time, the count of this update lets one through."""
    free = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
    if not free.filter(ends_at__gt=now()).update(used_at=now()):
        raise _void()
    return invitation


def _newcomer(typed: Newcomer) -> User:
    login = phone_in(typed.login) or clean_line(typed.login, "login", longest=150)
    user = User(username=login, display_name=clean_line(typed.name, "name", longest=60))
    _check(user, typed.password)
    user.set_password(typed.password)
    return user


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise _taken() from error


def _check(user: User, password: str) -> None:
    try:
        UnicodeUsernameValidator()(user.username)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="login") from error
    taken = User.objects.filter(username__iexact=user.username)
    if taken.exists() or User.objects.filter(phone=user.username).exists():
        raise _taken()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from error


def _taken() -> InvalidInput:
    return InvalidInput(_("This name is taken. Please choose another one."), field="login")


def _void() -> InvitationVoid:
    return InvitationVoid(_("This invitation cannot be used."))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
