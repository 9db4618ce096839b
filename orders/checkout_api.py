"""HTTP: what the order sheet of a show or a shop begins with."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router

from core.errors import InvalidInput, NotFound
from orders import access
from orders.checkout import Checkout, checkout
from orders.models import Offer
from sellers.models import Seller

router = Router(tags=["orders"])


@router.get("/checkout", response=Checkout, by_alias=False)
def read_checkout(
    request: HttpRequest, show_id: UUID | None = None, seller_id: UUID | None = None
) -> dict[str, object]:
    """Of the seller of a show, or of a seller; also for who has not signed in."""
    if show_id is not None:
        access.require_to_know_of(request.user, show_id)
    return checkout(request.user, _seller(show_id, seller_id), show_id)


def _seller(show_id: UUID | None, seller_id: UUID | None) -> Seller:
    """Down here a show is known by what it offers."""
    sellers = Seller.objects.prefetch_related("zones")
    if show_id is not None and seller_id is None:
        offered = Offer.objects.filter(show_id=show_id).values("variant__product__seller")
        seller = sellers.filter(pk__in=offered).first()
    elif seller_id is not None and show_id is None:
        seller = sellers.filter(public_id=seller_id).first()
    else:
        raise InvalidInput(_("Please choose what to order."), field="show_id")
    if seller is None:
        raise NotFound(_("This is not on sale here."))
    return seller
