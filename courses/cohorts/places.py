"""Classes and who is in them: making one, joining, leaving, and coming back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts import limits
from core.accounts.models import Invitation, User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from core.text import clean_line
from courses.cohorts.models import Cohort, Expected, How, Place
from courses.cohorts.newcomers import Door
from courses.models import Course
from courses.services import learning

NAME_LENGTH = 80
INVITED_FOR_DAYS = 60
MOST_WEEKLY = 50
LONGEST = timedelta(days=3 * 366)
MOST_NEWCOMERS_A_DAY = 100
"""By one link: one that got into wrong hands must not fill the instance."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a class is called, who leads it, and how fast it goes."""

    name: str
    facilitator: User | None
    begins_on: date | None = None
    ends_on: date | None = None
    weekly_lessons: int | None = None


def open_cohort(
    course: Course, terms: Terms, actor: User, *, public_id: UUID | None = None
) -> Cohort:
    """A new class. `Conflict` for a draft; `InvalidInput` names what is wrong."""
    if course.is_draft:
        raise Conflict(_("Publish the course first: a class needs something to learn."))
    return Cohort.objects.create(
        public_id=public_id or new_id(), course=course, created_by=actor, **_checked(terms)
    )


def change(cohort: Cohort, terms: Terms) -> None:
    Cohort.objects.filter(pk=cohort.pk).update(**_checked(terms))


def _checked(terms: Terms) -> dict[str, object]:
    weekly = terms.weekly_lessons
    if weekly is not None and not 1 <= weekly <= MOST_WEEKLY:
        problem = _("Write 1 to %(most)d lessons, or nothing.") % {"most": MOST_WEEKLY}
        raise InvalidInput(problem, field="weekly_lessons")
    if terms.begins_on and terms.ends_on and terms.ends_on < terms.begins_on:
        raise InvalidInput(_("It ends after it begins."), field="ends_on")
    if terms.begins_on and terms.ends_on and terms.ends_on - terms.begins_on > LONGEST:
        raise InvalidInput(_("A class lasts three years at most."), field="ends_on")
    return {
        "name": clean_line(terms.name, "name", longest=NAME_LENGTH),
        "facilitator": terms.facilitator,
        "begins_on": terms.begins_on,
        "ends_on": terms.ends_on,
        "weekly_lessons": weekly,
    }


def set_joinable(cohort: Cohort, *, is_joinable: bool) -> None:
    """Open or close its link. Who is in it stays."""
    Cohort.objects.filter(pk=cohort.pk).update(is_joinable=is_joinable)


def renew_link(cohort: Cohort) -> None:
    """From now on the old link leads nowhere."""
    Cohort.objects.filter(pk=cohort.pk).update(invite=uuid4())


def join(cohort: Cohort, user: User, how: How) -> Place:
    """The user's place, and with it their enrolment in the course; again gives the same.

    Who had left comes back. Raises what `learning.enrol` raises; then nothing has changed.
    """
    with transaction.atomic():
        learning.enrol(user, cohort.course)
        place, _made = Place.objects.get_or_create(
            cohort=cohort, user=user, defaults={"how": how, "joined_at": now()}
        )
        if place.left_at is not None:
            come_back(place)
        if user.phone:
            _came(cohort.expected.filter(phone=user.phone, came_at=None))
    return place


def leave(place: Place, by: User) -> None:
    """Take somebody out, or oneself. What they have learnt stays theirs; again changes nothing."""
    Place.objects.filter(pk=place.pk, left_at=None).update(left_at=now(), left_by=by)


def come_back(place: Place) -> None:
    Place.objects.filter(pk=place.pk).update(left_at=None, left_by=None)
    place.left_at = place.left_by = None


# People without an account.


def expect(
    cohort: Cohort, people: Iterable[tuple[str, str]], actor: User, door: Door
) -> list[Expected]:
    """Invite those who have no account, as (name, phone or ""): a code for each."""
    wanted = list(people)
    made = door.invite([name for name, _phone in wanted], made_by=actor, days=INVITED_FOR_DAYS)
    rows = [
        Expected(cohort=cohort, name=name, phone=phone, invitation=invitation, made_at=now())
        for (name, phone), invitation in zip(wanted, made, strict=True)
    ]
    return Expected.objects.bulk_create(rows)


def newcomer(cohort: Cohort, name: str, door: Door) -> Expected:
    """An invitation for somebody who came by the class's link and has no account.

    `Conflict` where the class was made by nobody who is still here; `TooMany` for a crowd.
    """
    actor = cohort.facilitator or cohort.created_by
    if actor is None:
        raise Conflict(_("Nobody leads this class any more."))
    name = clean_line(name, "name", longest=60)
    limits.take("class link", str(cohort.public_id), most=MOST_NEWCOMERS_A_DAY, per_s=limits.DAY_S)
    with transaction.atomic():
        [made] = expect(cohort, [(name, "")], actor, door)
    return made


def withdraw(expected: Expected, door: Door) -> None:
    """Invite them no more. Again changes nothing."""
    with transaction.atomic():
        open_ = Expected.objects.filter(pk=expected.pk, came_at=None, withdrawn_at=None)
        if open_.update(withdrawn_at=now(), phone="") and expected.invitation:
            door.revoke(expected.invitation)


def invitation_used(invitation: Invitation, user: User) -> None:
    """Whoever accepts an invitation that was made for a class is in it."""
    waiting = Expected.objects.filter(invitation=invitation, came_at=None, withdrawn_at=None)
    for one in waiting.select_related("cohort__course"):
        join(one.cohort, user, How.INVITED)
        _came(Expected.objects.filter(pk=one.pk))


def _came(expected: QuerySet[Expected]) -> None:
    expected.update(came_at=now(), phone="")
