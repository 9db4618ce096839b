"""The one-time secret in the address of the first-run page: a file, whose owner alone reads it.

While it is there the page is; using it takes it away, for everybody and for good.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from livecommerce.first_run import kept
from livecommerce.operators import has_operator

FILE = "first-run"


class Closed(Exception):
    """There is no such page: it was used, or the secret is another one."""


def open_if_new() -> str | None:
    """The secret of an instance that nobody runs yet; None, and no page, for every other one."""
    path = _path()
    if has_operator() or (settings.DATA_ROOT / kept.FILE).exists():
        path.unlink(missing_ok=True)
        return None
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def check(given: str) -> None:
    """Raises `Closed` unless this opens the page now."""
    try:
        secret = _path().read_text()
    except FileNotFoundError:
        raise Closed from None
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        raise Closed


@contextmanager
def used_up(given: str) -> Iterator[None]:
    """Use the secret, of two at once for one alone; what fails inside gives it back.

    Raises `Closed`.
    """
    check(given)
    path, taken = _path(), _path().with_suffix(".used")
    try:
        path.rename(taken)  # of two, the second finds nothing
    except FileNotFoundError:
        raise Closed from None
    try:
        yield
    except BaseException:
        taken.rename(path)
        raise
    taken.unlink()


def _path() -> Path:
    return Path(settings.DATA_ROOT) / FILE
