"""A seller's first show waits for an operator's yes, unless the instance is set to trust everybody.

What waits has no row: a row is what an operator said. One yes is for all shows of the seller, and
the shows of operators, and of the shops that they keep, need none. Nor does a rehearsal, nor what
is hosted by, or sold in a shop of, people for whom something else vouches (`vouchers`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from core.errors import Conflict
from core.text import clean_line
from sellers.access import KEEPERS
from sellers.models import Member, MemberRole, Seller
from streams import access
from streams.events import ShowReviewed
from streams.models import Approval, Show, ShowState

LONGEST_REASON = 300
Standing = Literal["free", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a show may go live; `reason` is that of a no."""

    standing: Standing
    reason: str = ""


FREE = Review("free")
# Each says who needs no yes; `livecommerce.wiring` puts them here.
vouchers: list[Callable[[], QuerySet[User]]] = []


def review_of(show: Show) -> Review:
    """Whether the show may go live as far as operators are concerned."""
    if not settings.FIRST_SHOW_APPROVAL or show.state != ShowState.SCHEDULED:
        return FREE
    if not _unapproved(Show.objects.filter(pk=show.pk)).exists():
        return FREE
    said = Approval.objects.filter(show=show).first()
    return Review("refused", said.reason) if said else Review("waiting")


def waiting() -> QuerySet[Show]:
    """The first shows that wait for an operator's word, the next to begin first."""
    return _undecided().filter(approval=None)


def refused() -> QuerySet[Show]:
    """The first shows that were refused and have not been given up."""
    return _undecided().filter(approval__is_yes=False)


def _undecided() -> QuerySet[Show]:
    if not settings.FIRST_SHOW_APPROVAL:
        return Show.objects.none()
    shows = _unapproved(Show.objects.filter(state=ShowState.SCHEDULED))
    return shows.select_related("seller", "host", "approval").order_by("scheduled_at", "pk")


def _unapproved(shows: QuerySet[Show]) -> QuerySet[Show]:
    trusted = Approval.objects.filter(is_yes=True).values("seller")
    grants = RoleGrant.objects.filter(role=Role.OPERATOR).values("user")
    operators = User.objects.filter(Q(is_superuser=True) | Q(pk__in=grants)).values("pk")
    kept = Member.objects.filter(user__in=operators, role__in=KEEPERS).values("seller")
    shows = shows.filter(is_rehearsal=False, is_practice=False)
    for people in vouchers:
        shows = shows.exclude(_of(people()))
    return shows.exclude(Q(seller__in=trusted) | Q(seller__in=kept) | Q(host__in=operators))


def _of(people: QuerySet[User]) -> Q:
    """The shows that these people host, and all of the shops that they own."""
    pks = people.values("pk")
    owned = Member.objects.filter(user__in=pks, role=MemberRole.OWNER).values("seller")
    return Q(host__in=pks) | Q(seller__in=owned)


def approve(show_id: UUID, actor: User) -> Approval:
    """Let the show, and all of its seller's, go live; also after a no. Again changes nothing.

    Raises `NotFound`, or `NotAllowed` for who is no operator.
    """
    operator, show = access.show_to_operate(actor, show_id)
    with transaction.atomic():
        said, made = _say(show, operator, is_yes=True)
        took_back = Approval.objects.filter(pk=said.pk, is_yes=False)
        made = made or bool(took_back.update(is_yes=True, decided_by=operator, at=now()))
        if made:
            _tell(show.seller)
    said.refresh_from_db()
    return said


def refuse(show_id: UUID, actor: User, reason: str) -> Approval:
    """Do not let the show go live, and say why. The first of two operators is right.

    Raises `NotFound`, `NotAllowed`, `InvalidInput` for the reason, and `Conflict` where the show
    does not wait: it was approved, or has begun.
    """
    operator, show = access.show_to_operate(actor, show_id)
    cleaned = clean_line(reason, "reason", longest=LONGEST_REASON)
    with transaction.atomic():
        locked = Show.objects.select_for_update().get(pk=show.pk)
        if not _unapproved(Show.objects.filter(pk=show.pk, state=ShowState.SCHEDULED)).exists():
            raise Conflict(_("This show does not wait for an answer any more."))
        said, made = _say(locked, operator, is_yes=False, reason=cleaned)
        if said.is_yes:
            raise Conflict(_("Another operator has approved this show already."))
        if made:
            outbox.publish(ShowReviewed(show_id=show_id, at=now(), is_yes=False, reason=cleaned))
    return said


def approve_seller(seller: Seller) -> None:
    """Let a seller go live from the first show on."""
    if not Approval.objects.filter(seller=seller, is_yes=True).exists():
        Approval.objects.create(seller=seller, is_yes=True, at=now())


def _say(show: Show, operator: User, *, is_yes: bool, reason: str = "") -> tuple[Approval, bool]:
    """What was said to the show, and whether it was said just now; the database decides."""
    said = {
        "seller": show.seller,
        "is_yes": is_yes,
        "reason": reason,
        "decided_by": operator,
        "at": now(),
    }
    return Approval.objects.get_or_create(show=show, defaults=said)


def _tell(seller: Seller) -> None:
    """One yes frees every show of the seller that waits."""
    _publish(_coming().filter(seller=seller), is_yes=True)


def tell_freed(user: User, reason: str) -> None:
    """Something vouches for the user now: the pages of their coming shows hear it."""
    shows = _coming().filter(_of(User.objects.filter(pk=user.pk)))
    _publish(shows, is_yes=True, reason=reason)


def tell_held(user: User, reason: str) -> None:
    """Nothing vouches for the user any more: what nobody else has approved waits again."""
    shows = _unapproved(_coming().filter(_of(User.objects.filter(pk=user.pk))))
    if settings.FIRST_SHOW_APPROVAL:
        _publish(shows, is_yes=False, reason=reason)


def _coming() -> QuerySet[Show]:
    return Show.objects.filter(state=ShowState.SCHEDULED, is_rehearsal=False, is_practice=False)


def _publish(shows: QuerySet[Show], *, is_yes: bool, reason: str = "") -> None:
    outbox.publish(
        ShowReviewed(show_id=show_id, at=now(), is_yes=is_yes, reason=reason)
        for show_id in shows.values_list("public_id", flat=True)
    )
