"""Classes as those who are in them see them, and the page behind a class's link."""

from __future__ import annotations

import uuid

from django.contrib import messages as notes
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import is_signed_in, signed_in
from core.accounts.models import User
from core.clock import now
from core.errors import AppError, NotFound
from core.pages import page
from courses import access as courses_access
from courses import selectors
from courses.cohorts import access, lead_views, messages, places
from courses.cohorts.models import Cohort, Expected, How
from courses.cohorts.newcomers import door
from courses.cohorts.standing import expected_lessons
from courses.models import Course, CourseState


@page
@require_GET
def cohorts(request: HttpRequest) -> HttpResponse:
    person = signed_in(request.user)
    context = {
        "places": access.places_of(person),
        "led": access.cohorts_led(person)[:100],
        "unread": set(messages.unread(person).values_list("cohort", flat=True)),
        "courses": _courses(person),
    }
    return render(request, "cohorts/cohorts.html", context)


def _courses(person: User) -> QuerySet[Course]:
    """For which this person can open a class."""
    mine = courses_access.editable_courses(person).filter(state=CourseState.PUBLISHED)
    return mine.order_by("-id")[:30]


@page
@require_GET
def cohort(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    """For who leads it, where everybody is; for who is in it, what to do and what was written."""
    row, person = access.cohort_to_see(request.user, cohort_id)
    if access.leads(person, row):
        return lead_views.standing(request, row)
    view = selectors.course_view(row.course, person)
    total = len(view.counted)
    expected = expected_lessons(row, total, timezone.localtime(now()).date())
    context = {
        "cohort": row,
        "view": view,
        "expected": expected,
        "behind": max(0, (expected or 0) - view.done_count),
        "messages_here": messages.messages_for(person, row)[:50],
        "fresh": set(messages.unread(person).filter(cohort=row).values_list("pk", flat=True)),
    }
    answer = render(request, "cohorts/mine.html", context)
    messages.mark_read(person, row)
    return answer


@require_POST
@page
def leave(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    """Leave a class, or come back: `do=back`, from the page on which one has left."""
    person = signed_in(request.user)
    row = Cohort.objects.filter(public_id=cohort_id, places__user=person).first()
    place = row.places.filter(user=person).first() if row else None
    if row is None or place is None:
        raise NotFound(_("There is no such class, or you are not in it."))
    if request.POST.get("do") != "back":
        places.leave(place, person)
        return render(request, "cohorts/left.html", {"cohort": row})
    if place.left_by_id != person.pk and place.left_at is not None:
        raise NotFound(_("There is no such class, or you are not in it."))
    places.come_back(place)
    return redirect("cohort", row.public_id)


@page
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, class_link: uuid.UUID) -> HttpResponse:
    """Who has an account joins; who has none gets an invitation, and joins by taking it."""
    try:
        row = access.cohort_by_link(class_link)
    except NotFound as gone:
        return render(request, "cohorts/no_link.html", {"why": gone.message}, status=404)
    context = {"cohort": row, "view": selectors.course_view(row.course, request.user)}
    if request.method == "GET":
        return render(request, "cohorts/join.html", context)
    try:
        return _joined(request, row)
    except AppError as error:
        context["error"] = error
        return render(request, "cohorts/join.html", context, status=error.status)


def _joined(request: HttpRequest, row: Cohort) -> HttpResponse:
    if is_signed_in(request.user):
        if not access.leads(request.user, row):
            places.join(row, request.user, How.LINK)
            notes.success(request, _("You are in “%(name)s” now.") % {"name": row.name})
        return redirect("cohort", row.public_id)
    way_in = door()
    if way_in is None:
        raise NotFound(_("There is nothing here."))
    expected: Expected = places.newcomer(row, request.POST.get("name", ""), way_in)
    if expected.invitation is None:
        raise NotFound(_("There is nothing here."))
    return redirect(way_in.path(expected.invitation))
