"""The page on which sellers bring films from their gallery."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from core.accounts.access import signed_in
from core.ids import parse_id
from core.pages import page
from media_pipeline.services import uploads
from streams.studio import access


@require_GET
@page
@ensure_csrf_cookie
def films(request: HttpRequest) -> HttpResponse:
    user = signed_in(request.user)
    seller = access.seller_to_schedule_for(user, parse_id(request.GET.get("seller", "")))
    context = {
        "seller": seller,
        "sellers": access.schedulable_sellers(user),
        "uploads": uploads.shown_to([seller]),
        "kinds": ",".join(f".{kind}" for kind in uploads.KINDS),
        "largest_gb": settings.LARGEST_UPLOAD_GB,
        "quota_gb": settings.SELLER_QUOTA_GB,
        "taken": uploads.taken(seller),
    }
    return render(request, "studio/films.html", context)
