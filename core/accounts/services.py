"""Writes about people: names and roles in the whole instance."""

from __future__ import annotations

from core.accounts.models import Role, RoleGrant, User
from core.text import clean_line


def introduce(user: User, display_name: str) -> None:
    """Set the name that others see; raises `InvalidInput`."""
    user.display_name = clean_line(display_name, "display_name", longest=60)
    user.save(update_fields=["display_name"])


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
