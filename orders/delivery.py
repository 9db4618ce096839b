"""Where an order goes, as the buyer wrote it, made fit to keep."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from core.errors import InvalidInput
from core.ids import parse_id
from core.text import clean_line
from orders.models import Delivery
from sellers.regions import REGIONS

_BETWEEN_DIGITS = re.compile(r"[\s().\-‐-―]+")
KNOWN_REGIONS = frozenset(code for code, _label in REGIONS)
_PHONE = re.compile(r"\+?[0-9]{6,18}")
_TOO_SHORT = re.compile(r"\+?[0-9]{1,5}")


class Courier(msgspec.Struct, frozen=True, tag_field="kind", tag=Delivery.COURIER.value):
    """To the buyer's door."""

    name: str
    phone: str
    address: str
    region: str = ""


class Pickup(msgspec.Struct, frozen=True, tag_field="kind", tag=Delivery.PICKUP.value):
    """To a pick-up point of the seller, by its public id."""

    name: str
    phone: str
    point_id: UUID


Destination = Courier | Pickup


def clean_destination(delivery: object) -> Destination:
    """Read `{"kind": "courier", "name", "phone", "region", "address"}` or `{"kind": "pickup",
    "point_id", "name", "phone"}`; raises `InvalidInput` naming the field, e.g. `delivery.phone`.
    """
    if not isinstance(delivery, Mapping):
        raise InvalidInput(_("Please say where it should go."), field="delivery")
    match delivery.get("kind"):
        case Delivery.COURIER.value:
            return _courier(delivery)
        case Delivery.PICKUP.value:
            return _pickup(delivery)
        case _unknown:
            raise InvalidInput(_("Please choose how you want to get it."), field="delivery.kind")


def clean_phone(value: object, field: str) -> str:
    """The digits of a phone number, with a leading plus if it has one.

    Full-width digits, as Chinese keyboards write them, are read as digits.
    """
    line = unicodedata.normalize("NFKC", clean_line(value, field, longest=40))
    digits = _BETWEEN_DIGITS.sub("", line)
    if _TOO_SHORT.fullmatch(digits):
        raise InvalidInput(_("Please write the whole phone number."), field=field)
    if not _PHONE.fullmatch(digits):
        raise InvalidInput(_("Please write a phone number, digits only."), field=field)
    return digits


def _courier(delivery: Mapping[str, object]) -> Courier:
    return Courier(
        name=clean_line(delivery.get("name", ""), "delivery.name", longest=60),
        phone=clean_phone(delivery.get("phone", ""), "delivery.phone"),
        address=clean_line(
            delivery.get("address", ""), "delivery.address", longest=200, shortest=5
        ),
        region=clean_region(delivery.get("region", ""), "delivery.region"),
    )


def clean_region(value: object, field: str) -> str:
    """The code of a region (`sellers.regions`), or "" where none was chosen."""
    region = clean_line(value, field, longest=10, shortest=0)
    if region and region not in KNOWN_REGIONS:
        raise InvalidInput(_("Please choose the region."), field=field)
    return region


def _pickup(delivery: Mapping[str, object]) -> Pickup:
    point_id = parse_id(str(delivery.get("point_id", "")))
    if point_id is None:
        raise InvalidInput(_("Please choose a pick-up point."), field="delivery.point_id")
    return Pickup(
        name=clean_line(delivery.get("name", ""), "delivery.name", longest=60),
        phone=clean_phone(delivery.get("phone", ""), "delivery.phone"),
        point_id=point_id,
    )
