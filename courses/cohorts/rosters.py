"""Lists of people: first what one would do, then doing it. Nothing is half done unless chosen.

What a list would do is worked out anew each time, so that doing it again adds nobody twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import AppError, Conflict, InvalidInput
from courses.cohorts import access, places
from courses.cohorts.models import Cohort, How, Roster
from courses.cohorts.newcomers import door
from courses.cohorts.roster_file import Person, columns_of, people_of
from orders.tracking_file import BadRow

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A line, and the account that is meant."""

    person: Person
    user: User


@dataclass(slots=True)
class Plan:
    """What a list would do: `join` have an account, `invite` have none, `same` are in it."""

    join: list[Known] = field(default_factory=list)
    invite: list[Person] = field(default_factory=list)
    same: int = 0
    bad: list[BadRow] = field(default_factory=list)
    unknown_columns: Sequence[str] = ()

    @property
    def good(self) -> int:
        return len(self.join) + len(self.invite)


def keep(cohort: Cohort, actor: User, text: str, *, name: str, public_id: UUID) -> Roster:
    """Keep a list for a day, until somebody says to carry it out."""
    if not text.strip():
        raise InvalidInput(_("There is nobody in this list."), field="file")
    for _person in people_of(text):
        pass  # a list that is too long, or no table, is refused before anybody waits for it
    Roster.objects.filter(actor=actor, made_at__lt=now() - KEPT).delete()
    return Roster.objects.create(
        public_id=public_id, cohort=cohort, actor=actor, name=name[:120], text=text, made_at=now()
    )


def plan(roster: Roster, actor: User) -> Plan:
    """What the list would do now."""
    rows = list(people_of(roster.text))
    heading = columns_of(roster.text)
    made = Plan(unknown_columns=heading.unknown if heading else ())
    people = [row for row in rows if isinstance(row, Person)]
    made.bad = [row for row in rows if isinstance(row, BadRow)]
    accounts = _Accounts(people)
    inside = set(roster.cohort.places.filter(left_at=None).values_list("user", flat=True))
    waiting = roster.cohort.expected.filter(came_at=None, withdrawn_at=None)
    expected = {one.phone or one.name.casefold() for one in waiting}
    may_invite = access.may_invite(actor) and door() is not None
    seen: dict[object, Person] = {}
    for person in people:
        user = accounts.of(person)
        before = seen.setdefault(_key(person, user), person)
        why = _why_not(person, user, before, may_invite=may_invite)
        if why:
            made.bad.append(BadRow(person.line, person.shown, why))
        elif user is not None and user.pk not in inside:
            made.join.append(Known(person, user))
        elif user is None and (person.phone or person.name.casefold()) not in expected:
            made.invite.append(person)
        else:
            made.same += 1
    made.bad.sort(key=lambda row: row.line)
    return made


def carry_out(roster: Roster, actor: User, *, keep_good: bool) -> Plan:
    """Let in and invite. One bad line keeps all others back, unless `keep_good`.

    Raises `Conflict` for that, with nothing changed. All is one transaction: a list is in, or not.
    """
    with transaction.atomic():
        Cohort.objects.select_for_update().get(pk=roster.cohort_id)
        planned = plan(roster, actor)
        if planned.bad and not keep_good:
            raise Conflict(_("Nothing was changed: some lines are wrong."))
        planned.join = [one for one in planned.join if _joined(one, roster, planned, keep_good)]
        if planned.invite and (way_in := door()):
            people = [(one.name, one.phone) for one in planned.invite]
            places.expect(roster.cohort, people, actor, way_in)
    return planned


def _joined(one: Known, roster: Roster, planned: Plan, keep_good: bool) -> bool:
    try:
        with transaction.atomic():
            places.join(roster.cohort, one.user, How.LIST)
    except AppError as error:
        if not keep_good:
            raise
        planned.bad.append(BadRow(one.person.line, one.person.shown, error.message))
        return False
    return True


class _Accounts:
    """Who is meant by a line: by phone number first, then by user name."""

    def __init__(self, people: Sequence[Person]) -> None:
        active = User.objects.filter(is_active=True)
        phones = {one.phone for one in people if one.phone}
        logins = {one.login for one in people if one.login} | phones
        self._by_phone = {one.phone: one for one in active.filter(phone__in=phones)}
        self._by_login = {one.username: one for one in active.filter(username__in=logins)}

    def of(self, person: Person) -> User | None:
        by_phone = self._by_phone.get(person.phone) or self._by_login.get(person.phone)
        return by_phone or self._by_login.get(person.login)


def _key(person: Person, user: User | None) -> object:
    return user.pk if user else person.phone or person.login or person.name.casefold()


def _why_not(person: Person, user: User | None, before: Person, *, may_invite: bool) -> str:
    """Why the line cannot be used; "" if it can."""
    if before is not person:
        return _("The same person is in line %(line)d.") % {"line": before.line}
    if user is not None:
        return ""
    if person.login and not person.phone:
        return _("Nobody here has this user name.")
    if not may_invite:
        return _("Has no account here yet. Send them the link of the class instead.")
    return "" if person.name else _("Has no account here yet. Write a name, to invite them.")
