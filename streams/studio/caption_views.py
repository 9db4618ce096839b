"""The page on which a replay's captions are written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from core.pages import page
from media_pipeline.captions import formats, tracks
from streams.access import show_to_host
from streams.captions_api import tracks_out
from streams.studio import selectors

# What is spoken where such shows are made, and by those who watch them.
LANGUAGES = ("zh", "en", "bo", "ug", "mn", "ii", "yue", "vi", "id", "th", "ms", "fr", "es", "ar")


@require_GET
@page
@ensure_csrf_cookie
def captions(request: HttpRequest, show_id: UUID) -> HttpResponse:
    show = show_to_host(request.user, show_id)
    replay = selectors.replay_data(show.public_id)
    if replay["state"] != "ready" or show.is_rehearsal:
        return redirect("studio_show", show.public_id)
    data: dict[str, Any] = {
        "show_id": str(show.public_id),
        "captions_url": reverse("api:list_tracks", args=[show.public_id]),
        "playback_url": reverse("show_playback", args=[show.public_id]),
        "replay": replay,
        "longest_text": formats.LONGEST_TEXT,
        "most_cues": formats.MOST_CUES,
    }
    found = tracks_out(show)
    context = {
        "show": show,
        "data": data,
        "replay": replay,
        "speech_problem": found["speech_problem"],
        "languages": [(code, tracks.language_name(code)) for code in LANGUAGES],
        "own_language": (get_language() or "en").split("-")[0],
        "most_mb": formats.LARGEST_BYTES // 2**20,
    }
    return render(request, "studio/captions.html", context)
