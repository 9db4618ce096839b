"""Writes about people: names and roles in the whole instance."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.accounts import changes
from core.accounts.models import LEFT, Role, RoleGrant, User
from core.errors import Conflict, InvalidInput
from core.text import clean_line


def introduce(user: User, display_name: str) -> None:
    """Set the name that others see; raises `InvalidInput`."""
    user.display_name = clean_line(display_name, "display_name", longest=60)
    user.save(update_fields=["display_name"])


def set_language(user: User, language: str) -> None:
    """The language of messages that are sent to the user; none: as whatever caused them."""
    if language and language not in dict(settings.LANGUAGES):
        raise InvalidInput(_("Choose one of the languages."), field="language")
    user.language = language
    user.save(update_fields=["language"])


def forget(user: User) -> None:
    """Leave a row that nobody knows anything of, for what must go on naming it; sign them out."""
    user.username = f"{LEFT}{user.public_id.hex}"
    user.display_name = user.first_name = user.last_name = user.email = user.language = ""
    user.phone = None
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
    held = (user.role_grants, user.devices, user.api_tokens, user.passkeys, user.ways_back)
    for rows in held:
        rows.all().delete()
    changes.note([user.pk])


def grant(user: User, role: Role) -> None:
    """Give a role; giving it twice is giving it once. Operators also get into the admin pages."""
    RoleGrant.objects.get_or_create(user=user, role=role)
    if role == Role.OPERATOR:
        User.objects.filter(pk=user.pk).update(is_staff=True)


def revoke(user: User, role: Role) -> None:
    """Take a role away, and with an operator's the admin pages, unless the user is a superuser."""
    RoleGrant.objects.filter(user=user, role=role).delete()
    if role == Role.OPERATOR:
        User.objects.filter(pk=user.pk, is_superuser=False).update(is_staff=False)


def join_by_phone(phone: str, display_name: str) -> User:
    """A new person who has proven this number; raises `InvalidInput`, or `Conflict` if taken.

    The user name means nothing: it is seen where people are looked up, and a number shall not be.
    """
    name = clean_line(display_name, "name", longest=60)
    user = User(username=f"p{uuid4().hex[:20]}", display_name=name, phone=phone)
    user.set_unusable_password()
    _save_with_phone(user)
    return user


def keep_phone(user: User, phone: str) -> None:
    """The user has proven this number; raises `Conflict` if it is another's."""
    user.phone = phone
    _save_with_phone(user)


def _save_with_phone(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(update_fields=["phone"] if user.pk else None)
    except IntegrityError as error:
        raise Conflict(
            _("This number belongs to another account. Sign out, and sign in with the number.")
        ) from error
