"""What can go wrong with goods."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Conflict


class SoldOut(Conflict):
    """Fewer are left than were asked for; `available` is how many of `variant_id`."""

    code = "sold_out"

    def __init__(
        self, available: int, variant_id: UUID | None = None, field: str = "quantity"
    ) -> None:
        variant = {} if variant_id is None else {"variant_id": str(variant_id)}
        super().__init__(
            _only(available) if available else _("This is sold out."),
            field=field,
            details={"available": available, **variant},
        )
        self.available = available
        self.variant_id = variant_id


def _only(available: int) -> str:
    return ngettext("Only %(count)d is left.", "Only %(count)d are left.", available) % {
        "count": available
    }
