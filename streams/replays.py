"""The replay as a shop: when which product was shown, and how much was sold at each moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from media_pipeline.clock import MediaClock
from orders.selectors import sold_in_show
from streams.models import Show
from streams.protocol import ProductPinnedEvent, ProductUnpinnedEvent
from streams.selectors import ReplayEntry

# What was shown more briefly was a slip of the finger, or is in a passage that was taken out.
SHORTEST_S = 0.5


class Chapter(msgspec.Struct, frozen=True):
    """A stretch of the recording in which one product was shown, at the price of that moment."""

    start_s: float
    end_s: float
    offer_id: UUID
    title: str
    price_minor: int
    currency: str
    image_url: str | None


class Sold(msgspec.Struct, frozen=True):
    """So many pieces were ordered at this second; by whom is nobody's business."""

    media_s: float
    quantity: int


def chapters(entries: Iterable[ReplayEntry], duration_s: float) -> list[Chapter]:
    """The pins of a show as chapters, in their order.

    What was pinned before the first picture is shown from second 0. Pinning the same product
    again goes on with its chapter.
    """
    found: list[Chapter] = []
    shown: Chapter | None = None
    for at_s, offer in _pins(entries):
        if shown and offer and shown.offer_id == offer.offer_id:
            continue
        if shown:
            found.append(msgspec.structs.replace(shown, end_s=at_s))
        shown = msgspec.structs.replace(offer, start_s=at_s) if offer else None
    if shown:
        found.append(msgspec.structs.replace(shown, end_s=duration_s))
    return [one for one in found if one.end_s - one.start_s >= SHORTEST_S]


def _pins(entries: Iterable[ReplayEntry]) -> list[tuple[float, Chapter | None]]:
    """Each change of what is shown, with its second."""
    changes: list[tuple[float, Chapter | None]] = []
    before, filmed = list[ReplayEntry](), False
    for entry in entries:
        filmed = filmed or entry.media_s is not None
        if entry.type not in {ProductPinnedEvent.type, ProductUnpinnedEvent.type}:
            continue
        if entry.media_s is not None:
            changes.append((entry.media_s, _chapter(entry)))
        elif not filmed:
            before.append(entry)
    return [(0.0, _chapter(before[-1])), *changes] if before else changes


def _chapter(entry: ReplayEntry) -> Chapter | None:
    if entry.type == ProductUnpinnedEvent.type:
        return None
    return msgspec.convert({"start_s": 0, "end_s": 0, **_offer(entry)}, Chapter)


def _offer(entry: ReplayEntry) -> dict[str, object]:
    offer = entry.data["offer"]
    assert isinstance(offer, dict)  # noqa: S101 - so says the event's type
    fields = ("title", "price_minor", "currency", "image_url")
    return {"offer_id": offer["id"], **{name: offer.get(name) for name in fields}}


def sold(show: Show, clock: MediaClock) -> list[Sold]:
    """What was ordered while the show was filmed, without what was cancelled."""
    moments = ((clock.media_s(at), count) for at, count in sold_in_show(show.public_id))
    return [Sold(at_s, count) for at_s, count in moments if at_s is not None]


def chapters_vtt(found: Sequence[Chapter]) -> str:
    """The chapters as WebVTT, for the video's `<track kind="chapters">`."""
    cues = (
        f"{number}\n{_time(one.start_s)} --> {_time(one.end_s)}\n{_text(one.title)}\n"
        for number, one in enumerate(found, start=1)
    )
    return "\n".join(["WEBVTT\n", *cues])


def _time(seconds: float) -> str:
    whole_ms = round(seconds * 1000)
    minutes, ms = divmod(whole_ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def _text(title: str) -> str:
    """One line of a cue: `-->` and markup in a title stay text (WebVTT, 4.2.2)."""
    line = " ".join(title.split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
