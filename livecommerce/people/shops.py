"""A further shop on the site: its name and place, and the site's currency and delivery."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import InvalidInput
from core.ids import new_id
from core.text import clean_line
from courses.practice.models import Sandbox
from livecommerce.first_run import site
from livecommerce.first_run.forms import LINES
from sellers.models import DeliveryZone, Seller
from streams.access import require_operator

OF_ZONE = (
    "name",
    "regions",
    "is_served",
    "base_fee_minor",
    "base_weight_g",
    "step_fee_minor",
    "step_weight_g",
    "free_from_minor",
)


@transaction.atomic
def add_shop(actor: User, *, name: str, place: str, public_id: UUID) -> Seller:
    """A shop without people yet, that delivers as the site's first one does.

    Raises `NotAllowed` for who does not run the site, and `InvalidInput` with the field.
    """
    require_operator(actor)
    made = Seller(
        public_id=public_id,
        name=clean_line(name, "shop_name", longest=LINES["seller_name"]),
        place=clean_line(place, "shop_place", longest=LINES["seller_place"], shortest=0),
        currency=site.values()["currency"],
    )
    if Seller.objects.filter(name__iexact=made.name).exists():
        # Two of one name cannot be told apart where people are invited.
        raise InvalidInput(_("There is a shop of this name already."), field="shop_name")
    made.save()
    _deliver_as_the_first(made)
    return made


def shops() -> list[Seller]:
    """By name, those for practice last, but none that belongs to one trainee alone; a sample only
    if it has people, who may have to go."""
    found = Seller.objects.exclude(is_sample=True, members=None)
    found = found.exclude(pk__in=Sandbox.objects.values("seller"))
    return list(found.order_by("is_sample", "is_sandbox", "name", "pk"))


def _deliver_as_the_first(made: Seller) -> None:
    """The first-run page keeps regions and fee with the shop that it makes; only there."""
    others = Seller.objects.filter(is_sample=False, is_sandbox=False, currency=made.currency)
    first = others.exclude(pk=made.pk).order_by("pk").first()
    zones = first.zones.values(*OF_ZONE) if first else []
    DeliveryZone.objects.bulk_create(
        DeliveryZone(seller=made, public_id=new_id(), **zone) for zone in zones
    )
