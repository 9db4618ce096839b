"""What a show sells."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import InvalidInput
from orders.models import Offer
from sellers.models import Variant
from sellers.services.catalogue import HIGHEST_PRICE_MINOR


@transaction.atomic
def put_on_sale(
    show_id: UUID, variant: Variant, *, price_minor: int | None = None, position: int = 0
) -> Offer:
    """Offer a variant in a show, at its own price if none is given; again: change that.

    Who may do so for the show is the caller's to decide. Raises `InvalidInput` for the price.
    """
    price = variant.price_minor if price_minor is None else price_minor
    if not 1 <= price <= HIGHEST_PRICE_MINOR:
        raise InvalidInput(_("Please write a price that somebody could pay."), field="price_minor")
    offer, _created = Offer.objects.update_or_create(
        show_id=show_id, variant=variant, defaults={"price_minor": price, "position": position}
    )
    return offer


def take_off_sale(show_id: UUID, variant: Variant) -> bool:
    """End the offer; `False` if there was none. Orders already placed keep their price."""
    deleted, _by_model = Offer.objects.filter(show_id=show_id, variant=variant).delete()
    return deleted > 0
