"""Streams of encoders: let in by their key, taken in by one process, ended by whoever may.

A media server (nginx with its RTMP module, MediaMTX) receives them and asks us. What it is told
is in the database alone, so that any web process can answer, and a revoked key ends its stream
wherever that is taken in.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.clock import now
from sellers.access import KEEPERS, acts_for
from streams.models import EncoderStream, Show, ShowState, Stop, StreamKey
from streams.services import approvals, stream_keys
from streams.services.rehearsals import open_rehearsals

log = logging.getLogger(__name__)

NEAR = timedelta(hours=12)
"""So far from its time an encoder may begin a scheduled show."""
LEFT_RUNNING_FOR = timedelta(minutes=20)
"""OBS comes back by itself when its show has ended, at first within seconds, then less often."""
SOON = timedelta(minutes=30)
HELD_FOR = timedelta(seconds=6)
STOPPED_FOR = timedelta(minutes=10)
"""An encoder comes back by itself: it must not begin the host's next show with what was stopped."""
KEPT_FOR = timedelta(days=30)
"""So long it can be looked up who sent a stream, and why it ended."""
REASONS = {
    "unknown": _("This key is not known here."),
    "revoked": _("The key was revoked."),
    "rotated": _("The key was replaced by a new one."),
    "expired": _("The key was not used for half a year. Make a new one."),
    "not_host": _("You are no longer a host of this shop."),
    "no_show": _("No show of yours is live or starts within 12 hours. Schedule one first."),
    "replaced": _("The encoder connected again."),
    "gone": _("The encoder stopped."),
    "already_broadcasting": _("Another camera is broadcasting this show already."),
    "taken_over": _("The show goes on from another phone."),
    "show_ended": _(
        "The show has ended: stop the encoder. "
        "It can start your next show only shortly before its time."
    ),
    "stopped": _("An operator has ended your show. For ten minutes no encoder can go live."),
    "not_approved": _("Your first show waits for an operator's yes; see the studio for details."),
}


class EncoderRefused(Exception):
    """Not let in; `reason` is one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def words(reason: str) -> str:
    """What a person is told; reasons of the ingest protocol that say little are said as one."""
    unknown = _("The server cannot use this picture. Check the encoder's settings.")
    return str(REASONS.get(reason, unknown))


def check(text: str) -> tuple[StreamKey, Show]:
    """The key and the show that it films now; raises `EncoderRefused`.

    A known key remembers the refusal: the encoder shows its person no reason, the studio does.
    """
    key = stream_keys.key_of(text)
    if key is None:
        log.warning("an encoder came with a key that is not known")
        raise EncoderRefused("unknown")
    show = show_for(key)
    if (reason := _why_not(key)) or show is None:
        raise refused(key, reason or "no_show")
    if _was_left_running(key) and not _is_due(show):
        raise refused(key, "show_ended")
    if approvals.review_of(show).standing != "free":
        raise refused(key, "not_approved")
    return key, show


def _was_left_running(key: StreamKey) -> bool:
    """Whether nobody has stopped the encoder since its show ended: it goes on trying."""
    since = now() - LEFT_RUNNING_FOR
    return key.refusal == "show_ended" and key.refused_at is not None and key.refused_at > since


def _is_due(show: Show) -> bool:
    """Whether the host means this show: it is on, or its time is near."""
    return show.state == ShowState.LIVE or abs(show.scheduled_at - now()) <= SOON


def _why_not(key: StreamKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if stream_keys.has_expired(key):
        return "expired"
    if not _may_host(key):
        return "not_host"
    stopped = Stop.objects.filter(show__host=key.host, show__seller=key.seller, was_on_air=True)
    return "stopped" if stopped.filter(at__gt=now() - STOPPED_FOR).exists() else ""


def _may_host(key: StreamKey) -> bool:
    return key.host.is_active and acts_for(key.host, key.seller, *KEEPERS)


def end_without_host(host_pk: int) -> None:
    """End what streams by the keys of somebody who has just lost the part that let them."""
    streams = EncoderStream.objects.filter(key__host_id=host_pk, ended_at=None)
    for stream in streams.select_related("key__host", "key__seller"):
        if not _may_host(stream.key):
            end(stream.name, "not_host")


def refused(key: StreamKey, reason: str) -> EncoderRefused:
    StreamKey.objects.filter(pk=key.pk).update(refused_at=now(), refusal=reason)
    log.warning("the encoder of key %s was refused: %s", key.public_id, reason)
    return EncoderRefused(reason)


def show_for(key: StreamKey) -> Show | None:
    """Which show the key films: the host's that is on, else the nearest to come or overdue.

    An open rehearsal comes before what is to come: who rehearses must not go on the air by mistake.
    """
    shows = Show.objects.filter(
        host=key.host, seller=key.seller, is_rehearsal=False, is_practice=False
    )
    live = shows.filter(state=ShowState.LIVE).order_by("-started_at").first()
    if live is not None:
        return live
    rehearsals = open_rehearsals().filter(host=key.host, seller=key.seller)
    if (rehearsal := rehearsals.first()) is not None:
        return rehearsal
    moment = now()
    near = shows.filter(
        state=ShowState.SCHEDULED, scheduled_at__range=(moment - NEAR, moment + NEAR)
    )
    return min(near, key=lambda show: abs(show.scheduled_at - moment), default=None)


def admit(text: str, *, name: str, protocol: str, address: str = "") -> EncoderStream:
    """The stream that the media server calls `name`, let in; raises `EncoderRefused`.

    Asking again gives the same answer. A stream before it by the same key is over: encoders come
    back before the media server has noticed that they were gone.
    """
    key, show = check(text)
    with transaction.atomic():
        locked = StreamKey.objects.select_for_update().get(pk=key.pk)
        before = EncoderStream.objects.filter(key=locked, ended_at=None).exclude(name=name)
        before.update(ended_at=now(), reason="replaced")
        stream, _made = EncoderStream.objects.get_or_create(
            name=name,
            defaults={
                "key": locked,
                "show": show,
                "protocol": protocol[:10],
                "address": address[:64],
            },
        )
        if stream.ended_at is not None or stream.key_id != key.pk:
            raise EncoderRefused(stream.reason or "gone")
        used = {"last_used_at": now(), "refused_at": None, "refusal": ""}
        StreamKey.objects.filter(pk=key.pk).update(**used)
    return stream


def keep(text: str, *, name: str, protocol: str) -> None:
    """`admit`, for a stream that is told of every second: written once. Raises `EncoderRefused`."""
    if not EncoderStream.objects.filter(name=name).exists():
        admit(text, name=name, protocol=protocol)
    check_goes_on(name)


def open_stream_of(text: str, beginning: str) -> str:
    """The name of the key's stream, which begins so, if it may go on; raises `EncoderRefused`."""
    key = stream_keys.key_of(text)
    streams = EncoderStream.objects.filter(key=key, name__startswith=beginning, ended_at=None)
    name = streams.values_list("name", flat=True).first()
    if key is None or name is None:
        raise EncoderRefused("unknown")
    check_goes_on(name)
    return name


