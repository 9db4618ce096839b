"""Who may watch, host and moderate a show. Pages, API and sockets all ask here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import bulk
from core.accounts.access import AnyUser, has_role, is_signed_in, signed_in
from core.accounts.models import Role, RoleGrant, User
from core.clock import now
from core.errors import Conflict, NotAllowed, NotFound
from sellers.access import KEEPERS
from sellers.models import Member
from streams.errors import Banned
from streams.models import Audience, Ban, Guest, Mute, Show, ShowState, Stop


class RoomRole(StrEnum):
    """What somebody is in one room."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    HOST = "host"
    OPERATOR = "operator"


def show_by_id(show_id: UUID) -> Show:
    """The show with this public id; raises `NotFound`. Says nothing about who may see it."""
    show = Show.objects.select_related("seller", "host").filter(public_id=show_id).first()
    if show is None:
        raise no_such_show()
    return show


def no_such_show() -> NotFound:
    return NotFound(_("There is no such show."))


def show_to_watch(user: AnyUser, show_id: UUID) -> Show:
    """The show, if the user may watch it.

    Anyone may watch a public show, whoever has the link an unlisted one. A show by invitation
    raises `SignInRequired` for a stranger and `NotAllowed` for somebody who is not invited. Who
    was sent away gets `Banned`: no room, no replay, no order through it. Of a rehearsal nobody but
    its host learns that there is one: `NotFound`.
    """
    show = show_by_id(show_id)
    _hide_rehearsal(user, show)
    _refuse_banned(user, show)
    if show.audience == Audience.INVITED:
        person = signed_in(user)
        if not may_moderate(person, show) and not guests_among([person], show):
            raise not_invited(show)
    return show


def guests_among(people: Collection[User], show: Show) -> set[int]:
    """Who of these may watch a show by invitation without being the seller's, by primary key.

    Guests of this show, and of a practice all mentors, who are to look at it.
    """
    pks = [one.pk for one in people]
    found = set(Guest.objects.filter(show=show, user__in=pks).values_list("user_id", flat=True))
    if show.is_practice:
        grants = RoleGrant.objects.filter(role=Role.MENTOR, user__in=pks)
        found |= set(grants.values_list("user_id", flat=True))
    return found


def not_invited(show: Show) -> NotAllowed:
    if show.is_practice:
        return NotAllowed(_("This is somebody's practice: only who was invited can watch it."))
    return NotAllowed(_("This show is private: only the seller's team can watch it."))


def show_to_host(user: AnyUser, show_id: UUID) -> Show:
    """The show, if the user may host it; raises `SignInRequired`, `NotFound` or `NotAllowed`."""
    person = signed_in(user)
    show = show_to_watch(person, show_id)
    require_host(person, show)
    return show


def may_order(show_id: UUID, buyers: Collection[User]) -> Callable[[User], None]:
    """Who of these may order through the show: to be asked in the transaction that orders.

    What is returned raises `Banned` for who was sent away, and `NotAllowed` while an operator
    hides the show or for who is not invited to it. A ban that is being written is waited for, and
    one that comes now waits: nobody's order is committed after their ban.
    """
    show = _held_show(show_id)
    if show is None:
        return lambda buyer: None
    if show.is_rehearsal:
        return partial(_refuse_to_sell, show)
    if show.is_practice:
        return partial(_refuse_people, show, _simulated(show))
    withheld, is_private = is_withheld(show), show.audience == Audience.INVITED
    bans = {ban.user_id: ban for ban in _bans_among(show, buyers)}
    doubtful = list(buyers) if is_private else [buyer for buyer in buyers if buyer.pk in bans]
    roles = roles_in(doubtful, show) if doubtful else {}
    guests = guests_among(buyers, show) if is_private else set()

    def check(buyer: User) -> None:
        is_ours = buyer.id in roles and roles[buyer.id] != RoomRole.VIEWER
        if buyer.id in bans and not is_ours:
            raise Banned(bans[buyer.id].until)
        if is_private and not is_ours and buyer.pk not in guests:
            raise not_invited(show)
        if withheld:
            raise NotAllowed(_("An operator has ended this show. Nothing is sold in it any more."))

    return check


