"""The demo's orchard: made once, filled up again at every start."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.accounts.models import User
from livecommerce.demo.goods import GOODS, Good
from livecommerce.demo.people import ensure_people
from media_pipeline import storage
from media_pipeline.demo_media import make_product_picture
from sellers.models import Member, MemberRole, PickupPoint, Seller, Variant
from sellers.services import catalogue, stock
from streams.services.approvals import approve_seller

FARM = "Zhang's orchard 张家果园"


@dataclass(frozen=True, slots=True)
class Stall:
    """A good of the demo and the variant that it became."""

    good: Good
    variant: Variant

    @property
    def price_minor(self) -> int:
        """What it costs in a show."""
        return self.good.show_price_minor

    @property
    def terms(self) -> dict[str, int]:
        """On which terms a show sells it."""
        return {"price_minor": self.price_minor}


@dataclass(frozen=True, slots=True)
class Orchard:
    """Everything that the demo's shows need."""

    users: dict[str, User]
    farm: Seller
    stalls: list[Stall]

    @property
    def zhang(self) -> User:
        return self.users["zhang"]

    def stall(self, good: Good) -> Stall:
        return next(stall for stall in self.stalls if stall.good == good)


def ensure_orchard() -> Orchard:
    """The demo's people, farm, goods and pick-up points, made where they are missing."""
    users = ensure_people()
    farm, _made = Seller.objects.get_or_create(
        name=FARM,
        defaults={
            "place": "Lixian, Gansu 甘肃礼县",
            "about": "Three generations, four hundred trees, and forty hives between them.",
        },
    )
    approve_seller(farm)
    for role in (MemberRole.OWNER, MemberRole.HOST):
        Member.objects.get_or_create(seller=farm, user=users["zhang"], role=role)
    PickupPoint.objects.get_or_create(
        seller=farm,
        name="Village shop 村口小卖部",
        defaults={"address": "1 Main Road, Lixian 礼县主街1号", "hours": "8:00–20:00"},
    )
    stalls = [Stall(good, _variant(farm, users["zhang"], good)) for good in GOODS]
    return Orchard(users, farm, stalls)


def fill_up(orchard: Orchard) -> None:
    """Bring every shelf back to its first count, on top of what is promised to buyers."""
    for stall in orchard.stalls:
        shelf = stall.variant.stock
        shelf.refresh_from_db()
        wanted = stall.good.stock + shelf.reserved
        if shelf.on_hand != wanted:
            stock.adjust(
                stall.variant.public_id,
                on_hand=wanted,
                reason="fresh from the orchard",
                actor=orchard.zhang,
            )


def _variant(farm: Seller, zhang: User, good: Good) -> Variant:
    found = Variant.objects.filter(product__seller=farm, product__title=good.title).first()
    return found or _add(farm, zhang, good)


def _add(farm: Seller, zhang: User, good: Good) -> Variant:
    variant = catalogue.add_product(
        farm,
        actor=zhang,
        title=good.title,
        about=good.about,
        variant_title=good.variant,
        price_minor=good.price_minor,
        weight_g=good.weight_g,
        on_hand=good.stock,
    )
    product = variant.product
    product.image_key = f"public/products/{product.public_id}.jpg"
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.jpg"
        make_product_picture(picture, good.picture)
        storage.storage().write_file(product.image_key, picture)
    product.save(update_fields=["image_key"])
    return variant
