"""What holds for a course's certificates, as its authors and operators set it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.accounts.access import has_role, signed_in
from core.accounts.models import Role
from core.errors import InvalidInput
from core.pages import page
from courses.access import course_for_editor
from courses.badges import issuing
from courses.badges.models import MOST_MONTHS
from courses.badges.terms import rule_of
from courses.models import Certificate, Course


@page
@require_http_methods(["GET", "POST"])
def course_badge(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    course = course_for_editor(request.user, course_id)
    if request.method == "GET":
        return _page(request, course)
    try:
        months = _months(request.POST.get("valid_months", ""))
    except InvalidInput as error:
        return _page(request, course, error)
    issuing.set_months(course, months)
    if has_role(request.user, Role.OPERATOR):
        grants = "grants_live" in request.POST
        issuing.set_grant(course, signed_in(request.user), grants_live=grants)
    messages.success(request, _("Saved."))
    return redirect("course_badge", course.public_id)


def _page(request: HttpRequest, course: Course, error: InvalidInput | None = None) -> HttpResponse:
    rule = rule_of(course)
    context = {
        "course": course,
        "rule": rule,
        "typed": request.POST.get("valid_months", rule.valid_months or ""),
        "most": MOST_MONTHS,
        "may_grant": has_role(request.user, Role.OPERATOR),
        "issued": Certificate.objects.filter(enrolment__course=course).count(),
        "error": error,
    }
    return render(request, "badges/rule.html", context, status=error.status if error else 200)


def _months(typed: str) -> int | None:
    if not typed.strip():
        return None
    if not typed.strip().isdecimal() or not 1 <= int(typed[:6]) <= MOST_MONTHS:
        raise InvalidInput(
            _("Write a whole number of months from 1 to %(most)d, or leave it empty.")
            % {"most": MOST_MONTHS},
            field="valid_months",
        )
    return int(typed)
