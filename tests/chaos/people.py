"""The people of the chaos room: the tests' world, many who speak, some who buy, plenty on sale."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.accounts.models import User
from orders.models import Offer
from sellers.models import Stock
from tests import world as tests_world

ON_HAND = 1_000_000
FILE = "people.json"


class People(msgspec.Struct, frozen=True):
    """The public ids of everybody and everything."""

    show: str
    host: str
    speakers: list[str]
    buyers: list[str]
    offers: list[tuple[str, int]]
    pickup: str

    @classmethod
    def read(cls, data: Path) -> People:
        return msgspec.json.decode((data / FILE).read_bytes(), type=cls)


def build(data: Path, *, speakers: int, buyers: int) -> None:
    """Fill an empty instance, and write down who is there."""
    world = tests_world.build()
    Stock.objects.update(on_hand=ON_HAND)
    people = People(
        show=str(world.show.public_id),
        host=str(world.zhang.public_id),
        speakers=[_person(f"speaker-{number}") for number in range(speakers)],
        buyers=[_person(f"buyer-{number}") for number in range(buyers)],
        offers=[
            (str(offer.public_id), offer.price_minor)
            for offer in Offer.objects.order_by("position")
        ],
        pickup=str(world.pickup.public_id),
    )
    (data / FILE).write_bytes(msgspec.json.encode(people))


def _person(name: str) -> str:
    user = User(username=name, display_name=name.capitalize())
    user.set_unusable_password()
    user.save()
    return str(user.public_id)
