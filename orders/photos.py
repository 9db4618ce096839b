"""Photos that buyers send with a claim: checked, made anew without what they tell of the sender."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import InvalidInput
from core.pictures import MOST_BYTES as MOST_BYTES
from core.pictures import made_anew

MOST_PHOTOS = 4


class Keeper(Protocol):
    """Where files are kept; what `orders` needs of `media_pipeline.storage`."""

    def write(self, key: str, data: bytes) -> None: ...

    def delete_folder(self, folder: str) -> None: ...

    def url(self, key: str) -> str: ...


keepers: list[Callable[[], Keeper]] = []
"""The one place for files; `livecommerce.wiring` names it, since it is not known down here."""


def keep(claim_id: UUID, photos: Sequence[bytes]) -> list[str]:
    """Store the photos of a claim as JPEG, under private keys, which are returned in order.

    Raises `InvalidInput` for what is not a photo, too large or too many; then nothing is stored.
    """
    if len(photos) > MOST_PHOTOS:
        message = _("Please send at most %(most)d photos.") % {"most": MOST_PHOTOS}
        raise InvalidInput(message, field="photos")
    made = [made_anew(photo, field="photos") for photo in photos]
    keys = [f"{_folder(claim_id)}/{number}.jpg" for number in range(1, len(made) + 1)]
    for key, photo in zip(keys, made, strict=True):
        keepers[0]().write(key, photo)
    return keys


def forget(claim_id: UUID) -> None:
    """Remove the photos of a claim that was not made after all."""
    keepers[0]().delete_folder(_folder(claim_id))


def address(key: str) -> str:
    """From where a browser can read a photo, for some hours."""
    return keepers[0]().url(key)


def _folder(claim_id: UUID) -> str:
    return f"private/claims/{claim_id}"
