"""Who has which role in the whole instance."""

from __future__ import annotations

from typing import TypeGuard

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from core.accounts.models import Role, User
from core.errors import SignInRequired

AnyUser = User | AnonymousUser


def is_signed_in(user: AnyUser) -> TypeGuard[User]:
    return user.is_authenticated


def signed_in(user: AnyUser) -> User:
    """The user, or `SignInRequired`."""
    if not is_signed_in(user):
        raise SignInRequired(_("Please sign in first."))
    return user


def has_role(user: AnyUser, role: Role) -> bool:
    """Whether the user holds the role; superusers hold all."""
    if not is_signed_in(user):
        return False
    return user.is_superuser or user.role_grants.filter(role=role).exists()


def shown_name(user: User) -> str:
    """The name by which django-allauth speaks to people: a user name may mean nothing to them."""
    return user.shown_name
