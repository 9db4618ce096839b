"""One practice as its buyers live it: what happened goes into their room, what they do comes out.

The room is stored with each step, and so are the acts that come of it, before they are done. A
process that takes over goes on from there, and does first what was written and not done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q

from core.clock import now
from core.realtime.log import Entry, Position
from courses.practice import buyers
from courses.practice.models import Act, Attempt, AttemptState
from orders.selectors import OfferView, offer_views
from sellers.models import Variant
from streams.models import HostVoice, Show
from streams.protocol import ChatAnsweredEvent, ChatMessageEvent
from streams.services import shows

LAG_S = 2
"""The room lives so much behind: what its host does reaches us within that."""
HELD_FOR = timedelta(seconds=6)
CATCH_UP_S = 30
"""After an outage the buyers do not do in one second what they would have done in minutes."""


class Play(msgspec.Struct):
    """What is stored of it: the room, and up to where the log and the voice were heard."""

    room: buyers.Room
    heard: Position | None = None
    voiced_at: datetime | None = None


class Step(msgspec.Struct):
    """What a step brought: acts to do, in order, and whether the time is up."""

    acts: list[Act]
    is_over: bool = False


def live_attempts() -> list[int]:
    """Those whose buyers somebody has to move."""
    return list(Attempt.objects.filter(state=AttemptState.LIVE).values_list("pk", flat=True))


def claim(attempt_pk: int, holder: UUID) -> bool:
    """Take the attempt's buyers, or keep them: one process moves them at a time."""
    moment = now()
    free = Q(held_by=holder) | Q(held_by=None) | Q(held_until__lt=moment)
    rows = Attempt.objects.filter(free, pk=attempt_pk, state=AttemptState.LIVE)
    return rows.update(held_by=holder, held_until=moment + HELD_FOR) == 1


def let_go(holder: UUID) -> None:
    """The process stops: another one may go on at once."""
    Attempt.objects.filter(held_by=holder).update(held_by=None, held_until=None)


def heard_upto(attempt_pk: int) -> tuple[str, Position | None]:
    """The topic of its room, and from where on its log has to be read."""
    attempt = Attempt.objects.get(pk=attempt_pk)
    play = play_of(attempt)
    return f"show:{attempt.show_id}", play.heard


def play_of(attempt: Attempt) -> Play:
    if attempt.buyers:
        return msgspec.convert(attempt.buyers, Play)
    seed = attempt.task.seed * 1000 + attempt.number
    return Play(buyers.open_room(seed, attempt.language))


def advance(attempt_pk: int, holder: UUID, entries: Sequence[Entry], here: Position) -> Step | None:
    """Let the buyers live up to now; `None` if another process has them.

    `entries` is what the log had up to `here` since `heard_upto`.
    """
    with transaction.atomic():
        rows = Attempt.objects.select_for_update(of=("self",)).select_related("task")
        attempt = rows.get(pk=attempt_pk)
        if attempt.held_by != holder or attempt.began_at is None:
            return None
        play = play_of(attempt)
        seconds = int((now() - attempt.began_at).total_seconds()) - LAG_S
        play.room.clock_s = max(play.room.clock_s, seconds - CATCH_UP_S)
        events = _events(attempt, play, entries)
        play.heard = here
        made = buyers.step(play.room, events, seconds)
        Act.objects.bulk_create(_row(attempt, one) for one in made)
        attempt.buyers = msgspec.to_builtins(play)
        attempt.save(update_fields=["buyers"])
    return Step(undone(attempt), is_over=seconds + LAG_S >= attempt.task.minutes * 60)


def undone(attempt: Attempt) -> list[Act]:
    return list(Act.objects.filter(attempt=attempt, done_at=None).order_by("number"))


def done(act: Act, *, message_id: UUID | None = None, refusal: str = "") -> None:
    """It was said or bought, or could not be."""
    Act.objects.filter(pk=act.pk, done_at=None).update(
        done_at=now(), message_id=message_id, refusal=refusal[:40]
    )


def end(attempt_pk: int) -> None:
    """The time of the task is up."""
    shows.end(Attempt.objects.values_list("show_id", flat=True).get(pk=attempt_pk))


