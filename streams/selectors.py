"""Reads of a room: what a newcomer sees, and what the replay shows beside the video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from core.accounts.access import AnyUser, is_signed_in
from core.clock import iso_ms
from core.realtime.frames import Event, event_of
from core.realtime.log import Entry, Position
from core.realtime.models import LogEntry
from media_pipeline.selectors import playback
from orders.models import Offer
from orders.selectors import OfferView, offer_view, offer_views, with_goods
from streams import access
from streams.models import Show
from streams.protocol import (
    ChatAnsweredEvent,
    ChatMessageEvent,
    ChatRemovedEvent,
    ChatRestoredEvent,
    ChatUnansweredEvent,
    OrderPlacedEvent,
    PinnedMessage,
    ShowView,
    Snapshot,
    You,
)
from streams.restored import without_removed
from streams.services import reactions

RECENT_CHAT = 50
RECENT_ORDERS = 5
SAID = ChatMessageEvent.__struct_fields__


class ReplayEntry(msgspec.Struct, frozen=True):
    """An entry of the log beside the video. `media_s` is `None` for what happened off camera."""

    seq: int
    id: UUID | None
    at: str
    type: str
    data: dict[str, object]
    media_s: float | None


def snapshot(
    show: Show,
    *,
    upto: Position | None = None,
    recent: Sequence[Entry] = (),
    now: Mapping[str, int] | None = None,
) -> Snapshot:
    """The room as it is, with the log up to a position (the newest, if none is given).

    `recent` is the end of the log up to there, where the database may not have it yet.
    """
    latest = now or {}
    log = _Log(show, upto, recent)
    chat = log.last(ChatMessageEvent.type, RECENT_CHAT)
    return Snapshot(
        show=show_view(show),
        pinned=_pinned(show),
        offers=offer_views(show.public_id),
        chat=chat,
        pinned_message=_pinned_message(show),
        slow_mode_s=show.slow_mode_s,
        answered=log.answered([event.id for event in chat if event.data.get("question")]),
        recent_orders=log.last(OrderPlacedEvent.type, RECENT_ORDERS),
        viewers=latest.get("viewers", 0),
        likes=max(latest.get("likes", 0), reactions.likes(show.public_id, stored=show.likes)),
    )


def show_view(show: Show) -> ShowView:
    return ShowView(
        id=show.public_id,
        title=show.title,
        state=show.state,  # type: ignore[arg-type] # the choices of the model are the same three
        started_at=iso_ms(show.started_at) if show.started_at else None,
        interrupted=show.interrupted_at is not None,
        host=show.host.shown_name,
        seller=show.seller.name,
        audience=show.audience,  # type: ignore[arg-type] # likewise
        stopped=access.was_stopped(show),
    )


def you(user: AnyUser, show: Show) -> You:
    """Who this user is in the show's room."""
    person = user if is_signed_in(user) else None
    mute = access.mute_of(user, show)
    return You(
        signed_in=person is not None,
        id=person.public_id if person else None,
        name=person.shown_name if person else None,
        role=access.role_in(user, show).value,
        muted=mute is not None,
        muted_until=iso_ms(mute.until) if mute and mute.until else None,
    )


def log_of(show: Show) -> QuerySet[LogEntry]:
    """The show's log, with what was taken away, in order: rows may be stored out of it."""
    return LogEntry.objects.filter(topic=show.topic).order_by("epoch", "seq")


def replay_entries(show: Show) -> list[ReplayEntry]:
    """Everything in the show's log with its place in the recording, but what was taken away."""
    found = playback(show.public_id)
    clock = found.clock if found else None
    return [
        ReplayEntry(
            seq=row.seq,
            id=row.fact_id,
            at=iso_ms(row.at),
            type=row.type,
            data=row.data,
            media_s=clock.media_s(row.at) if clock else None,
        )
        for row in without_removed(show, log_of(show))
    ]


def unanswered_questions(show: Show) -> list[LogEntry]:
    """The viewers' messages that seem to ask something and that nobody has marked as answered."""
    log = log_of(show)
    answered = set(_answered(_marks_in(log)))
    asked = log.filter(type=ChatMessageEvent.type, data__question=True)
    asked_still = without_removed(show, asked)
    return [row for row in asked_still if row.fact_id not in answered]


