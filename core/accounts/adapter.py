"""What this product decides about accounts where django-allauth asks."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.callers import network_of


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP)

    def get_client_ip(self, request: HttpRequest) -> str:
        """By which wrong passwords are counted."""
        return network_of(request)

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponseBase:
        """However somebody has signed in: tell them if a passkey of theirs was copied."""
        if user.passkeys.exclude(copied_at=None).exists():
            messages.warning(
                request,
                _(
                    "A passkey of yours may have been copied. Under My account, remove it, and "
                    "see where you are signed in."
                ),
            )
        answer: HttpResponseBase = super().post_login(request, user, **more)
        return answer
