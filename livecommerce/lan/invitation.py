"""The address that phones are given, as a code to scan."""

from __future__ import annotations

import io

import segno
from django.conf import settings

from livecommerce.lan import door
from livecommerce.lan.addresses import own_names
from livecommerce.lan.pages import kept


def address(path: str = "", host: str = "") -> str:
    """Plain HTTP, for a phone that trusts nothing yet.

    A demo's secret, and the `path` to be opened, stand behind the `#`: that part is never sent, and
    the page there hands it on by HTTPS only. `host`, by which they came who ask, is taken if other
    machines reach us by it.
    """
    names = own_names(settings.ALLOWED_HOSTS)
    plain = f"http://{host if host in names.outward else names.best}:{settings.PORT}/"
    secret = door.secret(settings.DATA_ROOT) if settings.DEMO else ""
    return f"{plain}#{secret}{path}" if secret or path else plain


def told(*, in_full: bool) -> str:
    """What the terminal shows; `in_full` with the code, which a log could not show."""
    where = address()
    lines = [
        f"  On phones in the same network: {where}",
        f"  Its authority's fingerprint (SHA-256): {kept().fingerprint}",
        "",
    ]
    return "\n".join([code_for_terminal(where), *lines] if in_full else lines)


def code_for_terminal(text: str) -> str:
    """The code in half blocks, two rows of it in each line."""
    drawn = io.StringIO()
    segno.make(text, error="l").terminal(out=drawn, compact=True)
    return drawn.getvalue()
