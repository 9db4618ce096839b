"""Who may review a practice, and who may read its review. Pages and API ask here.

Whoever may not know of an attempt is told that there is none: `NotFound`.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in, signed_in
from core.accounts.models import User
from core.errors import NotFound
from courses.access import is_teacher
from courses.cohorts.models import Place
from courses.practice.access import is_own, no_such_attempt
from courses.practice.models import Attempt, AttemptState

HANDED_IN = (AttemptState.SUBMITTED, AttemptState.AGAIN, AttemptState.ACCEPTED)


def reviewer(user: AnyUser) -> User:
    """The user, who may look at a queue; raises `SignInRequired` or `NotFound`."""
    person = signed_in(user)
    if not may_review_some(person):
        raise NotFound(_("Reviews are written by mentors and by who looks after a cohort."))
    return person


def may_review_some(user: AnyUser) -> bool:
    """Teachers, and who looks after a cohort."""
    return is_teacher(user) or (is_signed_in(user) and user.cohorts_led.exists())


def reviewable(user: AnyUser) -> QuerySet[Attempt]:
    """What was handed in and is this user's to review: nobody reviews themselves.

    Teachers review all, a facilitator what comes from their own cohorts.
    """
    if not is_signed_in(user):
        return Attempt.objects.none()
    rows = _handed_in().exclude(enrolment__user=user)
    if is_teacher(user):
        return rows
    led = Place.objects.filter(
        cohort__facilitator=user,
        cohort__course=OuterRef("enrolment__course"),
        user=OuterRef("enrolment__user"),
        left_at=None,
    )
    return rows.filter(Exists(led))


def attempt_to_review(user: AnyUser, attempt_id: UUID) -> Attempt:
    """Raises `SignInRequired` or `NotFound`."""
    attempt = reviewable(signed_in(user)).filter(public_id=attempt_id).first()
    if attempt is None:
        raise no_such_attempt()
    return attempt


def attempt_to_read(user: AnyUser, attempt_id: UUID) -> Attempt:
    """For whoever may review it and for the trainee; raises `SignInRequired` or `NotFound`."""
    attempt = _handed_in().filter(public_id=attempt_id).first()
    if attempt is not None and is_own(signed_in(user), attempt):
        return attempt
    return attempt_to_review(user, attempt_id)


def earlier(attempt: Attempt) -> QuerySet[Attempt]:
    """The trainee's earlier attempts at the same task, the latest first."""
    same = _handed_in().filter(enrolment=attempt.enrolment, task=attempt.task)
    return same.filter(number__lt=attempt.number).order_by("-number")


def _handed_in() -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(state__in=HANDED_IN, submitted_at__isnull=False)
    return rows.select_related(
        "enrolment__user", "enrolment__course", "task__lesson__course", "review__mentor"
    )
