"""What comes before a course: courses that are finished first, by whoever joins by themselves."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in
from core.errors import Conflict, InvalidInput
from courses.models import Course, CourseState, Enrolment

MOST = 5


def choose(course: Course, before: Collection[Course]) -> None:
    """Name the courses that come before this one.

    `InvalidInput` for too many, for the course itself, and for a circle that nobody could enter.
    """
    if len(before) > MOST:
        raise InvalidInput(
            _("Name at most %(count)d courses that come before.") % {"count": MOST},
            field="prerequisites",
        )
    with transaction.atomic():
        # All of them: two people must not close a circle from both ends.
        list(Course.objects.select_for_update().order_by("pk").values_list("pk"))
        for one in before:
            if one.pk == course.pk or course.pk in _all_before(one):
                raise InvalidInput(
                    _("“%(title)s” cannot come before this course: this one comes before it.")
                    % {"title": one.title},
                    field="prerequisites",
                )
        course.prerequisites.set(before)


def _all_before(course: Course) -> set[int]:
    found: set[int] = set()
    new = {course.pk}
    while new:
        found |= new
        rows = Course.prerequisites.through.objects.filter(from_course__in=new)
        new = set(rows.values_list("to_course", flat=True)) - found
    return found


def missing(user: AnyUser, course: Course) -> QuerySet[Course]:
    """What the user has to finish first; a course that is no longer published is not asked for."""
    before = course.prerequisites.filter(state=CourseState.PUBLISHED).order_by("title")
    if not is_signed_in(user):
        return before
    done = Enrolment.objects.filter(user=user, completed_at__isnull=False)
    return before.exclude(pk__in=done.values("course"))


def require(user: AnyUser, course: Course) -> None:
    """Raises `Conflict`, naming what is to be finished first; `details` has it for programs.

    Who is in the course already is asked for nothing: a facilitator may have known better.
    """
    if is_signed_in(user) and Enrolment.objects.filter(user=user, course=course).exists():
        return
    before = list(missing(user, course))
    if before:
        titles = ", ".join(one.title for one in before)
        raise Conflict(
            _("Finish this first: %(titles)s.") % {"titles": titles},
            details={
                "missing": [
                    {"id": str(one.public_id), "title": one.title, "url": one.get_absolute_url()}
                    for one in before
                ]
            },
        )
