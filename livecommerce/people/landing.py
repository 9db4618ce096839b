"""Where people land who have signed in and came from nowhere in particular."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.accounts.access import AnyUser, has_role, is_signed_in
from core.accounts.adapter import AccountAdapter
from core.accounts.models import Role
from sellers.models import Member

SIGNED_IN = "account/messages/logged_in.txt"
GREETED = "has_been_greeted"


def start_of(user: AnyUser) -> str:
    """A shop's people have come to sell, also who runs the site with it; others to buy."""
    if is_signed_in(user) and _sells(user):
        return reverse("studio")
    return reverse("operator_shows" if has_role(user, Role.OPERATOR) else "home")


def _sells(user: AnyUser) -> bool:
    """In a real shop: practising is no selling yet."""
    return Member.objects.filter(user=user.pk, seller__is_sandbox=False).exists()


def greet_no_more(request: HttpRequest) -> None:
    """The page that follows has its own welcome: one is enough."""
    setattr(request, GREETED, True)


class LandingAdapter(AccountAdapter):
    """However somebody signs in, by password, code or passkey; a `next` goes before it."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return start_of(request.user)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *rest: Any,
        **more: Any,
    ) -> None:
        if message_template == SIGNED_IN and getattr(request, GREETED, False):
            return
        super().add_message(request, level, message_template, *rest, **more)
