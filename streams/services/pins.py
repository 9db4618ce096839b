"""Which offer the host shows to everybody."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import NotFound
from orders.models import Offer
from streams import access
from streams.errors import ShowNotLive
from streams.events import ProductPinned, ProductUnpinned
from streams.models import Show, ShowState


def pin(*, show: Show, actor: User, offer_id: UUID) -> None:
    """Show one of the show's offers. Pinning what is pinned changes nothing.

    Raises `NotAllowed`, `NotFound` (field `offer_id`) or `ShowNotLive`.
    """
    access.require_host(actor, show)
    offer = offer_in(show, offer_id)
    with transaction.atomic():
        if _change(show, offer):
            outbox.publish(ProductPinned(show_id=show.public_id, at=now(), offer_id=offer_id))


def unpin(*, show: Show, actor: User) -> None:
    """Show no offer; raises `NotAllowed` or `ShowNotLive`."""
    access.require_host(actor, show)
    with transaction.atomic():
        if _change(show, None):
            outbox.publish(ProductUnpinned(show_id=show.public_id, at=now()))


def offer_in(show: Show, offer_id: UUID) -> Offer:
    """The show's offer with this public id; raises `NotFound` (field `offer_id`)."""
    offer = Offer.objects.filter(show_id=show.public_id, public_id=offer_id).first()
    if offer is None:
        raise NotFound(_("This show has no such offer."), field="offer_id")
    return offer


def _change(show: Show, offer: Offer | None) -> bool:
    """Whether this pinned another offer than before."""
    row = Show.objects.select_for_update().get(pk=show.pk)
    if row.state == ShowState.ENDED:
        raise ShowNotLive
    if row.pinned_offer_id == (offer.pk if offer else None):
        return False
    Show.objects.filter(pk=row.pk).update(pinned_offer=offer)
    return True
