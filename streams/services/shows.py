"""The life of a show: scheduled, live, interrupted, resumed, ended.

The camera decides when a show is live. A person, ten minutes without a camera, or the longest time
that the instance allows ends it. Every move is one conditional update, so that facts that come
twice or late change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput
from core.ids import new_id
from core.text import clean_line
from media_pipeline.ingest.desk import desk
from media_pipeline.models import Recording, RecordingState
from media_pipeline.services import takes
from orders.services.offers import put_on_sale
from sellers.access import KEEPERS, member_of
from sellers.models import Seller, Variant
from streams import access
from streams.events import ShowEnded, ShowInterrupted, ShowResumed, ShowStarted
from streams.models import Audience, Show, ShowState

# A process that lives tells sooner that the camera of its last take is off.
UNTOLD_AFTER = timedelta(seconds=15)
LONGEST_REHEARSAL = timedelta(minutes=30)
"""Enough to try everything twice, also for a practice; a phone that is forgotten fills neither the
disk nor its bill."""


Limit = Callable[[UUID], timedelta | None]
limits: list[Limit] = []
"""Who knows how long a practice may last; `livecommerce.wiring` fills it."""


class OfferPlan(Protocol):
    """Something to sell in a show, on the terms that `put_on_sale` takes."""

    @property
    def variant(self) -> Variant: ...

    @property
    def terms(self) -> Mapping[str, Any]: ...


def schedule_show(
    *,
    seller: Seller,
    host: User,
    title: str,
    scheduled_at: datetime,
    audience: str = Audience.PUBLIC,
    offers: Sequence[OfferPlan] = (),
    public_id: UUID | None = None,
    is_rehearsal: bool = False,
    is_practice: bool = False,
) -> Show:
    """A show to come, with what it sells in that order.

    `host` must be an owner or host of the seller (else `NotFound`). Raises `InvalidInput` for the
    title, the audience or an offer. A sandbox seller has practices, and nothing else.
    """
    if seller.is_sandbox != is_practice:
        raise InvalidInput(_("A shop for practice has no real shows."), field="seller")
    member_of(host, seller, *KEEPERS)
    if audience not in Audience.values:
        raise InvalidInput(_("Please say who may watch."), field="audience")
    with transaction.atomic():
        show = Show.objects.create(
            public_id=public_id or new_id(),
            seller=seller,
            host=host,
            title=_clean_title(title),
            scheduled_at=scheduled_at,
            audience=audience,
            is_rehearsal=is_rehearsal,
            is_practice=is_practice,
        )
        for position, offer in enumerate(offers):
            _put_on_sale(show, offer, position)
    return show


def _clean_title(title: str) -> str:
    longest = Show._meta.get_field("title").max_length or 0
    return clean_line(title, "title", longest=longest)


def _put_on_sale(show: Show, offer: OfferPlan, position: int) -> None:
    if offer.variant.product.seller_id != show.seller_id:
        raise InvalidInput(_("A show sells what its own seller has."), field="offers")
    put_on_sale(show.public_id, offer.variant, position=position, **offer.terms)


def camera_on(show_id: UUID, at: datetime) -> None:
    """A picture comes since `at`: the show starts, or goes on after an interruption."""
    shows = Show.objects.filter(public_id=show_id)
    with transaction.atomic():
        if shows.filter(state=ShowState.SCHEDULED).update(state=ShowState.LIVE, started_at=at):
            outbox.publish(ShowStarted(show_id=show_id, at=at))
        elif _interrupted(shows).update(interrupted_at=None):
            outbox.publish(ShowResumed(show_id=show_id, at=at))


def camera_off(show_id: UUID, at: datetime) -> None:
    """No picture comes since `at`: a live show is interrupted."""
    running = Show.objects.filter(public_id=show_id, state=ShowState.LIVE, interrupted_at=None)
    with transaction.atomic():
        if running.update(interrupted_at=at):
            outbox.publish(ShowInterrupted(show_id=show_id, at=at))


def end_show(show_id: UUID, actor: User) -> Show:
    """End a show for good. Ending it again changes nothing; raises `NotFound` or `NotAllowed`.

    Its camera is let go and its recording sealed by the process that receives the camera, when it
    hears `ShowEnded`.
    """
    show = access.show_by_id(show_id)
    access.require_host(actor, show)
    end(show_id)
    show.refresh_from_db()
    return show


def end_abandoned() -> int:
    """End the shows whose camera has been away for `settings.CAMERA_AWAY_MIN`; how many."""
    if not settings.CAMERA_AWAY_MIN:
        return 0
    since = now() - timedelta(minutes=settings.CAMERA_AWAY_MIN)
    gone = _interrupted(Show.objects.filter(interrupted_at__lte=since))
    return sum(end(show_id) for show_id in gone.values_list("public_id", flat=True))


def _interrupted(shows: QuerySet[Show]) -> QuerySet[Show]:
    return shows.filter(state=ShowState.LIVE, interrupted_at__isnull=False)


def end_too_long() -> int:
    """End the shows that have lasted as long as the instance allows; how many."""
    if not (longest := longest_show()):
        return 0
    live = Show.objects.filter(
        state=ShowState.LIVE, started_at__lte=now() - longest, is_rehearsal=False
    )
    return sum(end(show_id) for show_id in live.values_list("public_id", flat=True))


def longest_show() -> timedelta:
    """How long a show may last; nothing is for ever."""
    return timedelta(hours=settings.LONGEST_SHOW_H)


def longest_of(show: Show) -> timedelta:
    """How long this show may last; nothing is for ever."""
    if show.is_practice:
        known = (limit(show.public_id) for limit in limits)
        return next((one for one in known if one is not None), LONGEST_REHEARSAL)
    return LONGEST_REHEARSAL if show.is_rehearsal else longest_show()


def lasted_longest(show: Show) -> bool:
    """Whether the show was as long as a show may be, so that it ended by itself."""
    if not show.started_at or not show.ended_at or not (longest := longest_of(show)):
        return False
    return show.ended_at - show.started_at >= longest


def why_too_long(show: Show) -> str:
    if show.is_practice:
        return _("A practice lasts as long as its task says, so this one has ended.")
    if show.is_rehearsal:
        minutes = LONGEST_REHEARSAL // timedelta(minutes=1)
        return _("A rehearsal lasts %(minutes)s minutes at most, so this one has ended.") % {
            "minutes": minutes
        }
    hours = settings.LONGEST_SHOW_H
    text = ngettext(
        "A show lasts %(hours)s hour at most, so this one has ended.",
        "A show lasts %(hours)s hours at most, so this one has ended.",
        math.ceil(hours),
    )
    return text % {"hours": f"{hours:g}"}


def end(show_id: UUID, *, is_stop: bool = False) -> bool:
    """Whether it was this that ended the show: of several who do it at once, one does."""
    moment = now()
    open_shows = Show.objects.filter(public_id=show_id).exclude(state=ShowState.ENDED)
    with transaction.atomic():
        ended = open_shows.update(
            state=ShowState.ENDED, ended_at=moment, interrupted_at=None, pinned_offer=None
        )
        if ended:
            outbox.publish(ShowEnded(show_id=show_id, at=moment, is_stop=is_stop))
    return ended == 1


def close_recording(show_id: UUID) -> None:
    """Let the camera of an ended show go and seal its recording. Call it in the web process."""
    show = access.show_by_id(show_id)
    desk.end_show_from_thread(show_id, is_public=show.audience == Audience.PUBLIC)


def seal_leftovers(*, alone: bool = True) -> int:
    """Seal what web processes that are gone left open; how many takes.

    Takes that were running are complete as far as they are on disk; shows that ended while nobody
    could seal their recording get their replay now. `alone` is a process that starts and shares its
    data with no other: no camera is connected yet, whatever the process before could not tell any
    more. Otherwise what living processes receive is left to them; call it now and then.
    """
    sealed = takes.seal_left_open(alone=alone)
    moment = now()
    on_air = Show.objects.filter(state=ShowState.LIVE, interrupted_at=None)
    if not alone:
        on_air = on_air.filter(started_at__lt=moment - UNTOLD_AFTER).exclude(
            public_id__in=takes.shows_filmed_since(moment - UNTOLD_AFTER)
        )
    for show_id in on_air.values_list("public_id", flat=True):
        camera_off(show_id, moment)
    live = Recording.objects.filter(state=RecordingState.LIVE).values("show_id")
    ended = Show.objects.filter(state=ShowState.ENDED, public_id__in=live)
    for show_id in ended.values_list("public_id", flat=True):
        close_recording(show_id)
    return sealed
