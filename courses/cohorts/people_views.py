"""Who is in a class: its link and code, lists of people, invitations, and taking people out."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import segno
from django.contrib import messages as notes
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from core.accounts.models import User
from core.errors import AppError, InvalidInput, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from core.text import clean_line
from courses.cohorts import access, places, roster_file, rosters
from courses.cohorts.lead_views import place_of
from courses.cohorts.models import Cohort, Roster
from courses.cohorts.newcomers import door
from orders import tracking_file

SHOWN = 100


@page
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    row, person = access.cohort_to_lead(request.user, cohort_id)
    if request.method == "GET":
        return render(request, "cohorts/people.html", _people(request, row))
    if request.POST.get("do") == "list":
        return _listed(request, row, person)
    action = ACTIONS.get(request.POST.get("do", ""))
    if action is None:
        raise NotFound(_("This page cannot do that."))
    return action(request, row, person)


def _people(request: HttpRequest, row: Cohort, error: AppError | None = None) -> dict[str, Any]:
    way_in = door()
    path = reverse("cohort_join", args=[row.invite])
    link = way_in.address(request, path) if way_in else request.build_absolute_uri(path)
    return {
        "cohort": row,
        "link": link,
        "qr": segno.make(link, micro=False, error="m").svg_data_uri(border=2),
        "expected": row.expected.filter(came_at=None, withdrawn_at=None)[:300],
        "most": roster_file.MOST_PEOPLE,
        "may_invite": access.may_invite(request.user) and way_in is not None,
        "error": error,
        "typed": request.POST.get("people", "") if error else "",
    }


def _listed(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    """Keep what was typed or uploaded, and show what it would do."""
    try:
        kept = _kept(request, row, person)
    except InvalidInput as error:
        context = _people(request, row, error)
        return render(request, "cohorts/people.html", context, status=error.status)
    return redirect("cohort_roster", row.public_id, kept.public_id)


def _kept(request: HttpRequest, row: Cohort, person: User) -> Roster:
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile) and file.name:
        if file.size is None or file.size > tracking_file.MOST_BYTES:
            raise tracking_file.too_big()
        text = roster_file.text_of_file(file.read())
        name = clean_line(file.name, "file", longest=120, shortest=0)
    else:
        text, name = roster_file.text_of_typed(request.POST.get("people", "")), ""
    # Another list from the same page, after going back, is another one.
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    public_id = uuid.uuid5(id_of_form(request), digest)
    keep = partial(rosters.keep, row, person, text, name=name, public_id=public_id)
    return made_once(keep, Roster.objects.filter(public_id=public_id))


@page
@require_http_methods(["GET", "POST"])
def roster(request: HttpRequest, cohort_id: uuid.UUID, roster_id: uuid.UUID) -> HttpResponse:
    """What the list would do, line by line where it cannot be done; a post does it."""
    row, person = access.cohort_to_lead(request.user, cohort_id)
    kept = access.roster_of(person, row, roster_id)
    error = ""
    if request.method == "POST" and request.POST.get("mode") in ("all", "keep"):
        try:
            done = rosters.carry_out(kept, person, keep_good=request.POST["mode"] == "keep")
        except AppError as refused:
            error = refused.message
        else:
            _say(request, done)
            return redirect("cohort_people" if done.invite else "cohort", row.public_id)
    elif request.method == "POST":
        return redirect("cohort_people", row.public_id)
    plan = rosters.plan(kept, person)
    context = {
        "cohort": row,
        "roster": kept,
        "plan": plan,
        "bad": plan.bad[:SHOWN],
        "more_bad": max(0, len(plan.bad) - SHOWN),
        "error": error,
    }
    return render(request, "cohorts/roster.html", context, status=409 if error else 200)


def _say(request: HttpRequest, done: rosters.Plan) -> None:
    joined, invited = len(done.join), len(done.invite)
    if joined:
        said = ngettext("%(count)d person joined.", "%(count)d people joined.", joined)
        notes.success(request, said % {"count": joined})
    if invited:
        said = ngettext(
            "%(count)d person is invited: print the code, or send the link.",
            "%(count)d people are invited: print their codes, or send their links.",
            invited,
        )
        notes.success(request, said % {"count": invited})


@page
@require_GET
def codes(request: HttpRequest, cohort_id: uuid.UUID) -> HttpResponse:
    """A sheet to print: everybody who is invited, each with a code of their own."""
    row, _person = access.cohort_to_lead(request.user, cohort_id)
    way_in = door()
    if way_in is None or not access.may_invite(request.user):
        raise NotFound(_("There is nothing here."))
    waiting = row.expected.filter(came_at=None, withdrawn_at=None).select_related("invitation")
    sheets = []
    for one in waiting[:300]:
        if one.invitation is not None and one.invitation.state == "open":
            address = way_in.address(request, way_in.path(one.invitation))
            code = segno.make(address, micro=False, error="m").svg_data_uri(border=2)
            sheets.append({"expected": one, "address": address, "qr": code})
    return render(request, "cohorts/codes.html", {"cohort": row, "sheets": sheets})


# What the buttons do.


def _remove(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    place = place_of(row, request.POST.get("place", ""))
    places.leave(place, person)
    return redirect(f"{reverse('cohort', args=[row.public_id])}?removed={place.public_id}")


def _back(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    place = place_of(row, request.POST.get("place", ""))
    places.come_back(place)
    notes.success(request, _("%(name)s is back.") % {"name": place.user.shown_name})
    return redirect("cohort", row.public_id)


def _open(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    places.set_joinable(row, is_joinable=True)
    return redirect("cohort_people", row.public_id)


def _close(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    places.set_joinable(row, is_joinable=False)
    notes.success(request, _("Nobody can join by the link now. Who is in the class stays."))
    return redirect("cohort_people", row.public_id)


def _renew(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    places.renew_link(row)
    notes.success(request, _("There is a new link. The old one leads nowhere now."))
    return redirect("cohort_people", row.public_id)


def _withdraw(request: HttpRequest, row: Cohort, person: User) -> HttpResponse:
    known, way_in = parse_id(request.POST.get("expected", "")), door()
    found = row.expected.filter(public_id=known).first() if known else None
    if found is None or way_in is None:
        raise NotFound(_("There is no such person in this class."))
    places.withdraw(found, way_in)
    notes.success(request, _("%(name)s is not invited any more.") % {"name": found.name})
    return redirect("cohort_people", row.public_id)


ACTIONS: dict[str, Callable[[HttpRequest, Cohort, User], HttpResponse]] = {
    "remove": _remove,
    "back": _back,
    "open": _open,
    "close": _close,
    "renew": _renew,
    "withdraw": _withdraw,
}