def _refuse_to_sell(show: Show, buyer: User) -> None:
    _hide_rehearsal(buyer, show)
    raise NotAllowed(_("This is a rehearsal: nothing is sold in it, and nothing was ordered."))


def _simulated(show: Show) -> set[int]:
    found = Guest.objects.filter(show=show, is_simulated=True)
    return set(found.values_list("user_id", flat=True))


def _refuse_people(show: Show, simulated: Collection[int], buyer: User) -> None:
    """No person ever has an order that is not real."""
    if buyer.pk not in simulated:
        raise NotAllowed(_("This is a practice: only simulated buyers order here."))
    if show.state != ShowState.LIVE:
        raise NotAllowed(_("This practice is not on."))


def _held_show(show_id: UUID) -> Show | None:
    """The show, which nobody who keeps order in it changes until we commit.

    They lock its row; any number of groups of orders share theirs, and let it be written to.
    """
    sql = (
        f'SELECT {bulk.columns(Show, "s")} FROM "streams_show" s '  # noqa: S608 - of constants
        f"WHERE s.public_id IN (SELECT r.id FROM {bulk.rows(id='uuid')})"
        f"{' FOR KEY SHARE OF s' if bulk.locks_rows() else ''}"
    )
    found = bulk.read(sql, bulk.encode([(show_id,)]), Show)
    return found[0][0] if found else None


def _bans_among(show: Show, people: Collection[User]) -> list[Ban]:
    """Who of these is sent away from the show now."""
    sql = (
        f'SELECT {bulk.columns(Ban, "b")} FROM "streams_ban" b '  # noqa: S608 - of constants
        f"JOIN {bulk.rows(show='bigint', person='bigint')} "
        "ON b.show_id = r.show AND b.user_id = r.person"
    )
    rows = bulk.read(sql, bulk.encode((show.pk, one.pk) for one in people), Ban)
    moment = now()
    return [ban for (ban,) in rows if ban.until is None or ban.until > moment]


def role_in(user: AnyUser, show: Show) -> RoomRole:
    return roles_in([user], show)[user.pk] if is_signed_in(user) else RoomRole.VIEWER


def roles_in(users: Collection[User], show: Show) -> dict[int, RoomRole]:
    """What each of them is in the show's room, by primary key; two queries, however many.

    The seller's keepers are hosts, and so is the show's host while being one of the seller's people
    in any role; its other people keep order with them, and operators act for every seller. In a
    rehearsal there is nobody but its host.
    """
    pks = [user.pk for user in users]
    members = Member.objects.filter(seller=show.seller_id, user__in=pks)
    of_seller = list(members.values_list("user_id", "role"))
    grants = RoleGrant.objects.filter(role=Role.OPERATOR, user__in=pks)
    operators = set(grants.values_list("user_id", flat=True))
    helpers = {pk for pk, _role in of_seller}
    keepers = {pk for pk, role in of_seller if role in KEEPERS} | ({show.host_id} & helpers)
    operators |= {user.pk for user in users if user.is_superuser}
    if show.is_rehearsal:
        keepers, operators, helpers = {show.host_id} & (helpers | operators), set(), set()
    return {user.pk: _role(user, keepers, operators, helpers) for user in users}


def _role(user: User, keepers: set[int], operators: set[int], helpers: set[int]) -> RoomRole:
    if user.pk in keepers:
        return RoomRole.HOST
    if user.pk in operators:
        return RoomRole.OPERATOR
    return RoomRole.MODERATOR if user.pk in helpers else RoomRole.VIEWER


def may_host(user: AnyUser, show: Show) -> bool:
    """The show's host, who keeps the seller's shop, and the operators, who act for every seller."""
    return role_in(user, show) in {RoomRole.HOST, RoomRole.OPERATOR}


def may_moderate(user: AnyUser, show: Show) -> bool:
    """Whoever may host a show, and all of the seller's people."""
    return role_in(user, show) != RoomRole.VIEWER


