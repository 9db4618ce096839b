"""Who is in a room, and whether they still may be: looked up again every few seconds.

In a show for everybody only those who keep order are looked at again: a viewer who has signed out
elsewhere may go on listening, as any stranger may, and is refused whatever they ask for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from core.accounts.models import User
from core.accounts.proof import Proof, living, proven
from streams.access import RoomRole, guests_among, roles_in, show_by_id

SIGN_IN_REQUIRED = 4401
NOT_ALLOWED = 4403
NO_SUCH_SHOW = 4404
COME_BACK = 4503


@dataclass(frozen=True, slots=True)
class Seat:
    """Who has one socket of a room. Strangers have no `proof`."""

    role: str
    proof: Proof | None


def audience_of(show_id: UUID) -> str:
    """Who may watch the show now; raises `NotFound`."""
    return show_by_id(show_id).audience


def who_must_go(
    show_id: UUID, seats: Collection[Seat], *, for_keepers: bool = False
) -> dict[Seat, int]:
    """Those who may not be in a show by invitation (any more), and the code to close them with.

    Where it is `for_keepers`, being a guest is not enough. A handful of queries for all of them.
    Raises `NotFound`.
    """
    show = show_by_id(show_id)
    proofs = [seat.proof for seat in seats if seat.proof is not None]
    people = User.objects.filter(pk__in={proof.user_pk for proof in proofs}, is_active=True)
    users = {user.pk: user for user in people}
    roles, sessions = roles_in(list(users.values()), show), living(proofs)
    guests = set() if for_keepers else guests_among(list(users.values()), show)
    codes = {}
    for seat in seats:
        user = users.get(seat.proof.user_pk) if seat.proof else None
        if seat.proof is None or (user and not seat.proof.holds(user, sessions)):
            codes[seat] = SIGN_IN_REQUIRED
        elif user is None or (roles[user.pk] == RoomRole.VIEWER and user.pk not in guests):
            codes[seat] = NOT_ALLOWED
    return codes


def who_is_over(seats: Collection[Seat]) -> dict[Seat, int]:
    """Those who have signed out or got another password; two queries."""
    holding = proven([seat.proof for seat in seats if seat.proof is not None])
    return {seat: SIGN_IN_REQUIRED for seat in seats if seat.proof not in holding}


def who_is_another(show_id: UUID, seats: Collection[Seat]) -> dict[Seat, int]:
    """Those of these who are something else in the show than they came as, or nobody any more.

    Who keeps order in another way than before comes back as that. Raises `NotFound`.
    """
    over = who_is_over(seats)
    keepers = {seat for seat in seats if seat.role != RoomRole.VIEWER and seat not in over}
    there = {seat: seat.proof.user_pk for seat in keepers if seat.proof}
    people = User.objects.filter(pk__in=set(there.values()))
    roles = roles_in(list(people), show_by_id(show_id))
    codes = dict(over)
    for seat, pk in there.items():
        if roles[pk] != seat.role:
            codes[seat] = NOT_ALLOWED if roles[pk] == RoomRole.VIEWER else COME_BACK
    return codes
