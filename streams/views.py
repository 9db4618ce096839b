"""The show's page: the room while it lasts, the replay afterwards; readable before any script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from core.accounts.access import AnyUser, is_signed_in
from core.clock import epoch_ms, iso_ms, now
from core.errors import NotAllowed, NotFound, SignInRequired
from media_pipeline.selectors import Playback
from media_pipeline.selectors import playback as playback_of
from media_pipeline.services.passages import removed_passages
from media_pipeline.storage import storage
from orders.selectors import bought_in_show, orders_under_way
from streams import access, replays, selectors
from streams.captions_api import player_tracks
from streams.models import Show, ShowState
from streams.services.chat import LONGEST_TEXT
from streams.studio.replay_desk import ready_s

TOLD_BY_SOCKET = {"chat", "answered", "recent_orders"}
"""Of a snapshot what the page's script need not have: the chat is in the page as text."""


def show(request: HttpRequest, show_id: UUID) -> HttpResponse:
    try:
        wanted = access.show_to_watch(request.user, show_id)
    except SignInRequired:
        return redirect_to_login(request.get_full_path())
    except NotAllowed as error:
        context = {"exception": error.message, "again": True}
        return render(request, "403.html", context, status=error.status)
    except NotFound as error:
        raise Http404(error.message) from error
    return render(request, "streams/show.html", _page(request, wanted))


def playback(request: HttpRequest, show_id: UUID) -> JsonResponse:
    """Where the show's video is now; asked again when the picture starts, or the replay is due."""
    try:
        wanted = access.show_to_watch(request.user, show_id)
    except (SignInRequired, NotFound) as error:
        raise Http404(error.message) from error
    except NotAllowed as error:  # a page that was open is told why it ends
        return JsonResponse({"code": error.code, "detail": error.message}, status=error.status)
    response = JsonResponse(_addresses(_found(request, wanted)))
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, wanted: Show) -> dict[str, Any]:
    found = _found(request, wanted)
    snapshot = msgspec.to_builtins(selectors.snapshot(wanted))
    is_replay = wanted.state == ShowState.ENDED and found is not None and found.state == "ready"
    entries = selectors.replay_entries(wanted) if is_replay else []
    moments = _moments(wanted, found, entries) if is_replay and found else {}
    login_url = f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}"
    data = {
        "show_id": str(wanted.public_id),
        "socket_path": f"/ws/shows/{wanted.public_id}/",
        "playback_url": reverse("show_playback", args=[wanted.public_id]),
        "login_url": login_url,
        "at_ms": epoch_ms(now()),
        "has_orders": _has_orders(request.user),
        "scheduled_at": iso_ms(wanted.scheduled_at),
        "snapshot": {name: of for name, of in snapshot.items() if name not in TOLD_BY_SOCKET},
        "bought": bought_in_show(request.user, wanted.public_id),
        "you": msgspec.to_builtins(selectors.you(request.user, wanted)),
        "playback": _addresses(found),
        "nothing_recorded": _nothing_recorded(wanted, found),
        "was_removed": _was_removed(wanted, found),
        "entries": msgspec.to_builtins(entries),
        "captions": player_tracks(wanted) if is_replay else [],
        **moments,
    }
    return {
        "show": wanted,
        "snapshot": snapshot,
        "chat_lines": [] if is_replay else snapshot["chat"],
        "is_replay": is_replay,
        "replay_ready_s": ready_s(wanted) if is_replay else None,
        "is_host": access.may_host(request.user, wanted),
        "nothing_recorded": data["nothing_recorded"],
        "was_removed": data["was_removed"],
        "poster_url": poster_url(wanted, found) or _first_picture(snapshot["offers"]),
        "login_url": login_url,
        "longest_text": LONGEST_TEXT,
        "page_data": data,
    }


def _has_orders(user: AnyUser) -> bool:
    """Whether there is something to be told to this person while they watch."""
    return is_signed_in(user) and orders_under_way(user.public_id).exists()


def _moments(
    wanted: Show, found: Playback, entries: Sequence[selectors.ReplayEntry]
) -> dict[str, Any]:
    """When which product was shown, and how much was sold when."""
    return {
        "chapters": msgspec.to_builtins(replays.chapters(entries, found.duration_s)),
        "sold": msgspec.to_builtins(replays.sold(wanted, found.clock)),
    }


def _found(request: HttpRequest, wanted: Show) -> Playback | None:
    """How to watch the show; nothing for viewers while an operator hides its replay."""
    sees_it = access.may_see_replay(request.user, wanted)
    return playback_of(wanted.public_id) if sees_it else None


def _addresses(found: Playback | None) -> dict[str, Any]:
    if found is None:
        nothing = dict.fromkeys(("live_url", "replay_url", "storyboard_url"))
        return {"state": "none", "duration_s": 0, **nothing}
    return {
        "state": found.state,
        "live_url": found.live_url,
        "replay_url": found.replay_url,
        "storyboard_url": found.storyboard_url,
        "duration_s": found.duration_s,
    }


def _nothing_recorded(wanted: Show, found: Playback | None) -> bool:
    return wanted.state == ShowState.ENDED and (found is None or found.state == "empty")


def _was_removed(wanted: Show, found: Playback | None) -> bool:
    """Whether there was a recording, of which its seller left nothing."""
    is_empty = found is not None and found.state == "empty"
    return is_empty and bool(removed_passages(wanted.public_id))


def _first_picture(offers: list[dict[str, Any]]) -> str | None:
    return next((offer["image_url"] for offer in offers if offer["image_url"]), None)


def poster_url(wanted: Show, found: Playback | None) -> str | None:
    """The seller's own picture, else one from the recording."""
    if wanted.poster_key:
        return storage().url(wanted.poster_key)
    return found.poster_url if found else None
