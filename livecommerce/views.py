"""The front door: what is live, what is coming, what can be watched again, what can be learnt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static

from core.clock import now
from courses.selectors import catalogue
from media_pipeline.models import Recording, RecordingState
from media_pipeline.selectors import playback
from orders.selectors import OfferView, offer_views
from sellers.models import Seller
from streams.models import Audience, Show, ShowState
from streams.views import poster_url

UPCOMING_SHOWN = 6
REPLAYS_SHOWN = 8
COURSES_SHOWN = 4
OFFERS_SHOWN = 3
# A show that is late by more than this has been forgotten rather than delayed.
LATE_BY = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class ShowCard:
    """A show as the front page shows it; `offers` are the first few."""

    show: Show
    poster_url: str | None
    offers: list[OfferView]

    @property
    def seller(self) -> Seller:
        return self.show.seller


def home(request: HttpRequest) -> HttpResponse:
    live = _cards(listed_shows().filter(state=ShowState.LIVE).order_by("-started_at"))
    context = {
        "live": live,
        "upcoming": _cards(_upcoming()[:UPCOMING_SHOWN]),
        "replays": _cards(_replays()[:REPLAYS_SHOWN]),
        "courses": catalogue(request.user)[:COURSES_SHOWN],
    }
    return render(request, "livecommerce/home.html", context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page that asks nothing of the request, which may have no user and no host that we know."""
    return HttpResponseBadRequest(render_to_string("400.html"))


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon that have read no page of ours, as beside a picture."""
    return redirect(static("livecommerce/logo.svg"))


def listed_shows() -> QuerySet[Show]:
    """Shows that strangers may find by themselves; a sandbox seller's are practice."""
    shows = Show.objects.filter(audience=Audience.PUBLIC, is_rehearsal=False, is_practice=False)
    shows = shows.filter(seller__is_sandbox=False)
    return shows.select_related("seller", "host")


def _upcoming() -> QuerySet[Show]:
    waiting = listed_shows().filter(state=ShowState.SCHEDULED, scheduled_at__gt=now() - LATE_BY)
    return waiting.order_by("scheduled_at")


def _replays() -> QuerySet[Show]:
    ready = Recording.objects.filter(state=RecordingState.READY).values("show_id")
    ended = listed_shows().filter(state=ShowState.ENDED, public_id__in=ready)
    ended = ended.exclude(stop__is_withheld=True)
    return ended.order_by("-ended_at")


def _cards(shows: Iterable[Show]) -> list[ShowCard]:
    return [_card(show) for show in shows]


def _card(show: Show) -> ShowCard:
    offers = offer_views(show.public_id)[:OFFERS_SHOWN]
    pictures = (offer.image_url for offer in offers if offer.image_url)
    poster = poster_url(show, playback(show.public_id))
    return ShowCard(show=show, poster_url=poster or next(pictures, None), offers=offers)
