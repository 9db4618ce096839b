"""What is left to do before a seller's first show, ticked by what there is; then it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from core.accounts.access import has_role
from core.accounts.models import Role, User
from media_pipeline.models import Upload
from sellers.access import KEEPERS
from sellers.models import Member, MemberRole, Seller
from sellers.selectors import variants_on_sale
from streams.models import Readiness, Show, ShowState
from streams.services.readiness import readiness_of


@dataclass(frozen=True, slots=True)
class Step:
    """One line: whether it is done, and where it is done. `more` explains; an address may lack."""

    name: str
    title: str
    is_done: bool
    url: str
    more: str = ""
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class FirstShow:
    """The list of one seller; without `steps` it is put away, and can be brought back."""

    seller: Seller
    steps: list[Step]
    is_shown: bool

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps if not step.is_optional)

    @property
    def needed(self) -> int:
        return sum(not step.is_optional for step in self.steps)


def first_show(host: User) -> FirstShow | None:
    """The list of the first of the host's own shops that has not held a show, or wants its list.

    A list that was put away comes last; None where every shop has held a show.
    """
    shops = Seller.objects.filter(
        pk__in=Member.objects.filter(user=host, role__in=KEEPERS).values("seller"),
        is_sandbox=False,
        is_sample=False,
    )
    hidden = None
    for seller in shops.order_by("name", "pk"):
        known = readiness_of(seller, host)
        is_before = not has_held_a_show(seller)
        if known.shows_list or (is_before and known.shows_list is None):
            return FirstShow(seller, list(_steps(seller, host, known)), is_shown=True)
        if is_before and hidden is None:
            hidden = FirstShow(seller, [], is_shown=False)
    return hidden


def has_held_a_show(seller: Seller) -> bool:
    """Whether a show of the seller was on the air and is over; a film that was brought is none."""
    held = Show.objects.filter(seller=seller, state=ShowState.ENDED, is_rehearsal=False)
    films = Upload.objects.filter(seller=seller).values("show_id")
    return held.exclude(started_at=None).exclude(public_id__in=films).exists()


def _steps(seller: Seller, host: User, known: Readiness) -> Iterator[Step]:
    goods = variants_on_sale(seller)
    products = reverse("studio_products")
    yield Step(
        "products",
        _("Say what you sell: a product with a price"),
        goods.exists(),
        reverse("studio_product_new"),
    )
    yield Step(
        "stock",
        _("Count your stock"),
        goods.filter(stock__on_hand__gt=F("stock__reserved")).exists(),
        products,
        _("What is not in stock cannot be bought."),
    )
    yield _delivery(seller)
    yield _rehearsal(seller, known)
    yield Step(
        "show",
        _("Schedule the show"),
        _has_real_show(seller),
        _of(seller, "studio_schedule"),
    )
    yield _helper(seller, host)


def _rehearsal(seller: Seller, known: Readiness) -> Step:
    """It tries camera and network too: those are no lines of their own, one rehearsal does both."""
    has_tried = bool(known.camera_at and known.uplink_at)
    return Step(
        "rehearsal",
        _("Rehearse with your camera: like a show, but only you see it"),
        known.rehearsed_at is not None,
        _of(seller, "studio_rehearse"),
        _("Camera and network work. Now film a minute, and look at it.")
        if has_tried
        else _("Open it on the phone you film with, where you will stand."),
    )


def _delivery(seller: Seller) -> Step:
    is_said = seller.zones.exists() or seller.pickup_points.filter(is_active=True).exists()
    return Step(
        "delivery",
        _("Say where you deliver, and for how much"),
        is_said,
        _of(seller, "studio_delivery"),
        "" if is_said else _("As long as you say nothing: everywhere, for nothing."),
    )


def _helper(seller: Seller, host: User) -> Step:
    # An owner who invited this host is nobody whom the host has invited.
    others = Member.objects.filter(seller=seller).exclude(user=host).exclude(role=MemberRole.OWNER)
    invites = has_role(host, Role.OPERATOR)
    return Step(
        "helper",
        _("Invite somebody who answers the chat and packs"),
        others.exists(),
        reverse("operator_people") if invites else "",
        "" if invites else _("An operator of this site prints an invitation for them."),
        is_optional=True,
    )


def _has_real_show(seller: Seller) -> bool:
    shows = Show.objects.filter(seller=seller, is_rehearsal=False)
    return shows.filter(state__in=[ShowState.SCHEDULED, ShowState.LIVE]).exists()


def _of(seller: Seller, name: str) -> str:
    return f"{reverse(name)}?{urlencode({'seller': str(seller.public_id)})}"
