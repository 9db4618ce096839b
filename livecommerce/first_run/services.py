"""Making an instance somebody's own: its settings, its operator, and the first who sells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.ids import new_id
from core.money import to_minor
from livecommerce.first_run import door, kept, sample
from livecommerce.operators import make_operator
from sellers.models import Member, MemberRole, Seller
from sellers.regions import REGIONS
from sellers.services.zones import ZoneTerms, add_zone


@dataclass(frozen=True, slots=True)
class Values:
    """What the page asks for. `fee` in whole units of the currency, for the first kilogram."""

    name: str
    language: str
    currency: str
    time_zone: str
    username: str
    password: str
    seller_name: str
    seller_place: str
    regions: tuple[str, ...]
    fee: Decimal
    with_sample: bool = False


def set_up(secret: str, values: Values) -> User:
    """The operator, who keeps the first shop too. Once: raises `door.UsedUp` after that.

    Raises Django's `ValidationError` for a user name or password that cannot be used; then nothing
    is made and the page stays open.
    """
    with door.used_up(secret), transaction.atomic(durable=True):
        operator = make_operator(values.username, values.password)
        _make_shop(operator, values)
        if values.with_sample:
            sample.add(operator, values.currency)
        # Before the commit: what cannot be written makes nothing, and what is written and then not
        # committed stands in the page when it is asked for again.
        kept.write(settings.DATA_ROOT, {name: getattr(values, name) for name in kept.NAMES})
    return operator


def _make_shop(owner: User, values: Values) -> None:
    seller = Seller.objects.create(
        name=values.seller_name, place=values.seller_place, currency=values.currency
    )
    Member.objects.create(seller=seller, user=owner, role=MemberRole.OWNER)
    fee = to_minor(values.fee, values.currency)
    everywhere = len(values.regions) == len(REGIONS)
    # Also where that is what a seller without zones does: then nobody is asked for it again.
    served = ZoneTerms(
        name=_("Delivery") if fee or not everywhere else _("Everywhere, for nothing"),
        regions=() if everywhere else values.regions,
        base_fee_minor=fee,
        step_fee_minor=fee,
    )
    add_zone(seller, owner, served, public_id=new_id())
    if not everywhere:
        elsewhere = ZoneTerms(name=_("Everywhere else"), is_served=False)
        add_zone(seller, owner, elsewhere, public_id=new_id())
