"""The first operator of an instance, who makes everybody else what they are."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from core.accounts.models import Role, RoleGrant, User


def has_operator() -> bool:
    return RoleGrant.objects.filter(role=Role.OPERATOR).exists()


@transaction.atomic
def make_operator(username: str, password: str) -> User:
    """Make `username` an operator with this password, whether or not the person had an account.

    Raises Django's `ValidationError` for a name or a password that cannot be used.
    """
    user = User.objects.filter(username=username).first() or User(username=username)
    validate_password(password, user)
    user.set_password(password)
    user.is_staff = user.is_superuser = True
    user.full_clean(exclude=["display_name"])
    user.save()
    RoleGrant.objects.get_or_create(user=user, role=Role.OPERATOR)
    return user