def check_goes_on(name: str) -> None:
    """Raise `EncoderRefused` unless the stream may go on."""
    stream = EncoderStream.objects.select_related("show").filter(name=name).first()
    if stream is None:
        raise EncoderRefused("unknown")
    if stream.ended_at is not None:
        raise EncoderRefused(stream.reason)
    if stream.show.state == ShowState.ENDED:
        end(name, "show_ended")
        raise EncoderRefused("show_ended")


def end(name: str, reason: str) -> None:
    """The stream is over; the first reason stays. One that is a refusal is kept with its key."""
    streams = EncoderStream.objects.filter(name=name)
    if not streams.filter(ended_at=None).update(ended_at=now(), reason=reason) or reason == "gone":
        return
    for key_id in streams.values_list("key", flat=True):
        StreamKey.objects.filter(pk=key_id).update(refused_at=now(), refusal=reason)


def claim(name: str, holder: UUID) -> bool:
    """Whether the stream is the holder's to take in; for `HELD_FOR`, unless it is said again."""
    moment = now()
    free = Q(held_until=None) | Q(held_until__lt=moment) | Q(held_by=holder)
    streams = EncoderStream.objects.filter(free, name=name, ended_at=None)
    return streams.update(held_by=holder, held_until=moment + HELD_FOR) == 1


def let_go(name: str, holder: UUID) -> None:
    """Somebody else may take it in."""
    EncoderStream.objects.filter(name=name, held_by=holder).update(held_until=None)


def sweep() -> int:
    """Forget streams of long ago, also those of which nobody said that they ended; how many."""
    moment = now()
    old = EncoderStream.objects.filter(started_at__lt=moment - KEPT_FOR)
    held = Q(ended_at=None, held_until__gt=moment)
    swept, _kinds = old.exclude(held).exclude(ended_at__gt=moment - KEPT_FOR).delete()
    return swept


def is_open(name: str) -> bool:
    return EncoderStream.objects.filter(name=name, ended_at=None).exists()
