"""What can go wrong with goods."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Conflict


class SoldOut(Conflict):
    """Fewer are left than were asked for; `available` is how many."""

    code = "sold_out"

    def __init__(self, available: int) -> None:
        super().__init__(
            _only(available) if available else _("This is sold out."),
            field="quantity",
            details={"available": available},
        )
        self.available = available


def _only(available: int) -> str:
    return ngettext("Only %(count)d is left.", "Only %(count)d are left.", available) % {
        "count": available
    }
