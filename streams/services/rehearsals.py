"""Rehearsals: shows on the real live path that nobody but their host can find, or buy in.

They end by themselves; what was filmed is deleted a day later, or at once if the host says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict
from media_pipeline.models import Recording, RecordingState
from orders.models import Offer
from sellers.models import Seller, Variant
from sellers.selectors import variants_on_sale
from streams import access
from streams.models import Audience, Show, ShowState
from streams.services import forgetting, shows

KEPT_FOR = timedelta(days=1)
"""Time to look at it in the evening; what nobody else may see is best not kept for long."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the rehearsal shows as on sale, at its real price."""

    variant: Variant
    terms: Mapping[str, Any]


def open_rehearsal(seller: Seller, host: User) -> Show:
    """The host's rehearsal for this seller: the one that is open, or a new one.

    It shows what the seller's next show of this host sells, or else all that the seller has.
    Raises `NotFound` for who may not host for the seller. Needs no operator's yes.
    """
    with transaction.atomic():
        Seller.objects.select_for_update().get(pk=seller.pk)  # of two taps, one opens it
        if found := open_rehearsals().filter(seller=seller, host=host).first():
            return found
        return shows.schedule_show(
            seller=seller,
            host=host,
            title=_("Rehearsal"),
            scheduled_at=now(),
            audience=Audience.INVITED,
            offers=_shown(seller, next_show(seller, host)),
            is_rehearsal=True,
        )


def open_rehearsals() -> QuerySet[Show]:
    """Those that have not ended, the newest first."""
    rehearsals = Show.objects.filter(is_rehearsal=True).exclude(state=ShowState.ENDED)
    return rehearsals.order_by("-created_at")


def next_show(seller: Seller, host: User) -> Show | None:
    """What is rehearsed: the host's next real show for the seller."""
    coming = Show.objects.filter(
        seller=seller, host=host, state=ShowState.SCHEDULED, is_rehearsal=False
    )
    return coming.filter(scheduled_at__gte=now() - KEPT_FOR).order_by("scheduled_at").first()


def has_goods(seller: Seller) -> bool:
    """Whether there is something to show in a rehearsal."""
    return variants_on_sale(seller).exists()


def _shown(seller: Seller, show: Show | None) -> list[Shown]:
    """Prices alone: how many there are, and from when on, would only be in the way."""
    planned = Offer.objects.filter(show_id=show.public_id) if show else Offer.objects.none()
    offers = list(planned.filter(variant__is_active=True).select_related("variant__product"))
    if offers:
        return [Shown(offer.variant, {"price_minor": offer.price_minor}) for offer in offers]
    return [Shown(variant, {}) for variant in variants_on_sale(seller)]


def finish(rehearsal: Show, actor: User) -> Show | None:
    """The host is ready: end the rehearsal; the next real show, if there is one."""
    access.require_host(actor, rehearsal)
    shows.end(rehearsal.public_id)
    return next_show(rehearsal.seller, rehearsal.host)


def delete(rehearsal: Show, actor: User) -> None:
    """Delete it and all that was filmed. Raises `NotFound`, or `Conflict` before it is complete."""
    access.require_host(actor, rehearsal)
    if rehearsal.state != ShowState.ENDED:
        raise Conflict(_("End the rehearsal first."))
    if not _remove(rehearsal):
        raise Conflict(_("What was filmed is still being put together. Try again in a moment."))


def look_after() -> int:
    """End the rehearsals that last too long, or were never begun, and delete old ones; how many."""
    moment = now()
    live = open_rehearsals().filter(started_at__lte=moment - shows.LONGEST_REHEARSAL)
    unused = open_rehearsals().filter(
        started_at=None, created_at__lte=moment - shows.LONGEST_REHEARSAL
    )
    late = [*live.values_list("public_id", flat=True), *unused.values_list("public_id", flat=True)]
    ended = sum(shows.end(show_id) for show_id in late)
    old = Show.objects.filter(is_rehearsal=True, ended_at__lte=moment - KEPT_FOR)
    return ended + sum(_remove(rehearsal) for rehearsal in old)


def gone_at(rehearsal: Show) -> datetime | None:
    """When it will be deleted by itself; nothing while it is open."""
    return rehearsal.ended_at + KEPT_FOR if rehearsal.ended_at else None


def _remove(rehearsal: Show) -> bool:
    """Rows and files; `False` while its recording is not complete."""
    recording = Recording.objects.filter(show_id=rehearsal.public_id)
    if recording.filter(state=RecordingState.LIVE).exists():
        return False
    forgetting.forget_show(rehearsal)
    return True
