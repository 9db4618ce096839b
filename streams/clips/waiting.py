"""Clips that others made of a seller's shows, and that wait for the seller's word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from core.accounts.models import User
from media_pipeline.models import Asset, AssetKind, AssetState
from sellers.access import KEEPERS
from sellers.models import Member
from streams.models import Show


@dataclass(frozen=True, slots=True)
class Waiting:
    """A show, and how many of its clips nobody of its seller's has agreed to yet."""

    show: Show
    clips: int


def waiting_for_consent(user: User) -> list[Waiting]:
    """Of the shows that the user speaks for, the newest first.

    Operators speak for nobody here. Who cuts for the own shop is asked beside the clip.
    """
    sellers = list(
        Member.objects.filter(user=user, role__in=KEEPERS).values_list("seller", flat=True)
    )
    if not sellers:
        return []
    shows = Show.objects.filter(seller__in=sellers)
    colleagues = Member.objects.filter(seller__in=sellers).values("user")
    clips = Asset.objects.filter(
        kind=AssetKind.CLIP,
        state=AssetState.READY,
        consented_at=None,
        recording__show_id__in=shows.values("public_id"),
    ).exclude(created_by__in=colleagues)
    counts = Counter(clips.values_list("recording__show_id", flat=True))
    found = shows.filter(public_id__in=counts).order_by("-pk")
    return [Waiting(show, counts[show.public_id]) for show in found]
