"""Classes as their facilitators see them: where everybody is, settings, and messages."""

from __future__ import annotations

import uuid
from datetime import date
from functools import partial
from typing import Any

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import AppError, InvalidInput, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from courses import access as courses_access
from courses.cohorts import access, messages, places
from courses.cohorts.models import Cohort, Message, Place
from courses.cohorts.places import Terms
from courses.cohorts.standing import standing_of


def standing(request: HttpRequest, row: Cohort, error: AppError | None = None) -> HttpResponse:
    """The page of a class for who leads it; `?removed=` offers to undo."""
    removed = parse_id(request.GET.get("removed", ""))
    context = {
        "cohort": row,
        "standing": standing_of(row),
        "waiting": row.expected.filter(came_at=None, withdrawn_at=None).count(),
        "sent": row.messages.select_related("to", "sent_by")[:5],
        "removed": row.places.filter(public_id=removed).first() if removed else None,
        "left": row.places.exclude(left_at=None).select_related("user")[:20],
        "error": error,
        "typed": request.POST if error else None,
    }
    return render(request, "cohorts/standing.html", context, status=error.status if error else 200)


@page
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    course = courses_access.course_for_editor(request.user, course_id)
    person = signed_in(request.user)
    context = {"course": course, **_choices(None, person)}
    if request.method == "GET":
        return render(request, "cohorts/settings.html", context)
    made_id = id_of_form(request)
    try:
        terms = _terms(request.POST)
        open_ = partial(places.open_cohort, course, terms, person, public_id=made_id)
        made = made_once(open_, Cohort.objects.filter(public_id=made_id))
    except AppError as error:
        context |= {"error": error, "typed": request.POST}
        return render(request, "cohorts/settings.html", context, status=error.status)
    return redirect("cohort_people", made.public_id)


@page
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    row, person = access.cohort_to_lead(request.user, cohort_id)
    context = {"course": row.course, "cohort": row, **_choices(row, person)}
    if request.method == "GET":
        return render(request, "cohorts/settings.html", context)
    try:
        places.change(row, _terms(request.POST))
    except AppError as error:
        context |= {"error": error, "typed": request.POST}
        return render(request, "cohorts/settings.html", context, status=error.status)
    notes.success(request, _("Saved."))
    return redirect("cohort", row.public_id)


def _choices(row: Cohort | None, person: User) -> dict[str, Any]:
    leader = row.facilitator if row else person
    others = [one for one in access.facilitators()[:200] if one != leader]
    return {"facilitators": [*([leader] if leader else []), *others], "leader": leader}


def _terms(sent: QueryDict) -> Terms:
    weekly = sent.get("weekly_lessons", "").strip()
    if weekly and not weekly.isdecimal():
        raise InvalidInput(_("Write a number of lessons, or nothing."), field="weekly_lessons")
    return Terms(
        name=sent.get("name", ""),
        facilitator=_facilitator(sent.get("facilitator", "")),
        begins_on=_day(sent, "begins_on"),
        ends_on=_day(sent, "ends_on"),
        weekly_lessons=int(weekly[:6]) if weekly else None,
    )


def _facilitator(typed: str) -> User | None:
    known = parse_id(typed)
    if known is None:
        return None
    found = User.objects.filter(public_id=known, is_active=True).first()
    if found is None or not courses_access.may_author(found):
        raise InvalidInput(_("This person cannot lead a class."), field="facilitator")
    return found


def _day(sent: QueryDict, field: str) -> date | None:
    typed = sent.get(field, "").strip()
    if not typed:
        return None
    try:
        found = parse_date(typed)
    except ValueError:  # looks like one, and is none: 31 February
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise InvalidInput(_("Write a day."), field=field)
    return found


@require_POST
@page
def message(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    """Write to the class, or to one in it (`to`)."""
    row, person = access.cohort_to_lead(request.user, cohort_id)
    made_id = id_of_form(request)
    try:
        to = place_of(row, request.POST["to"]).user if request.POST.get("to") else None
        text = request.POST.get("text", "")
        send = partial(messages.send, row, person, text, to=to, public_id=made_id)
        made_once(send, Message.objects.filter(public_id=made_id))
    except InvalidInput as error:
        return standing(request, row, error)
    count = 1 if to else row.places.filter(left_at=None).count()
    said = ngettext("Sent to %(count)d person.", "Sent to %(count)d people.", count)
    notes.success(request, said % {"count": count})
    return redirect("cohort", row.public_id)


def place_of(row: Cohort, typed: str) -> Place:
    known = parse_id(typed)
    found = row.places.filter(public_id=known).select_related("user").first() if known else None
    if found is None:
        raise NotFound(_("There is no such person in this class."))
    return found
