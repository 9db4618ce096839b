"""Where buyers fetch their orders."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict
from core.text import clean_line
from sellers.access import KEEPERS, member_of
from sellers.models import PickupPoint, Seller

MOST_POINTS = 200


@transaction.atomic
def add_point(
    seller: Seller, actor: User, *, name: str, address: str, hours: str, public_id: UUID
) -> PickupPoint:
    """A new point, open at once. Raises `NotFound` for who keeps no shop here, `InvalidInput`."""
    member_of(actor, seller, *KEEPERS)
    if seller.pickup_points.count() >= MOST_POINTS:
        raise Conflict(_("These are enough pick-up points."))
    return PickupPoint.objects.create(
        seller=seller, public_id=public_id, **_clean(name, address, hours)
    )


@transaction.atomic
def edit_point(
    point: PickupPoint, actor: User, *, name: str, address: str, hours: str
) -> PickupPoint:
    """Orders that wait there show the new words at once. Raises as `add_point`."""
    member_of(actor, point.seller, *KEEPERS)
    fields = _clean(name, address, hours)
    for field, value in fields.items():
        setattr(point, field, value)
    point.save(update_fields=list(fields))
    return point


def set_open(point: PickupPoint, actor: User, *, is_open: bool) -> None:
    """A closed point takes no new orders; those that wait there are still fetched."""
    member_of(actor, point.seller, *KEEPERS)
    PickupPoint.objects.filter(pk=point.pk).update(is_active=is_open)


def remove_point(point: PickupPoint, actor: User) -> None:
    """Take away a point that no order ever went to; raises `Conflict` for any other."""
    member_of(actor, point.seller, *KEEPERS)
    try:
        with transaction.atomic():
            point.delete()
    except ProtectedError:
        raise Conflict(
            _("Orders went to this point, so it stays. Close it to take no new ones.")
        ) from None


def _clean(name: str, address: str, hours: str) -> dict[str, str]:
    return {
        "name": clean_line(name, "name", longest=80),
        "address": clean_line(address, "address", longest=200, shortest=3),
        "hours": clean_line(hours, "hours", longest=120, shortest=0),
    }
