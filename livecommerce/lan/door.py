"""Who may come in to a demo on the local network, in which one click makes anybody an operator:
who has scanned the code that its terminal shows. Pages, sockets and media are behind it alike.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

COOKIE = "livecommerce_lan"
COOKIE_LASTS_S = 30 * 86_400


def secret(data: Path) -> str:
    """The secret of this data folder, made at the first question, readable by its owner alone."""
    path = data / "lan/door"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"door.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(16))
        with contextlib.suppress(FileExistsError):  # another process was first
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


class Door:
    """Opened by a secret once, and by what it gave after that."""

    def __init__(self, key: str) -> None:
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
