"""Signing in with a password: by user name, or by phone number where it was proven."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from core.accounts.models import User
from core.accounts.phones import phone_in


class NameOrPhoneBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, which takes as long for unknown names as for wrong passwords."""

    def _authenticate_by_username(self, username: str, password: str) -> User | None:
        user = find_person(username)
        found: User | None = self._check_password(user, password)
        return found


def find_person(typed: str) -> User | None:
    """Who has this number, or else this user name, as typed or written as a number."""
    phone = phone_in(typed)
    if phone is not None and (owner := User.objects.filter(phone=phone).first()):
        return owner
    names = [typed] if phone is None else [typed, phone]
    return User.objects.filter(username__in=names).order_by("pk").first()
