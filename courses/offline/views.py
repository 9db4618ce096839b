"""The page of what is kept on a phone, and the script that shows it without a network."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from courses.offline.worker import worker


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "offline/offline.html", {"may_keep": settings.OFFLINE})


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it anew at each visit; another text is another version."""
    response = HttpResponse(worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    return response