def require_host(user: AnyUser, show: Show) -> User:
    """The user, if they may host the show; raises `SignInRequired` or `NotAllowed`.

    Of somebody else's rehearsal nobody is told: `NotFound`.
    """
    person = signed_in(user)
    _hide_rehearsal(person, show)
    if not may_host(person, show):
        raise NotAllowed(_("Only the host of this show can do that."))
    return person


def require_moderator(user: AnyUser, show: Show) -> User:
    """The user, if they may moderate the show; raises as `require_host`."""
    person = signed_in(user)
    _hide_rehearsal(person, show)
    if not may_moderate(person, show):
        raise NotAllowed(_("Only the host or a moderator can do that."))
    return person


def require_operator(user: AnyUser) -> User:
    """The user, if they run the instance; raises `SignInRequired` or `NotAllowed`."""
    person = signed_in(user)
    if not has_role(person, Role.OPERATOR):
        raise NotAllowed(_("Only operators can do that."))
    return person


def show_to_operate(user: AnyUser, show_id: UUID) -> tuple[User, Show]:
    """Who runs the instance, and a show that is their business; rehearsals are not: `NotFound`.

    Raises also `SignInRequired` and `NotAllowed`.
    """
    operator = require_operator(user)
    show = show_by_id(show_id)
    if show.is_rehearsal:
        raise no_such_show()
    return operator, show


def was_stopped(show: Show) -> bool:
    """Whether an operator ended the show."""
    stopped = Stop.objects.filter(show=show, was_on_air=True)
    return show.state == ShowState.ENDED and stopped.exists()


def is_withheld(show: Show) -> bool:
    """Whether an operator hides the show's replay; its own people see it nevertheless."""
    if show.state != ShowState.ENDED:
        return False
    return Stop.objects.filter(show=show, is_withheld=True).exists()


def may_see_replay(user: AnyUser, show: Show) -> bool:
    """Everybody who may watch the show, unless an operator hides its replay."""
    return not is_withheld(show) or may_moderate(user, show)


def require_replay(show: Show) -> None:
    """Raises `Conflict` for what was filmed only for its host to look at, or for a mentor."""
    if show.is_practice:
        raise Conflict(_("A practice is for learning: nothing can be made of it."))
    if show.is_rehearsal:
        raise Conflict(_("A rehearsal is deleted after a day: nothing can be made of it."))


def replay_to_watch(user: AnyUser, show_id: UUID) -> Show:
    """As `show_to_watch`; raises `NotAllowed` also while an operator hides the replay."""
    show = show_to_watch(user, show_id)
    if not may_see_replay(user, show):
        raise NotAllowed(_("An operator has hidden this replay."))
    return show


def mute_of(user: AnyUser, show: Show) -> Mute | None:
    """What keeps the user quiet in the show now."""
    return mutes_of(show).filter(user=user).first() if is_signed_in(user) else None


def mutes_of(show: Show) -> QuerySet[Mute]:
    """Who is muted in the show now."""
    return Mute.objects.filter(_still(), show=show)


def bans_of(show: Show) -> QuerySet[Ban]:
    """Who is sent away from the show now."""
    return Ban.objects.filter(_still(), show=show)


def _still() -> Q:
    return Q(until=None) | Q(until__gt=now())


def require_to_know_of(user: AnyUser, show_id: UUID) -> None:
    """Raise `NotFound` for somebody else's rehearsal; says nothing about who may watch a show."""
    if show := Show.objects.filter(public_id=show_id, is_rehearsal=True).first():
        _hide_rehearsal(user, show)


def _hide_rehearsal(user: AnyUser, show: Show) -> None:
    if show.is_rehearsal and not may_host(user, show):
        raise no_such_show()


def _refuse_banned(user: AnyUser, show: Show) -> None:
    """Hosts and moderators cannot be sent away, nor stay away once they have become that."""
    if not is_signed_in(user):
        return
    ban = bans_of(show).filter(user=user).first()
    if ban is not None and not may_moderate(user, show):
        raise Banned(ban.until)
