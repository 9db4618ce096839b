"""Pictures that people send: checked, and made anew without what they tell of the sender."""

from __future__ import annotations

import io
import warnings

from django.utils.translation import gettext as _

from core.errors import InvalidInput

MOST_BYTES = 8 * 1024**2
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2048
FORMATS = ("JPEG", "PNG", "WEBP")


def made_anew(picture: bytes, *, field: str) -> bytes:
    """A JPEG of its pixels only: no place, no camera, nothing that hides behind a picture's name.

    Raises `InvalidInput` naming the field for what is too large, or no picture.
    """
    from PIL import Image, UnidentifiedImageError  # which few processes ever need

    if len(picture) > MOST_BYTES:
        raise InvalidInput(_("A photo may have at most 8 MB."), field=field)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _jpeg(picture)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,  # what Pillow says of a broken PNG
    ) as error:
        message = _("Please send photos as JPEG, PNG or WebP.")
        raise InvalidInput(message, field=field) from error


def _jpeg(picture: bytes) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(picture), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.info.clear()  # a comment would be written again
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=82, optimize=True)
    return written.getvalue()
