"""What travels with a clip: the products that were shown and what was written, without names.

Read from the show's log each time, so that what a moderator takes away later is gone here, too.
Times are the clip's own; what is cut out of it has no place in it, and nothing goes across a cut.
Viewers are numbered in each clip anew: the same person is "Viewer 2" in one and "Viewer 5" in
another, and nobody can be followed from clip to clip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.clock import iso_ms
from core.money import format_money
from core.realtime.models import LogEntry
from media_pipeline.clip_cards import CardText
from media_pipeline.clip_wishes import Wish, wish_of
from media_pipeline.clock import MediaClock
from media_pipeline.models import Asset
from media_pipeline.selectors import playback
from streams.clips.access import show_of
from streams.models import Show
from streams.protocol import ChatMessageEvent, ProductPinnedEvent, ProductUnpinnedEvent
from streams.replays import Chapter, chapters
from streams.restored import without_removed
from streams.selectors import ReplayEntry, log_of

PINS = (ProductPinnedEvent.type, ProductUnpinnedEvent.type)
MOST_LINES = 500
SHOWN_FOR_S = 6.0
# A card that flashes by is read by nobody.
SHORTEST_CARD_S, TITLE_S, MOST_CARDS = 1.0, 4.0, 12
TOUCH_S = 0.001
# A name of one letter would be found in half of what people write.
SHORTEST_NAME = 2
_WORD = r"[^\W\u2e80-\u9fff\uac00-\ud7af]"


class Cue(msgspec.Struct, frozen=True):
    """From `start_s` to `end_s` of the clip: a line of chat by `who`, or a product at a price."""

    kind: Literal["chat", "product"]
    start_s: float
    end_s: float
    text: str
    who: str = ""
    price: str = ""


def cues(clip: Asset) -> list[Cue]:
    """What was shown and written in the clip's parts, in the order of its own time."""
    show, wish = show_of(clip), wish_of(clip)
    found = playback(clip.recording.show_id)
    if show is None or found is None:
        return []
    products = _products(_pins(show, found.clock), wish, found.duration_s)
    lines = _lines(show, found.clock, wish)
    return sorted([*products, *lines], key=lambda cue: (cue.start_s, cue.kind))


def cards(clip: Asset) -> list[CardText]:
    """What is written into the picture of a copy: the title first, then each product."""
    title = CardText("title", 0.0, min(TITLE_S, clip.duration_s), clip.title)
    shown = [cue for cue in cues(clip) if cue.kind == "product"][: MOST_CARDS - 1]
    products = (CardText("product", one.start_s, one.end_s, one.text, one.price) for one in shown)
    return [title, *products]


def _products(pins: Iterable[ReplayEntry], wish: Wish, duration_s: float) -> list[Cue]:
    pieces = [
        Cue("product", piece.start_s, piece.end_s, one.title, price=_price(one))
        for one in chapters(pins, duration_s)
        for piece in wish.pieces(one.start_s, one.end_s)
    ]
    united = _united(sorted(pieces, key=lambda cue: cue.start_s))
    return [cue for cue in united if cue.end_s - cue.start_s >= SHORTEST_CARD_S]


def _united(pieces: Iterable[Cue]) -> Iterator[Cue]:
    """The same product on both sides of a cut stays where it is, without a blink."""
    at: Cue | None = None
    for piece in pieces:
        if (
            at
            and (at.text, at.price) == (piece.text, piece.price)
            and piece.start_s < at.end_s + TOUCH_S
        ):
            at = msgspec.structs.replace(at, end_s=piece.end_s)
            continue
        if at:
            yield at
        at = piece
    if at:
        yield at


def _price(one: Chapter) -> str:
    """As it was said in the show, since that is what is heard."""
    return format_money(one.price_minor, one.currency)


def _pins(show: Show, clock: MediaClock) -> list[ReplayEntry]:
    rows = log_of(show).filter(type__in=PINS)
    return [
        ReplayEntry(row.seq, row.fact_id, iso_ms(row.at), row.type, row.data, clock.media_s(row.at))
        for row in without_removed(show, rows)
    ]


def _lines(show: Show, clock: MediaClock, wish: Wish) -> list[Cue]:
    chat = log_of(show).filter(type=ChatMessageEvent.type)
    rows = list(_within(chat, clock, wish))
    names = Names(show, rows, wish, clock)
    ends = [*wish.joins(), wish.duration_s]
    found: list[Cue] = []
    for row in without_removed(show, rows):
        if (at_s := _place(row, clock, wish)) is not None:
            cut_s = next(end for end in ends if end > at_s)
            found.append(
                Cue(
                    kind="chat",
                    start_s=round(at_s, 3),
                    end_s=round(min(at_s + SHOWN_FOR_S, cut_s), 3),
                    text=names.without_names(str(row.data.get("text", ""))),
                    who=names.of(row),
                )
            )
    return found[:MOST_LINES]


def _within(chat: QuerySet[LogEntry], clock: MediaClock, wish: Wish) -> Iterator[LogEntry]:
    """The lines of the clip's parts, with what was taken away: numbers must not depend on that."""
    for part in wish.parts:
        began, ended = clock.wall(part.start_s), clock.wall(part.end_s)
        if began and ended:
            yield from chat.filter(at__gte=began, at__lte=ended)


def _place(row: LogEntry, clock: MediaClock, wish: Wish) -> float | None:
    at_s = clock.media_s(row.at)
    return None if at_s is None else wish.place(at_s)


class Names:
    """What people are called in a clip, and their names taken out of what others wrote."""

    def __init__(self, show: Show, rows: Iterable[LogEntry], wish: Wish, clock: MediaClock) -> None:
        placed = [(at_s, row) for row in rows if (at_s := _place(row, clock, wish)) is not None]
        self._numbers: dict[str, int] = {}
        for _at_s, row in sorted(placed, key=lambda one: (one[0], one[1].seq)):
            if row.data.get("role") == "viewer":
                self._numbers.setdefault(str(row.data.get("user_id")), len(self._numbers) + 1)
        self._called = {_folded(name): self._viewer(user) for user, name in _chatters(show)}
        self._pattern = _any_of(self._called)

    def of(self, row: LogEntry) -> str:
        if row.data.get("role") == "host":
            return _("Host")
        if row.data.get("role") == "moderator":
            return _("Moderator")
        return self._viewer(str(row.data.get("user_id")))

    def without_names(self, text: str) -> str:
        if self._pattern is None:
            return text
        somebody = _("a viewer")
        return self._pattern.sub(lambda m: self._called.get(_folded(m[1]), somebody), text)

    def _viewer(self, user_id: str) -> str:
        number = self._numbers.get(user_id)
        return _("Viewer %(number)d") % {"number": number} if number else _("a viewer")


def _chatters(show: Show) -> list[tuple[str, str]]:
    """Every viewer who wrote in the show, as (id, name)."""
    chat = LogEntry.objects.filter(topic=show.topic, type=ChatMessageEvent.type)
    named = chat.filter(data__role="viewer").order_by().values_list("data__user_id", "data__name")
    found = sorted({(str(user), str(name)) for user, name in named.distinct()})
    return [(user, name) for user, name in found if len(name) >= SHORTEST_NAME]


def _folded(name: str) -> str:
    return name.casefold()


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Whole words, the longest first; Chinese has no spaces to tell words by."""
    longest = sorted(names, key=lambda name: (-len(name), name))
    if not longest:
        return None
    choices = "|".join(re.escape(name) for name in longest)
    return re.compile(f"(?<!{_WORD})@?({choices})(?!{_WORD})", re.IGNORECASE)
