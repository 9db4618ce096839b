"""What the studio reads: a seller's shows, the console's state, the clips of a show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import iso_ms
from core.realtime.frames import Event, event_of
from core.realtime.log import Entry, Position
from core.realtime.log_store import entry_of
from core.realtime.models import LogEntry
from media_pipeline.models import Asset, AssetKind, Recording, Take
from media_pipeline.selectors import playback
from orders.events import LineSold
from orders.models import Delivery, Order, OrderState
from orders.selectors import OfferView, offer_views, orders_of_seller
from orders.shows import ShowName
from sellers.models import Seller, Stock
from streams.access import bans_of, mutes_of
from streams.models import Ban, Mute, Show, ShowState
from streams.services import approvals
from streams.studio.access import shows_of
from streams.studio.figures import figures
from streams.studio.protocol import (
    HeldViewer,
    RenditionsChanged,
    ReviewView,
    StudioLine,
    StudioOrder,
    StudioSnapshot,
)
from streams.studio.topics import studio_topic

ENDED_SHOWN = 30
ORDERS_SHOWN = 100
MODERATION_SHOWN = 100
MODERATION_DONE = "moderation.done"
H = TypeVar("H", Mute, Ban)


@dataclass(frozen=True, slots=True)
class ShowCard:
    """A show in the studio's list, and how many clips were cut from it."""

    show: Show
    clip_count: int


@dataclass(frozen=True, slots=True)
class ShowGroup:
    """The shows in one state, as the studio lists them."""

    state: ShowState
    title: str
    cards: list[ShowCard]


@dataclass(frozen=True, slots=True)
class StockSummary:
    """Variants on sale, pieces that can be sold, and variants of which there are none."""

    variants: int
    available: int
    sold_out: int


@dataclass(frozen=True, slots=True)
class TakeView:
    """The latest take: `bytes_received` and seconds that are safely stored."""

    id: UUID
    state: str
    duration_s: float
    bytes_received: int
    error: str


@dataclass(frozen=True, slots=True)
class RecordingView:
    id: UUID
    state: str
    duration_s: float
    edition: int
    take: TakeView | None


@dataclass(frozen=True, slots=True)
class LineView:
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its seller's people see it: with the buyer's whole name."""

    id: UUID
    number: str
    state: str
    state_text: str
    buyer: str
    lines: list[LineView]
    total_minor: int
    currency: str
    delivery_text: str
    note: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """All that a console shows and the room's snapshot does not tell."""

    state: str
    started_at: datetime | None
    interrupted: bool
    pinned_offer_id: UUID | None
    offers: list[OfferView]
    orders: list[OrderView]
    waiting_orders: int
    recording: RecordingView | None


def show_names(show_ids: Collection[UUID]) -> dict[UUID, ShowName]:
    """What pages of orders call these shows."""
    shows = Show.objects.filter(public_id__in=show_ids)
    return {
        show.public_id: ShowName(show.title, show.started_at or show.scheduled_at)
        for show in shows.only("public_id", "title", "started_at", "scheduled_at")
    }


def show_groups(user: User) -> list[ShowGroup]:
    """The user's shows: live first, then the next ones, then the latest that ended."""
    shows = shows_of(user).select_related("seller", "host", "stop")
    live = shows.filter(state=ShowState.LIVE).order_by("-started_at")
    coming = shows.filter(state=ShowState.SCHEDULED).order_by("scheduled_at")
    ended = shows.filter(state=ShowState.ENDED).order_by("-ended_at")[:ENDED_SHOWN]
    return [
        ShowGroup(ShowState.LIVE, _("Live now"), _cards(live)),
        ShowGroup(ShowState.SCHEDULED, _("Coming up"), _cards(coming)),
        ShowGroup(ShowState.ENDED, _("Ended"), _cards(ended)),
    ]


def _cards(shows: Iterable[Show]) -> list[ShowCard]:
    found = list(shows)
    clips = Asset.objects.filter(
        kind=AssetKind.CLIP, recording__show_id__in=[show.public_id for show in found]
    )
    counts = Counter(clips.values_list("recording__show_id", flat=True))
    return [ShowCard(show, counts[show.public_id]) for show in found]


def stock_summary(sellers: Iterable[Seller]) -> StockSummary:
    """What the sellers have left to sell, added up."""
    stock = Stock.objects.filter(variant__product__seller__in=sellers, variant__is_active=True)
    sums = stock.aggregate(
        variants=Count("pk"),
        available=Sum(F("on_hand") - F("reserved"), default=0),
        sold_out=Count("pk", filter=Q(on_hand=F("reserved"))),
    )
    return StockSummary(**sums)


def console(show: Show) -> ConsoleView:
    """The show's state, stock and orders, as of now."""
    orders = orders_of_seller(show.seller).filter(show_id=show.public_id)
    pinned = show.pinned_offer
    return ConsoleView(
        state=show.state,
        started_at=show.started_at,
        interrupted=show.interrupted_at is not None,
        pinned_offer_id=pinned.public_id if pinned else None,
        offers=offer_views(show.public_id),
        orders=[order_view(order) for order in orders[:ORDERS_SHOWN]],
        waiting_orders=orders.filter(state=OrderState.PLACED).count(),
        recording=recording_view(show.public_id),
    )


def order_view(order: Order) -> OrderView:
    return OrderView(
        id=order.public_id,
        number=order.number,
        state=order.state,
        state_text=str(OrderState(order.state).label),
        buyer=order.buyer.shown_name,
        lines=[LineView(line.title, line.quantity) for line in order.lines.all()],
        total_minor=order.total_minor,
        currency=order.currency,
        delivery_text=_delivery_text(order),
        note=order.note,
        placed_at=order.placed_at,
    )


