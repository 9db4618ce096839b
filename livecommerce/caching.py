"""What is made for one person is kept by no cache that others share.

Browsers ask again for it, too: on a phone that goes from hand to hand, "back" shall not show whose
orders were read before. Views that say themselves what holds for them are left alone.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

# Names, addresses, money and keys: not even on the disk of the browser.
KEPT_NOWHERE = ("/me/", "/orders/", "/studio/orders/", "/operator/", "/api/", "/accounts/")


class PrivatePages:
    """Says so of every answer to somebody who is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response and _is_known(request):
            is_open = not request.path_info.startswith(KEPT_NOWHERE)
            response["Cache-Control"] = "private, no-cache" if is_open else "private, no-store"
        return response


def _is_known(request: HttpRequest) -> bool:
    """By a token, or by a session that was looked at: one that was not has changed nothing."""
    if "Authorization" in request.headers:
        return True
    try:
        return request.session.accessed and SESSION_KEY in request.session
    except DatabaseError:  # nobody can look now: it may be somebody's
        return True
