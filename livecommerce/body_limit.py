"""Requests with too large a body are refused before anything keeps or reads it.

Django reads a body to its end, to disk, before any of its middleware is asked: so this stands
before Django. What is taken is measured again, each by its own limit, where it is used.
"""

from __future__ import annotations

import io
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from core.api import problem
from core.asgi import Application, Message, Receive, Send, respond

MEGABYTE = 1024**2
LARGEST_BODY = 40 * MEGABYTE
"""Four photos of 8 MB and their form; as `client_max_body_size` in deploy/nginx.conf."""


class TooBig(Exception):
    """More came than is taken, or than was announced."""


def limited(application: Application, most: int = LARGEST_BODY) -> Application:
    """The application, which is asked for no request whose body is longer than `most` bytes."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if _announced(scope) > most:
            await _refuse(scope, send, most)
            return
        try:
            await application(scope, _counted(receive, most), send)
        except TooBig:
            await _refuse(scope, send, most)

    return answer


def _counted(receive: Receive, most: int) -> Receive:
    """`receive` for who announced nothing; raises `TooBig` from the piece on that is too much."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooBig
        return message

    return counted


def _announced(scope: dict[str, Any]) -> int:
    """The length of the body as its head says it; 0: it does not."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said) if said.isdigit() else 0


async def _refuse(scope: dict[str, Any], send: Send, most: int) -> None:
    # The rest of the body is not read: another request cannot follow it.
    await respond(send, _refusal(scope, most), Connection="close")


def _refusal(scope: dict[str, Any], most: int) -> HttpResponse:
    """A problem for programs, a page for people; in their language, as Django would find it."""
    if not scope["path"].startswith("/api/"):
        page = render_to_string("413.html", {"most": most // MEGABYTE})
        return HttpResponse(page, status=413)
    language = translation.get_language_from_request(ASGIRequest(scope, io.BytesIO()))
    with translation.override(language):
        words = _("That is too large: please send at most %(most)d MB at once.")
        return problem(413, "too_big", words % {"most": most // MEGABYTE})
