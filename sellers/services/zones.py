"""Where a seller delivers to, and for how much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput
from core.text import clean_line
from sellers.access import KEEPERS, member_of
from sellers.models import DeliveryZone, Seller
from sellers.regions import is_region, region_label
from sellers.services.catalogue import HEAVIEST_G, HIGHEST_PRICE_MINOR

MOST_ZONES = 40


@dataclass(frozen=True, slots=True)
class ZoneTerms:
    """What a zone says. Fees in minor units, weights in grams; no regions: everywhere else."""

    name: str
    regions: tuple[str, ...] = ()
    is_served: bool = True
    base_fee_minor: int = 0
    base_weight_g: int = 1000
    step_fee_minor: int = 0
    step_weight_g: int = 1000
    free_from_minor: int | None = None


@transaction.atomic
def add_zone(seller: Seller, actor: User, terms: ZoneTerms, *, public_id: UUID) -> DeliveryZone:
    """A new zone. Raises `NotFound` for who does not keep the shop, and `InvalidInput`."""
    member_of(actor, seller, *KEEPERS)
    terms = _clean(_locked(seller), terms, but=None)
    if seller.zones.count() >= MOST_ZONES:
        raise Conflict(_("These are enough zones. Please put regions together."))
    return DeliveryZone.objects.create(seller=seller, public_id=public_id, **_fields(terms))


@transaction.atomic
def edit_zone(zone: DeliveryZone, actor: User, terms: ZoneTerms) -> DeliveryZone:
    """Say something else about a zone; orders keep the fee they were made with. Raises as above."""
    member_of(actor, zone.seller, *KEEPERS)
    fields = _fields(_clean(_locked(zone.seller), terms, but=zone))
    for name, value in fields.items():
        setattr(zone, name, value)
    zone.save(update_fields=list(fields))
    return zone


@transaction.atomic
def remove_zone(zone: DeliveryZone, actor: User) -> None:
    member_of(actor, zone.seller, *KEEPERS)
    DeliveryZone.objects.filter(pk=zone.pk).delete()


def _locked(seller: Seller) -> Seller:
    """Two people who give one region to two zones at once are put one after the other."""
    return Seller.objects.select_for_update().get(pk=seller.pk)


def _clean(seller: Seller, terms: ZoneTerms, *, but: DeliveryZone | None) -> ZoneTerms:
    others = seller.zones.exclude(pk=but.pk) if but else seller.zones.all()
    return ZoneTerms(
        name=clean_line(terms.name, "name", longest=80),
        regions=_clean_regions(terms.regions, others),
        is_served=terms.is_served,
        base_fee_minor=_clean_fee(terms.base_fee_minor, "base_fee"),
        base_weight_g=_clean_weight(terms.base_weight_g, "base_weight", least=0),
        step_fee_minor=_clean_fee(terms.step_fee_minor, "step_fee"),
        step_weight_g=_clean_weight(terms.step_weight_g, "step_weight", least=1),
        free_from_minor=_clean_free(terms.free_from_minor),
    )


def _clean_regions(codes: Iterable[str], others: Iterable[DeliveryZone]) -> tuple[str, ...]:
    """Each region belongs to one zone: which fee holds is never a riddle."""
    wanted = tuple(sorted(set(codes)))
    if not all(is_region(code) for code in wanted):
        raise InvalidInput(_("Please choose regions from the list."), field="regions")
    for zone in others:
        if not wanted and not zone.regions:
            said = _("“%(zone)s” is for everywhere else already. Choose regions for this one.")
            raise InvalidInput(said % {"zone": zone.name}, field="regions")
        for code in wanted:
            if code in zone.regions:
                said = _("%(region)s belongs to “%(zone)s” already.")
                names = {"region": region_label(code), "zone": zone.name}
                raise InvalidInput(said % names, field="regions")
    return wanted


def _clean_fee(fee_minor: int, field: str) -> int:
    if not 0 <= fee_minor <= HIGHEST_PRICE_MINOR:
        raise InvalidInput(_("Please write a fee that somebody could pay."), field=field)
    return fee_minor


def _clean_free(free_from_minor: int | None) -> int | None:
    return None if free_from_minor is None else _clean_fee(free_from_minor, "free_from")


def _clean_weight(weight_g: int, field: str, *, least: int) -> int:
    if not least <= weight_g <= HEAVIEST_G:
        raise InvalidInput(_("Please write a weight of a parcel."), field=field)
    return weight_g


def _fields(terms: ZoneTerms) -> dict[str, object]:
    names = ZoneTerms.__dataclass_fields__
    return {name: getattr(terms, name) for name in names} | {"regions": list(terms.regions)}