Mark = tuple[UUID | None, str, str | None]
"""Its own id, its type, and the id of the question that it is about."""
MARKS = (ChatAnsweredEvent.type, ChatUnansweredEvent.type)


def _marks_in(log: QuerySet[LogEntry], **chosen: object) -> list[Mark]:
    rows = log.filter(type__in=MARKS, **chosen)
    return list(rows.values_list("fact_id", "type", "data__id"))


def _answered(marks: Iterable[Mark]) -> list[UUID]:
    """The questions that were marked as answered more often than that was taken back."""
    times = Counter[str]()
    for _mark_id, kind, question in set(marks):  # a fact may be told again
        if question:
            times[question] += 1 if kind == ChatAnsweredEvent.type else -1
    return [UUID(question) for question, count in times.items() if count > 0]


def _pinned_message(show: Show) -> PinnedMessage | None:
    if show.pinned_message is None:
        return None
    return msgspec.convert(show.pinned_message, PinnedMessage)


def _pinned(show: Show) -> OfferView | None:
    if show.pinned_offer_id is None:
        return None
    offer = with_goods(Offer.objects.filter(pk=show.pinned_offer_id)).first()
    return offer_view(offer) if offer else None


class _Log:
    """The log up to a position: its end as it was read, before that what the database has."""

    def __init__(self, show: Show, upto: Position | None, recent: Sequence[Entry]) -> None:
        self._show = show
        self._recent = recent
        self._first = recent[0].seq if recent else 0
        self._stored = log_of(show)
        if upto is not None:
            first = recent[0].seq if recent else upto.seq + 1
            # What was said before the history broke is still worth reading.
            self._stored = self._stored.exclude(epoch=upto.epoch, seq__gte=first)
        self._gone: set[UUID] = set()
        self._back: dict[UUID, Entry] = {}
        """What the end of the log does to messages, which the database may not know yet."""
        for entry in recent:
            self._follow(entry)

    def last(self, kind: str, count: int) -> list[Event]:
        newest = [event_of(entry) for entry in self._recent if entry.type == kind]
        if kind == ChatMessageEvent.type:
            newest += [_as_said(entry) for entry in self._back.values() if self._is_recent(entry)]
            newest.sort(key=lambda event: event.seq)
        missing = count - len(newest)
        if missing <= 0:
            return newest[-count:]
        return [_event_of_row(row) for row in self._last_rows(kind, missing)] + newest

    def answered(self, questions: Sequence[str | None]) -> list[UUID]:
        """Which of these messages are marked as answered."""
        if not questions:
            return []
        newest: list[Mark] = [
            (entry.fact_id, entry.type, entry.data["id"])
            for entry in self._recent
            if entry.type in MARKS and entry.data.get("id") in questions
        ]
        return _answered(_marks_in(self._stored, data__id__in=questions) + newest)

    def _follow(self, entry: Entry) -> None:
        if entry.type == ChatRestoredEvent.type:
            message = UUID(entry.data["id"])
            self._back[message] = entry
            self._gone.discard(message)
        elif entry.type == ChatRemovedEvent.type and entry.data.get("id"):
            message = UUID(entry.data["id"])
            self._back.pop(message, None)
            self._gone.add(message)

    def _is_recent(self, restored: Entry) -> bool:
        """Whether the message itself, and not only its copy, is in the end of the log."""
        seq = restored.data["seq"]
        return seq is not None and seq >= self._first

    def _last_rows(self, kind: str, count: int) -> list[LogEntry]:
        """The last that are shown, in their order; once more and further back if too few are."""
        rows = self._stored.filter(type=kind).reverse()
        look = 2 * count
        while True:
            found = list(rows[:look])
            shown = without_removed(self._show, found, self._gone, self._back)
            if len(shown) >= count or len(found) < look:
                return shown[:count][::-1]
            look *= 4


def _as_said(restored: Entry) -> Event:
    """A restored message as the event that it was."""
    data = {key: restored.data[key] for key in SAID if key in restored.data}
    said = ChatMessageEvent.type
    seq, at, message_id = (restored.data[key] for key in ("seq", "at", "id"))
    return Event(seq=seq, at=at, type=said, data=data, id=message_id)


def _event_of_row(row: LogEntry) -> Event:
    """Of what is shown, also where the row itself was taken away and a copy brought it back."""
    entry = Entry(seq=row.seq, type=row.type, data=row.data, at=row.at, fact_id=row.fact_id)
    return event_of(entry)
