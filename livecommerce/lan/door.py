"""Who may come in to a demo on the local network, in which one click makes anybody an operator:
who has scanned the code that its terminal shows. Pages, sockets and media are behind it alike.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from livecommerce.data_folder import opening_secret

COOKIE = "livecommerce_lan"
COOKIE_LASTS_S = 30 * 86_400


def secret(data: Path) -> str:
    """The secret of this data folder, made at the first question, readable by its owner alone.

    Made anew where the file is empty or cut short: nobody has scanned a code with that.
    """
    path = data / "lan/door"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return opening_secret(path, 16)


class Door:
    """Opened by a secret once, and by what it gave after that."""

    def __init__(self, key: str) -> None:
        if not key:
            raise ValueError("a door without a key is open to everybody")
        self._key = key
        # Not the secret itself: who reads a browser's cookies cannot print the code.
        self.pass_ = hmac.new(key.encode(), b"door", hashlib.sha256).hexdigest()

    def opens_with(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="surrogatepass"), self._key.encode())

    def lets_in(self, scope: dict[str, Any]) -> bool:
        """Whether the request or socket brings what the door gave."""
        given = _cookie(scope)
        return hmac.compare_digest(given.encode(errors="surrogatepass"), self.pass_.encode())


def _cookie(scope: dict[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError):
                cookies = SimpleCookie(value.decode("latin-1"))
                if COOKIE in cookies:
                    return cookies[COOKIE].value
    return ""
