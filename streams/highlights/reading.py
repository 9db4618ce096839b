"""A show's rows as the finder's signals, and its answer in seconds of the recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from media_pipeline.clock import MediaClock
from media_pipeline.pauses import pauses_of
from media_pipeline.selectors import Playback, playback
from orders.models import OrderLine, OrderState
from streams.highlights.signals import Bought, Question, Shown, Signals, Stretch, Watching
from streams.highlights.topics import topic_of
from streams.models import Show, ViewersSample
from streams.protocol import ChatMessageEvent, OfferChangedEvent, ProductPinnedEvent
from streams.selectors import log_of

TAKEN_BACK = (OrderState.CANCELLED, OrderState.EXPIRED)
HOLE_S = 1.0
"""A shorter while between two takes is none in which anything could have happened."""
KINDS = (ChatMessageEvent.type, ProductPinnedEvent.type, OfferChangedEvent.type)


@dataclass(frozen=True, slots=True)
class Filmed:
    """A show with its recording: what the finder reads, and titles of what was sold, by variant."""

    signals: Signals
    titles: Mapping[str, str]
    began: datetime
    clock: MediaClock
    playback: Playback

    def media_s(self, at_s: float) -> float:
        """The recording's second for a second of the show, its end for any later."""
        found = self.clock.media_s(_after(self.began, at_s))
        return self.clock.duration_s if found is None else found


def filmed(show: Show) -> Filmed | None:
    """The show as far as it was filmed; `None` if nothing of it is left or it is not over."""
    found = playback(show.public_id)
    if found is None or found.state != "ready" or not found.clock.spans:
        return None
    began = found.clock.spans[0].wall_start
    titles = dict[str, str]()
    ended = _end(found.clock)
    signals = Signals(
        duration_s=_seconds(began, ended),
        orders=tuple(_orders(show, began, ended, titles)),
        viewers=tuple(_viewers(show, began)),
        away=tuple(_away(found.clock, began)),
        **_cuts(found, began),
        **_said_and_shown(show, began, ended, titles),
    )
    return Filmed(signals, titles, began, found.clock, found)


def _orders(
    show: Show, began: datetime, ended: datetime, titles: dict[str, str]
) -> Iterator[Bought]:
    """One for each order, with its first line's variant."""
    lines = OrderLine.objects.filter(order__show_id=show.public_id)
    lines = lines.exclude(order__state__in=TAKEN_BACK).order_by("order_id", "pk")
    fields = ("order_id", "order__placed_at", "variant__public_id", "title")
    last = None
    for order_id, placed_at, variant_id, title in lines.values_list(*fields):
        titles[str(variant_id)] = title
        if order_id != last and began <= placed_at <= ended:
            yield Bought(_seconds(began, placed_at), str(variant_id))
        last = order_id


def _viewers(show: Show, began: datetime) -> Iterator[Watching]:
    samples = ViewersSample.objects.filter(show=show).order_by("minute")
    for minute, viewers in samples.values_list("minute", "viewers"):
        yield Watching(_seconds(began, minute), viewers)


def _away(clock: MediaClock, began: datetime) -> Iterator[Stretch]:
    for before, after in pairwise(clock.spans):
        gone = Stretch(
            _seconds(began, before.wall_start) + before.wall_duration_s,
            _seconds(began, after.wall_start),
        )
        if gone.length_s > HOLE_S:
            yield gone


def _cuts(found: Playback, began: datetime) -> dict[str, Any]:
    """Pauses and scenes on the show's clock, as far as a job has listened to the recording."""
    heard = pauses_of(found.recording_id)
    if heard is None:
        return {}

    def at_s(media_s: float) -> float:
        wall = found.clock.wall(min(media_s, found.clock.duration_s))
        return _seconds(began, wall) if wall else 0.0

    return {
        "pauses": tuple(Stretch(at_s(start_s), at_s(end_s)) for start_s, end_s in heard.pauses),
        "scenes": tuple(map(at_s, heard.scenes)),
    }


def _said_and_shown(
    show: Show, began: datetime, ended: datetime, titles: dict[str, str]
) -> dict[str, Any]:
    """Chat, questions, pins and flash offers, out of the log in one go."""
    chat: list[float] = []
    questions: list[Question] = []
    pins: list[Shown] = []
    flashes: list[Shown] = []
    known: dict[str, dict[str, Any]] = {}
    rows = log_of(show).filter(type__in=KINDS, removed_at=None, at__range=(began, ended))
    for kind, at, data in rows.values_list("type", "at", "data").iterator():
        at_s = _seconds(began, at)
        if kind == ChatMessageEvent.type:
            if data["role"] == "viewer":
                chat.append(at_s)
                if data.get("question"):
                    questions.append(Question(at_s, topic_of(data["text"])))
            continue
        offer = data["offer"]
        shown = Shown(at_s, offer["variant_id"])
        titles.setdefault(shown.product, offer["title"])
        if kind == ProductPinnedEvent.type:
            pins.append(shown)
        elif _is_flash(known.get(offer["id"]), offer):
            flashes.append(shown)
        known[offer["id"]] = offer
    return {
        "chat": tuple(chat),
        "questions": tuple(questions),
        "pins": tuple(pins),
        "flashes": tuple(flashes),
    }


def _is_flash(before: Mapping[str, Any] | None, offer: Mapping[str, Any]) -> bool:
    """Cheaper than it was, or for a while or a number of pieces that it was not limited to."""
    if before is None:
        return bool(offer.get("closes_at_ms"))
    limits = ("closes_at_ms", "opens_at_ms", "quantity")
    is_new = any(offer.get(name) and offer.get(name) != before.get(name) for name in limits)
    return is_new or offer["price_minor"] < before["price_minor"]


def _end(clock: MediaClock) -> datetime:
    last = clock.spans[-1]
    return _after(last.wall_start, last.wall_duration_s)


def _seconds(began: datetime, at: datetime) -> float:
    return (at - began).total_seconds()


def _after(began: datetime, seconds: float) -> datetime:
    return began + timedelta(seconds=seconds)
