"""Shows of films that were uploaded: over from the beginning, for the seller's team alone."""

from __future__ import annotations

from uuid import UUID

from core.accounts.models import User
from media_pipeline.events import FilmImported
from sellers.access import KEEPERS
from sellers.models import Member, Seller
from streams.models import Audience, Show, ShowState


def make_show(fact: FilmImported, fact_id: UUID) -> None:
    """The show by which the film is watched, cut and made public. Hearing it again is nothing."""
    seller = Seller.objects.filter(public_id=fact.seller_id).first()
    host = _host(seller, fact.owner_id) if seller and not seller.is_sandbox else None
    if seller is None or host is None:  # they left meanwhile, with all that they had
        return
    Show.objects.get_or_create(
        public_id=fact.show_id,
        defaults={
            "seller": seller,
            "host": host,
            "title": fact.title,
            "audience": Audience.INVITED,
            "state": ShowState.ENDED,
            "scheduled_at": fact.at,
            "started_at": fact.at,
            "ended_at": fact.at,
        },
    )


def _host(seller: Seller, owner_id: int) -> User | None:
    """Who uploaded it, or else somebody of the seller's who hosts."""
    if owner := User.objects.filter(pk=owner_id).first():
        return owner
    hosts = Member.objects.filter(seller=seller, role__in=KEEPERS).select_related("user")
    member = hosts.order_by("pk").first()
    return member.user if member else None
