"""The one-time secret in the address of the first-run page: a file, whose owner alone reads it.

The page is there while the file is and nobody runs the instance. That somebody does is said by the
database alone: a process may be killed between any two of the files here.
"""

from __future__ import annotations

import fcntl
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from livecommerce.data_folder import opening_secret
from livecommerce.operators import has_operator

FILE = "first-run"
SECRET_BYTES = 24


class Closed(Exception):
    """There is no such page: it was used, or the secret is another one."""


class UsedUp(Closed):
    """The secret is the right one, and somebody runs the instance by now."""


def open_if_new() -> str | None:
    """The secret of an instance that nobody runs yet; None, and no page, for every other one."""
    _used().unlink(missing_ok=True)
    if has_operator():
        _path().unlink(missing_ok=True)
        return None
    return opening_secret(_path(), SECRET_BYTES)


def check(given: str) -> None:
    """Raises `UsedUp` or `Closed` unless this opens the page now."""
    if _is_in(_path(), given):
        if has_operator():
            raise UsedUp
    elif _is_in(_used(), given):
        raise UsedUp
    else:
        raise Closed


@contextmanager
def used_up(given: str) -> Iterator[None]:
    """Use the secret, of two at once for one alone; what fails inside leaves it as it was.

    The second waits until the first is done. The lock ends with its process, however that ends.
    Raises `UsedUp` or `Closed`.
    """
    check(given)
    try:
        held = _path().open("r+")
    except FileNotFoundError:
        raise UsedUp from None  # it was there a moment ago
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        check(given)
        yield
        _path().rename(_used())


def _is_in(path: Path, given: str) -> bool:
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        return False
    return len(secret) >= SECRET_BYTES and hmac.compare_digest(given.encode(), secret)


def _path() -> Path:
    return Path(settings.DATA_ROOT) / FILE


def _used() -> Path:
    """The secret until the next start, which opens nothing any more: who sends the page twice is
    known by it."""
    return _path().with_suffix(".used")
