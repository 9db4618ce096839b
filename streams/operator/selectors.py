"""What operators look at: shows on the air, first shows that wait, and what was stopped lately."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core.clock import now
from core.realtime import runtime
from media_pipeline.ingest import layout
from media_pipeline.live import low_shelf
from media_pipeline.models import Recording
from media_pipeline.selectors import playback
from media_pipeline.storage import storage
from orders.selectors import OfferView, offer_views
from streams.models import Show, ShowState, ViewersSample
from streams.services import approvals
from streams.views import poster_url

WAITING_SHOWN = 50
STOPS_SHOWN = 20
OFFERS_SHOWN = 8
SAMPLE_COUNTS_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class OnAir:
    """A live show and how many watch it."""

    show: Show
    poster_url: str | None
    viewers: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A first show that waits for a yes, or was refused, with what it is going to sell."""

    show: Show
    offers: list[OfferView]


def on_air() -> list[OnAir]:
    """The shows that are on, the latest to begin first."""
    shows = Show.objects.filter(is_rehearsal=False, is_practice=False)
    live = shows.filter(state=ShowState.LIVE).select_related("seller", "host")
    return [_on_air(show) for show in live.order_by("-started_at")]


def _on_air(show: Show) -> OnAir:
    poster = _still_url(show) or poster_url(show, playback(show.public_id))
    pictures = (offer.image_url for offer in offer_views(show.public_id) if offer.image_url)
    return OnAir(show, poster or next(pictures, None), _viewers(show))


def _still_url(show: Show) -> str | None:
    """The picture of a moment ago, under another address each time, so that no cache answers."""
    recording = Recording.objects.filter(show_id=show.public_id).first()
    if recording is None:
        return None
    folder = layout.recording_key(recording.public_id, is_public=recording.is_public)
    still = f"{folder}/{low_shelf.FOLDER}/{low_shelf.STILL}"
    is_there = storage().size(still) is not None
    return f"{storage().url(still)}?at={now():%H%M%S}" if is_there else None


def _viewers(show: Show) -> int:
    """As this process counts them; where nobody of the room is here, the last that was noted."""
    counted = _counted_here(show.topic)
    recent = ViewersSample.objects.filter(show=show, minute__gt=now() - SAMPLE_COUNTS_FOR)
    noted = recent.order_by("-minute").values_list("viewers", flat=True).first()
    return counted or noted or 0


def _counted_here(topic: str) -> int:
    try:
        return runtime.current().hub.now(topic).get("viewers", 0)
    except runtime.NotRunning:
        return 0


def waiting() -> list[Candidate]:
    return _candidates(approvals.waiting()[:WAITING_SHOWN])


def refused() -> list[Candidate]:
    return _candidates(approvals.refused()[:WAITING_SHOWN])


def _candidates(shows: Iterable[Show]) -> list[Candidate]:
    return [Candidate(show, _some(show.public_id)) for show in shows]


def _some(show_id: UUID) -> list[OfferView]:
    return offer_views(show_id)[:OFFERS_SHOWN]
