"""Room for recordings: said before it ends, to who runs the instance and in the log."""

from __future__ import annotations

import logging

from django.conf import settings

from livecommerce.data_folder import LOW_BELOW, free_bytes

log = logging.getLogger(__name__)


def is_low() -> bool:
    return free() < LOW_BELOW


def free() -> int:
    """Bytes that can still be written to the data folder."""
    return free_bytes(settings.DATA_ROOT)


def left() -> str:
    """The room that is left as people read it, in any language."""
    return f"{free() / 1024**3:.1f} GiB"


def told() -> str:
    return f"{left()} free"


def warn() -> None:
    """Periodic work of the workers: one line in the log each time, while little is left."""
    if is_low():
        log.warning("disk space ends: %s in %s", told(), settings.DATA_ROOT)
