"""Who leads a cohort, and who is in it. Pages ask here.

A class is led by its facilitator, by teachers, and by whoever may change its course.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import Role, User
from core.errors import NotAllowed, NotFound
from courses import access as courses_access
from courses.cohorts.models import Cohort, Place, Roster


def cohorts_led(user: AnyUser) -> QuerySet[Cohort]:
    person = signed_in(user)
    mine = Q(facilitator=person) | Q(course__in=courses_access.editable_courses(person))
    return Cohort.objects.filter(mine).select_related("course", "facilitator")


def places_of(user: AnyUser) -> QuerySet[Place]:
    """The user's own, that they have not left."""
    mine = Place.objects.filter(user=signed_in(user), left_at=None)
    return mine.select_related("cohort__course", "cohort__facilitator").order_by("-joined_at")


def leads(user: AnyUser, cohort: Cohort) -> bool:
    return cohorts_led(user).filter(pk=cohort.pk).exists()


def cohort_to_lead(user: AnyUser, cohort_id: UUID) -> tuple[Cohort, User]:
    """Raises `SignInRequired`, `NotFound`, or `NotAllowed` for who is in it and does not lead."""
    cohort, person = cohort_to_see(user, cohort_id)
    if not leads(person, cohort):
        raise NotAllowed(_("This class is led by somebody else."))
    return cohort, person


def cohort_to_see(user: AnyUser, cohort_id: UUID) -> tuple[Cohort, User]:
    """For who leads it and who is in it; raises `SignInRequired` or `NotFound`."""
    person = signed_in(user)
    rows = Cohort.objects.select_related("course", "facilitator")
    cohort = rows.filter(public_id=cohort_id).first()
    if cohort is None or not (place_in(person, cohort) or leads(person, cohort)):
        raise NotFound(_("There is no such class, or you are not in it."))
    return cohort, person


def place_in(person: User, cohort: Cohort) -> Place | None:
    return cohort.places.filter(user=person, left_at=None).first()


def cohort_by_link(link: UUID) -> Cohort:
    """The class that the link leads to; `NotFound` for one that was replaced or closed."""
    rows = Cohort.objects.select_related("course", "facilitator")
    cohort = rows.filter(invite=link, is_joinable=True).first()
    if cohort is None or cohort.course.is_draft:
        raise NotFound(_("This link leads to no class any more. Ask for a new one."))
    return cohort


def may_invite(user: AnyUser) -> bool:
    """Accounts for newcomers are made by those who teach here, not by every host."""
    return courses_access.is_teacher(user)


def roster_of(actor: User, cohort: Cohort, roster_id: UUID) -> Roster:
    """What this person brought; `NotFound` for everybody else."""
    roster = cohort.rosters.filter(public_id=roster_id, actor=actor).first()
    if roster is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    return roster


def facilitators() -> QuerySet[User]:
    """Who can be asked to lead a class."""
    teaching = Q(role_grants__role__in=(Role.MENTOR, Role.OPERATOR))
    return User.objects.filter(teaching, is_active=True).distinct().order_by("display_name")
