"""How a class lets in people without an account: by the invitations of this instance."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.urls import reverse

from core.accounts.models import Invitation, Role, User
from livecommerce.people import for_phones, invitations


class CohortDoor:
    def invite(self, names: Sequence[str], *, made_by: User, days: int) -> list[Invitation]:
        made: list[Invitation] = []
        for first in range(0, len(names), invitations.MOST_AT_ONCE):
            some = names[first : first + invitations.MOST_AT_ONCE]
            batch = invitations.invite(
                some, role=Role.TRAINEE, seller=None, days=days, made_by=made_by
            )
            made += Invitation.objects.filter(batch=batch).order_by("pk")
        return made

    def revoke(self, invitation: Invitation) -> None:
        invitations.revoke(invitation.public_id)

    def path(self, invitation: Invitation) -> str:
        return reverse("join", args=[invitations.token_of(invitation)])

    def address(self, request: HttpRequest, path: str) -> str:
        return for_phones.address(request, path)
