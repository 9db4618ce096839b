"""What stays with a clip that came from a show: whose it was, what was sold, and how well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Conflict
from core.text import clean_line
from courses.models import ClipSource
from media_pipeline.clip_wishes import Wish, wish_of
from media_pipeline.clock import MediaClock
from media_pipeline.models import Asset
from media_pipeline.selectors import playback
from orders.models import OrderLine
from streams.clips.access import show_of
from streams.clips.cues import cues
from streams.highlights.find import highlights
from streams.highlights.reading import TAKEN_BACK, Filmed, filmed
from streams.highlights.signals import Evidence, Highlight
from streams.highlights.words import reasons
from streams.models import Show

LOT_LENGTH = 80
# Buyers need a while to answer: an order so soon after a part still belongs to it.
ANSWERS_S = 30.0
# Of the shorter of the two: a clip that shares less with a proposal is about something else.
SHARED = 0.5


@dataclass(slots=True)
class Sold:
    """What was ordered while a clip's parts were shown, and of what the most."""

    orders: set[int] = field(default_factory=set)
    pieces: int = 0
    minor: int = 0
    by_product: Counter[tuple[UUID, str]] = field(default_factory=Counter)

    @property
    def product(self) -> tuple[UUID | None, str]:
        found = self.by_product.most_common(1)
        return found[0][0] if found else (None, "")


class ShowSales:
    """The sales of one show, read once for all clips that are made of it."""

    def __init__(self, show: Show) -> None:
        self.show = show
        found = playback(show.public_id)
        self._clock = found.clock if found else None
        self._filmed = filmed(show)
        self._best = highlights(self._filmed.signals) if self._filmed else []

    def keep(self, clip: Asset, *, lot: str = "") -> ClipSource:
        """Count what was sold in the clip and keep it; what was kept before stays as it was."""
        known = ClipSource.objects.filter(asset=clip).first()
        if known is not None:
            return known if not lot else _with_lot(known, lot)
        wish = wish_of(clip)
        sold = _sold(self.show, self._clock, wish) if self._clock else Sold()
        variant_id, product = sold.product
        found = {
            "show_id": self.show.public_id,
            "show_title": self.show.title,
            "held_at": self.show.started_at,
            "seller_name": self.show.seller.name,
            "place": self.show.seller.place,
            "variant_id": variant_id,
            "product": product or _shown_product(clip),
            "lot": checked_lot(lot),
            "orders": len(sold.orders),
            "pieces": sold.pieces,
            "sold_minor": sold.minor,
            "currency": self.show.seller.currency,
            "evidence": self._evidence(wish),
        }
        # Two courses may take the clip at the same moment.
        source, _made = ClipSource.objects.get_or_create(asset=clip, defaults=found)
        return source

    def _evidence(self, wish: Wish) -> dict[str, object]:
        """The counts of the proposal that the clip was made of, if it was made of one."""
        if self._filmed is None:
            return {}
        shares = {_shared(one, self._filmed, wish): one for one in self._best}
        most = max(shares, default=0.0)
        return msgspec.to_builtins(shares[most].evidence) if most >= SHARED else {}


def keep_source(clip: Asset) -> ClipSource | None:
    """As `ShowSales.keep`, of one clip; `None` for one whose show is gone."""
    known = ClipSource.objects.filter(asset=clip).first()
    if known is not None:
        return known
    show = show_of(clip)
    return ShowSales(show).keep(clip) if show else None


def reasons_of(source: ClipSource) -> list[str]:
    """Why it is worth a lesson, in words of the reader's language."""
    if source.evidence:
        return reasons(msgspec.convert(source.evidence, Evidence))
    if not source.orders:
        return []
    text = ngettext(
        "%(count)d order while it was shown", "%(count)d orders while it was shown", source.orders
    )
    return [text % {"count": source.orders}]


def set_lot(clip: Asset, lot: str) -> None:
    """Which harvest or batch was shown. `Conflict` for a clip of no show."""
    source = keep_source(clip)
    if source is None:
        raise Conflict(_("The show of this clip is gone."))
    source.lot = checked_lot(lot)
    source.save(update_fields=["lot"])


def checked_lot(lot: str) -> str:
    return clean_line(lot, "lot", longest=LOT_LENGTH, shortest=0)


def _with_lot(known: ClipSource, lot: str) -> ClipSource:
    known.lot = checked_lot(lot)
    known.save(update_fields=["lot"])
    return known


def _sold(show: Show, clock: MediaClock, wish: Wish) -> Sold:
    sold = Sold()
    for line in _lines(show):
        at_s = clock.media_s(line.order.placed_at)
        if at_s is None or not _answers(wish, at_s):
            continue
        sold.orders.add(line.order_id)
        sold.pieces += line.quantity
        sold.minor += line.quantity * line.price_minor
        sold.by_product[(line.variant.public_id, line.title)] += 1
    return sold


def _lines(show: Show) -> Iterator[OrderLine]:
    lines = OrderLine.objects.filter(order__show_id=show.public_id)
    kept = lines.exclude(order__state__in=TAKEN_BACK)
    return kept.select_related("order", "variant").order_by("pk").iterator()


def _answers(wish: Wish, at_s: float) -> bool:
    return any(part.start_s <= at_s < part.end_s + ANSWERS_S for part in wish.parts)


def _shared(one: Highlight, found: Filmed, wish: Wish) -> float:
    start_s, end_s = found.media_s(one.start_s), found.media_s(one.end_s)
    common = sum(piece.duration_s for piece in wish.pieces(start_s, end_s))
    return common / max(min(end_s - start_s, wish.duration_s), 0.001)


def _shown_product(clip: Asset) -> str:
    """Where nobody bought anything: what was shown first."""
    return next((one.text for one in cues(clip) if one.kind == "product"), "")