def _row(attempt: Attempt, act: buyers.Act) -> Act:
    detail: dict[str, object] = {"text": act.text} if act.text else {}
    if act.kind == "order":
        detail = {"offer": act.good, "quantity": act.quantity, "price_minor": act.price_minor}
    return Act(
        attempt=attempt,
        number=act.number,
        at_s=act.at_s,
        persona=act.persona,
        kind=act.kind,
        detail=detail,
    )


# What happened


def _events(attempt: Attempt, play: Play, entries: Sequence[Entry]) -> list[buyers.Event]:
    assert attempt.began_at is not None  # noqa: S101 - looked at by who calls
    began = attempt.began_at
    show = Show.objects.select_related("pinned_offer").get(public_id=attempt.show_id)
    at_s = float(play.room.clock_s + 1)
    return [
        *_goods(show, play.room, at_s),
        *_pin(show, play.room, at_s),
        *_said(attempt, entries, began),
        *_voice(show, play, began),
    ]


def _goods(show: Show, room: buyers.Room, at_s: float) -> list[buyers.Event]:
    """Offers that are another way than the room knows them, or gone."""
    views = {str(view.id): view for view in offer_views(show.public_id)}
    new = [name for name in views if name not in room.goods]
    worth = _worth([views[name] for name in new])
    events: list[buyers.Event] = []
    for name, view in views.items():
        known = room.goods.get(name)
        price = known.worth_minor if known else worth[view.variant_id]
        told = _told(name, view, price, 0.0 if known is None and not room.acts else at_s)
        if known is None or not _is_same(known, told):
            events.append(told)
    for name in room.goods.keys() - views.keys():
        gone = room.goods[name]
        if gone.is_open:
            events.append(
                buyers.Offered(
                    at_s, name, gone.title, gone.price_minor, gone.worth_minor, False, False, 0
                )
            )
    return events


def _told(name: str, view: OfferView, worth_minor: int, at_s: float) -> buyers.Offered:
    moment_ms = now().timestamp() * 1000
    opened = view.opens_at_ms is not None and view.opens_at_ms <= moment_ms
    is_open = opened if view.on_tap or view.opens_at_ms is not None else True
    if view.closes_at_ms is not None and view.closes_at_ms <= moment_ms:
        is_open = False
    return buyers.Offered(
        at_s, name, view.title, view.price_minor, worth_minor, is_open, view.on_tap, view.left
    )


def _is_same(known: buyers.Shown, told: buyers.Offered) -> bool:
    return (known.price_minor, known.is_open, known.left) == (
        told.price_minor,
        told.is_open,
        told.left,
    )


def _worth(views: Sequence[OfferView]) -> Mapping[UUID, int]:
    """What buyers think it is worth: the copy's own price, which the task says."""
    rows = Variant.objects.filter(public_id__in=[view.variant_id for view in views])
    return dict(rows.values_list("public_id", "price_minor"))


def _pin(show: Show, room: buyers.Room, at_s: float) -> list[buyers.Event]:
    pinned = str(show.pinned_offer.public_id) if show.pinned_offer else ""
    return [buyers.Pinned(at_s, pinned)] if pinned != room.pinned else []


def _said(attempt: Attempt, entries: Sequence[Entry], began: datetime) -> list[buyers.Event]:
    events: list[buyers.Event] = []
    for entry in entries:
        at_s = (entry.at - began).total_seconds()
        if entry.type == ChatMessageEvent.type and entry.data.get("role") == "host":
            events.append(buyers.Wrote(at_s))
        elif entry.type == ChatAnsweredEvent.type and (act := _asked(attempt, entry.data["id"])):
            events.append(buyers.Answered(at_s, act))
    return events


def _asked(attempt: Attempt, message_id: str | None) -> int | None:
    acts = Act.objects.filter(attempt=attempt, message_id=message_id)
    return acts.values_list("number", flat=True).first() if message_id else None


def _voice(show: Show, play: Play, began: datetime) -> list[buyers.Event]:
    """The seconds in which the host was heard since the last look."""
    after = play.voiced_at or began - timedelta(seconds=1)
    upto = now() - timedelta(seconds=1)
    heard = HostVoice.objects.filter(
        show=show, second__gt=after, second__lte=upto, is_heard=True
    ).order_by("second")
    seconds = list(heard.values_list("second", flat=True))
    if seconds:
        play.voiced_at = seconds[-1]
    return [buyers.Spoke((second - began).total_seconds()) for second in seconds]
