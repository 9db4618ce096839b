"""The page of what is kept on a phone, and the script that shows it without a network."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from core.accounts.access import is_signed_in, signed_in
from courses.offline.worker import worker


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "offline/offline.html", {"may_keep": settings.OFFLINE})


@require_GET
def feed(request: HttpRequest) -> HttpResponse:
    """What the worker shows at `/learn/` without a network; the phone puts its lessons in."""
    if not settings.OFFLINE:
        return redirect("learn")
    person = str(signed_in(request.user).public_id) if is_signed_in(request.user) else ""
    return render(request, "offline/feed.html", {"data": {"person": person, "items": []}})


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it anew at each visit; another text is another version."""
    response = HttpResponse(worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    return response
