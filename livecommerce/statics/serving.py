"""Static files by addresses that change with them, so that browsers need never ask again.

`/static/v<digest>/streams/room.css` is `streams/room.css` for as long as no static file changes;
what it needs beside itself is found by the same address. A name that ends in `.joined.js` is that
module with all that it imports. Text is read, made small and compressed once, when it is first
asked for. While developing (`WHITENOISE_AUTOREFRESH`) there is none of this.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import brotli
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from core.scripts.join import joined
from core.scripts.strip import stripped

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Scripts of others are as small as they want them.
OTHERS = ("vendor/", "admin/", "ninja/", "account/", "gis/")
JOINED = ".joined.js"
VERSIONED = re.compile(r"(v[0-9a-f]{10})/(.+)")
STYLE = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^)]*\))"""
    r"|(?P<comment>/\*.*?\*/\s*)|\s*(?P<sign>[{};])\s*|(?P<mark>[:,])\s+|(?P<space>\s+)",
    re.DOTALL,
)
NONE_OF_IT = re.compile(r"q=0(\.0*)?")
FOREVER = "max-age=31536000, public, immutable"
# Of a version that is not ours: some other process has just been brought up to date, or this one.
BRIEFLY = "max-age=60, public"


@cache
def version() -> str:
    """Of all static files together: the same on every machine that has the same files."""
    digest = hashlib.sha256()
    for name, path in sorted(_found().items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return f"v{digest.hexdigest()[:10]}"


@cache
def _found() -> Mapping[str, Path]:
    """All files by their names; of two with one name the first, as the finders have it."""
    found: dict[str, Path] = {}
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            found.setdefault(path.replace("\\", "/"), Path(storage.path(path)))
    return found


class VersionedStorage(StaticFilesStorage):
    """What `{% static %}` asks for addresses."""

    def url(self, name: str | None) -> str:
        if name is None or settings.WHITENOISE_AUTOREFRESH:
            return super().url((name or "").replace(JOINED, ".js"))
        return super().url(f"{version()}/{name}")


@cache
def packed(name: str, coding: str = "gzip") -> bytes | None:
    """The file as it is sent in one of `CODINGS`; `None` for what is no text, or is not there.

    Raises `CannotJoin`.
    """
    text = _small(name)
    return None if text is None else CODINGS[coding](text.encode())


def _small(name: str) -> str | None:
    if name.endswith(JOINED):
        entry = name.removesuffix(JOINED) + ".js"
        return joined(entry, text_of) if entry in _found() else None
    path = _found().get(name)
    if path is None or path.suffix not in TYPES:
        return None
    shorten = SHORTER.get(path.suffix) if not name.startswith(OTHERS) else None
    return shorten(text_of(name)) if shorten else text_of(name)


def stripped_style(text: str) -> str:
    """A style sheet without comments, and without spaces where none is needed."""

    def shorter(found: re.Match[str]) -> str:
        if found["string"]:
            return found["string"]
        return found["sign"] or found["mark"] or (" " if found["space"] else "")

    return STYLE.sub(shorter, text).strip() + "\n"


SHORTER: Mapping[str, Callable[[str], str]] = {".js": stripped, ".css": stripped_style}


def text_of(name: str) -> str:
    return _found()[name].read_text()


# The smallest first: Brotli takes an eighth less than gzip.
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,
    "gzip": partial(gzip.compress, mtime=0),
    "identity": bytes,
}


def best_coding(accepted: str) -> str:
    """Of `CODINGS` the smallest that an `Accept-Encoding` allows."""
    wanted = {}
    for one in accepted.lower().split(","):
        name, *given = (part.strip() for part in one.split(";"))
        wanted[name] = not any(NONE_OF_IT.fullmatch(weight) for weight in given)
    return next((one for one in CODINGS if wanted.get(one)), "identity")


class StaticMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, and before it files by their version."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not self.autorefresh and path.startswith(self.static_prefix):
            found = VERSIONED.fullmatch(path, len(self.static_prefix))
            if found and request.method in ("GET", "HEAD"):
                return self._versioned(request, found[1], found[2])
        answer: HttpResponseBase = super().__call__(request)
        return answer

    def _versioned(self, request: HttpRequest, release: str, name: str) -> HttpResponseBase:
        coding = best_coding(request.headers.get("Accept-Encoding", ""))
        body = packed(name, coding)
        if body is None:
            request.path_info = f"{self.static_prefix}{name}"
            response: HttpResponseBase = super().__call__(request)
        else:
            response = _answer(name, body, coding)
        if response.status_code < 400:
            response["Cache-Control"] = FOREVER if release == version() else BRIEFLY
        return response


def _answer(name: str, body: bytes, coding: str) -> HttpResponse:
    response = HttpResponse(body, content_type=TYPES[Path(name).suffix])
    response["Content-Length"] = str(len(body))
    response["Vary"] = "Accept-Encoding"
    if coding != "identity":
        response["Content-Encoding"] = coding
    return response
