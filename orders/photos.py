"""Photos that buyers send with a claim: checked, made anew without what they tell of the sender."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import InvalidInput

MOST_PHOTOS = 4
MOST_BYTES = 8 * 1024**2
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2048
FORMATS = ("JPEG", "PNG", "WEBP")


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
    made = [_anew(photo) for photo in photos]
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


def _anew(photo: bytes) -> bytes:
    """Pixels only: no place, no camera, and nothing that hides behind a picture's name."""
    if len(photo) > MOST_BYTES:
        raise InvalidInput(_("A photo may have at most 8 MB."), field="photos")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _jpeg(photo)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,  # what Pillow says of a broken PNG
    ) as error:
        message = _("Please send photos as JPEG, PNG or WebP.")
        raise InvalidInput(message, field="photos") from error


def _jpeg(photo: bytes) -> bytes:
    with Image.open(io.BytesIO(photo), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.info.clear()  # a comment would be written again
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=82, optimize=True)
    return written.getvalue()
