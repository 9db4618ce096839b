"""What bringing an order costs, by where it goes and what it weighs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orders.errors import NotDelivered, RegionNeeded
from sellers.models import DeliveryZone, Unit, Variant

UNIT_WEIGHT_G = {Unit.KG: 1000, Unit.JIN: 500}


def delivery_fee(
    zones: Sequence[DeliveryZone], region: str, weight_g: int, goods_minor: int
) -> int:
    """The fee in minor units, by the seller's zones; no zones: it costs nothing.

    Raises `NotDelivered`, or `RegionNeeded` if zones name regions and `region` is "".
    """
    if not zones:
        return 0
    zone = _zone_of(zones, region)
    if zone.free_from_minor is not None and goods_minor >= zone.free_from_minor:
        return 0
    return zone.base_fee_minor + _steps(zone, weight_g) * zone.step_fee_minor


def weight_of(variants: Iterable[tuple[Variant, int]]) -> int:
    """Grams of so many of each; what is sold by weight weighs what its unit says."""
    return sum(
        (variant.weight_g or UNIT_WEIGHT_G.get(Unit(variant.unit), 0)) * quantity
        for variant, quantity in variants
    )


def _zone_of(zones: Sequence[DeliveryZone], region: str) -> DeliveryZone:
    """The zone that names the region, else the one that names none."""
    if not region and any(zone.regions for zone in zones):
        raise RegionNeeded
    naming = (zone for zone in zones if region and region in zone.regions)
    rest = (zone for zone in zones if not zone.regions)
    zone = next(naming, None) or next(rest, None)
    if zone is None or not zone.is_served:
        raise NotDelivered(region)
    return zone


def _steps(zone: DeliveryZone, weight_g: int) -> int:
    """Steps begun beyond the base weight."""
    beyond_g = max(0, weight_g - zone.base_weight_g)
    return -(-beyond_g // zone.step_weight_g) if zone.step_weight_g else 0
