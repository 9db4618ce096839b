"""The texts of scripts in the language of a page: `/jsi18n/?language=zh-hans&for=streams/room`.

With `for` they are those alone that this page's script and the ones of every page have: a fifth.
By an address that says language and version they are kept as the scripts are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.views.i18n import JavaScriptCatalog

from core.scripts.join import CannotJoin, joined, later
from core.scripts.strip import stripped
from livecommerce.statics import serving

ON_EVERY_PAGE = tuple(f"livecommerce/{one}.js" for one in ("local-times", "once", "keep-typed"))
# Between a text and what it is about, as gettext has it.
CONTEXT = "\x04"


def address(language: str, script: str = "") -> str:
    """Where the page's script tag finds the texts; `script` is named as for `{% static %}`."""
    asked = {"language": language}
    if not settings.WHITENOISE_AUTOREFRESH:
        asked |= {"for": script.removesuffix(serving.JOINED)} if script else {}
        asked |= {"v": version()}
    return f"{reverse('jsi18n')}?{urlencode(asked)}"


@cache
def version() -> str:
    """Of all scripts and their translations."""
    digest = hashlib.sha256(serving.version().encode())
    for folder in settings.LOCALE_PATHS:
        for path in sorted(Path(folder).rglob("djangojs.mo")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def texts(request: HttpRequest) -> HttpResponseBase:
    """The catalogue in the language that is asked for, or in that of the request."""
    asked = request.GET.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else translation.get_language()
    with translation.override(language):
        response = Catalogue.as_view(packages=["livecommerce"])(request)
    if asked == language and request.GET.get("v") == version():
        response["Cache-Control"] = serving.FOREVER
    return response


class Catalogue(JavaScriptCatalog):
    """Django's, of the texts of one script."""

    def get_catalog(self) -> dict[str, Any]:
        whole: dict[str, Any] = super().get_catalog()
        return whole

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if script := self.request.GET.get("for"):
            context["catalog"] = _used(context["catalog"], script)
        response: HttpResponse = super().render_to_response(context, **kwargs)
        response.content = stripped(response.content.decode()).encode()
        return response


def _used(catalogue: Mapping[str, Any], script: str) -> dict[str, Any]:
    said = _said(f"{script}.js")
    return {key: text for key, text in catalogue.items() if _written(key) in said}


def _written(key: str) -> str:
    """A text as it stands in a script, without its context."""
    return json.dumps(key.rpartition(CONTEXT)[2], ensure_ascii=False)[1:-1]


@cache
def _said(script: str) -> str:
    """All that is said by this script, by what it fetches later, and on every page."""
    found: dict[str, str] = {}
    wanted = [script, *ON_EVERY_PAGE]
    try:
        while wanted:
            name = wanted.pop()
            found[name] = joined(name, serving.text_of)
            wanted += set(later(name, found[name])) - found.keys()
    except (CannotJoin, KeyError):  # an address that no page of ours has
        return ""
    return "\n".join(found.values())
