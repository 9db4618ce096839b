"""How people without an account get one: by the instance's own invitations.

Those are made above this package; `doors` has the one way in, once the parts are wired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.http import HttpRequest

from core.accounts.models import Invitation, User


class Door(Protocol):
    def invite(self, names: Sequence[str], *, made_by: User, days: int) -> list[Invitation]:
        """An invitation for each name, in their order; raises `InvalidInput`."""

    def revoke(self, invitation: Invitation) -> None: ...

    def path(self, invitation: Invitation) -> str:
        """Where somebody accepts it."""

    def address(self, request: HttpRequest, path: str) -> str:
        """As a phone elsewhere opens it."""


doors: list[Door] = []


def door() -> Door | None:
    return doors[0] if doors else None