def studio_orders(**chosen: object) -> list[StudioOrder]:
    """The orders that are `chosen` by a filter of `Order`, the newest first, in full."""
    return [
        studio_order(order) for order in _in_full(Order.objects.filter(**chosen))[:ORDERS_SHOWN]
    ]


# What `studio_order` reads: in a rush this is asked for with every order.
_IN_FULL = (
    "public_id",
    "number",
    "state",
    "total_minor",
    "currency",
    "delivery",
    "note",
    "placed_at",
    "buyer__username",
    "buyer__display_name",
    "pickup_point__name",
)


def studio_orders_of(lines: Mapping[UUID, Sequence[LineSold]]) -> dict[UUID, StudioOrder]:
    """The orders with these ids and lines, however many, in full."""
    orders = Order.objects.filter(public_id__in=lines).select_related("buyer", "pickup_point")
    orders = orders.only(*_IN_FULL)
    return {order.public_id: studio_order(order, lines[order.public_id]) for order in orders}


def _in_full(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.select_related("buyer", "pickup_point").prefetch_related("lines")


def studio_order(order: Order, lines: Sequence[LineSold] | None = None) -> StudioOrder:
    """In full, with the lines that are known, or else read."""
    return StudioOrder(
        id=order.public_id,
        number=order.number,
        state=order.state,
        buyer=order.buyer.shown_name,
        lines=[
            StudioLine(line.title, line.quantity)
            for line in (order.lines.all() if lines is None else lines)
        ],
        total_minor=order.total_minor,
        currency=order.currency,
        delivery=order.delivery,  # type: ignore[arg-type] # the model's choices are the same two
        place=order.pickup_point.name if order.pickup_point else "",
        note=order.note,
        placed_at=iso_ms(order.placed_at),
    )


def studio_snapshot(show: Show, upto: Position, recent: Sequence[Entry]) -> StudioSnapshot:
    """What a console begins from, with the studio's log up to a position.

    `recent` is the end of that log, which the database may not have yet.
    """
    return StudioSnapshot(
        orders=studio_orders(show_id=show.public_id),
        figures=figures(show),
        moderation=_moderation(show.public_id, upto, recent),
        muted=[_held(mute, mute.muted_by) for mute in _people(mutes_of(show), "muted_by")],
        banned=[_held(ban, ban.banned_by) for ban in _people(bans_of(show), "banned_by")],
        slow_mode_s=show.slow_mode_s,
        review=review_view(show),
        renditions=_renditions(show.public_id, upto, recent),
    )


def _renditions(show_id: UUID, upto: Position, recent: Sequence[Entry]) -> str:
    """What was told last of the renditions."""
    newest = [entry for entry in recent if entry.type == RenditionsChanged.type][-1:]
    if not newest:
        stored = LogEntry.objects.filter(topic=studio_topic(show_id), type=RenditionsChanged.type)
        known = stored.exclude(epoch=upto.epoch, seq__gt=upto.seq).order_by("-epoch", "-seq")
        newest = [entry_of(row) for row in known[:1]]
    return str(newest[0].data["state"]) if newest else "off"


def review_view(show: Show) -> ReviewView:
    review = approvals.review_of(show)
    return ReviewView(review.standing, review.reason)


def _moderation(show_id: UUID, upto: Position, recent: Sequence[Entry]) -> list[Event]:
    """What was done to keep order, the newest first."""
    stored = LogEntry.objects.filter(topic=studio_topic(show_id), type=MODERATION_DONE)
    known = stored.exclude(epoch=upto.epoch, seq__gt=upto.seq).order_by("-epoch", "-seq")
    done = [entry for entry in reversed(recent) if entry.type == MODERATION_DONE]
    told = {entry.fact_id for entry in done}
    rows = [row for row in known[:MODERATION_SHOWN] if row.fact_id not in told]
    return [event_of(entry) for entry in [*done, *map(entry_of, rows)][:MODERATION_SHOWN]]


def _people(held: QuerySet[H], by: str) -> QuerySet[H]:
    return held.select_related("user", by).order_by("-at")


def _held(held: Mute | Ban, by: User | None) -> HeldViewer:
    return HeldViewer(
        user_id=held.user.public_id,
        name=held.user.shown_name,
        by=by.shown_name if by else "",
        reason=held.reason,
        at=iso_ms(held.at),
        until=iso_ms(held.until) if held.until else None,
    )


def _delivery_text(order: Order) -> str:
    if order.pickup_point is not None:
        return _("fetched at %(place)s") % {"place": order.pickup_point.name}
    return str(Delivery(order.delivery).label)


def recording_view(show_id: UUID) -> RecordingView | None:
    """The show's recording and its latest take; `None` before the camera was ever on."""
    recording = Recording.objects.filter(show_id=show_id).first()
    if recording is None:
        return None
    take = recording.takes.order_by("-position").first()
    return RecordingView(
        recording.public_id,
        recording.state,
        recording.duration_s,
        recording.edition,
        take_view(take) if take else None,
    )


def take_view(take: Take) -> TakeView:
    return TakeView(take.public_id, take.state, take.duration_s, take.bytes_received, take.error)


def replay_data(show_id: UUID) -> dict[str, object]:
    """What the page of an ended show plays, as JSON types; the state is `empty` for nothing."""
    found = playback(show_id)
    if found is None:
        return {"state": "empty"}
    return {
        "state": found.state,
        # A playlist that the browser still has from the edition before is at another address.
        "url": found.replay_url and f"{found.replay_url}?edition={found.edition}",
        "poster_url": found.poster_url,
        "duration_s": found.duration_s,
        "recording_id": str(found.recording_id),
        "edition": found.edition,
    }
