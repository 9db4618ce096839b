"""How many of something, in words: every unit has its own."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sellers.models import Unit


def amount(count: int, unit: str) -> str:
    """`amount(3, "box")`: "3 boxes"; orders/static/orders/terms.js says the same."""
    return _form(count, unit) % {"count": count}


def _form(count: int, unit: str) -> str:
    match unit:
        case Unit.BOX:
            return ngettext("%(count)d box", "%(count)d boxes", count)
        case Unit.BAG:
            return ngettext("%(count)d bag", "%(count)d bags", count)
        case Unit.BOTTLE:
            return ngettext("%(count)d bottle", "%(count)d bottles", count)
        case Unit.KG:
            return _("%(count)d kg")
        case Unit.JIN:
            return _("%(count)d jin")
        case _other:
            return ngettext("%(count)d piece", "%(count)d pieces", count)
