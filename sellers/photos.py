"""The photo of a product, which its seller takes: everybody may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from core.accounts.models import User
from core.ids import new_id
from core.pictures import made_anew
from sellers.access import KEEPERS, member_of
from sellers.models import Product


class Keeper(Protocol):
    """Where files are kept; what `sellers` needs of `media_pipeline.storage`."""

    def write(self, key: str, data: bytes) -> None: ...

    def delete(self, key: str) -> None: ...


keepers: list[Callable[[], Keeper]] = []
"""The one place for files; `livecommerce.wiring` names it, since it is not known down here."""


def put_on(product: Product, *, actor: User, photo: bytes) -> None:
    """Show the product with this photo from now on, instead of the one that it had.

    Raises `NotFound` for people who do not keep this seller's goods, `InvalidInput` naming `photo`.
    """
    member_of(actor, product.seller, *KEEPERS)
    made = made_anew(photo, field="photo")
    before = product.image_key
    # A new name each time: whoever has the old photo under the old one would keep seeing it.
    product.image_key = f"public/products/{product.public_id}-{new_id()}.jpg"
    keepers[0]().write(product.image_key, made)
    product.save(update_fields=["image_key"])
    if before:
        keepers[0]().delete(before)
