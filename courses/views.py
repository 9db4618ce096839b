"""The pages under `/learn/`."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import is_signed_in, signed_in
from core.errors import Conflict, NotFound
from core.pages import page
from courses import access, languages, selectors
from courses.api import lesson_state_out
from courses.feed import forms_of
from courses.models import Lesson
from courses.services import learning, prerequisites


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """`?spoken=` leaves those that are taught in one language; of another there are none."""
    everything = selectors.catalogue(request.user)
    language = request.GET.get("spoken", "")
    courses = [one for one in everything if not language or one.course.language == language]
    context = {
        # Not `language`: base.html has that of the page under this name.
        "spoken": language,
        "languages": languages.taught(one.course.language for one in everything),
        "is_empty_language": bool(language and everything and not courses),
        "mine": [one for one in courses if one.enrolment],
        "others": [one for one in courses if not one.enrolment],
        "drafts": selectors.drafts(request.user),
        "may_author": access.may_author(request.user),
        "certificate_count": selectors.certificates_of(request.user).count(),
    }
    return render(request, "courses/learn.html", context)


@page
@require_GET
def course(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    row = access.course_for_reader(request.user, course_id)
    view = selectors.course_view(row, request.user)
    context = {
        "view": view,
        "news": selectors.news_of(view),
        "before": prerequisites.missing(request.user, row) if view.enrolment is None else [],
        "other_languages": selectors.other_languages(row),
        "may_edit": access.may_edit(request.user, row),
        "may_watch": access.may_watch(request.user, row),
    }
    return render(request, "courses/course.html", context)


@require_POST
@page
def enrol(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    """Join and begin. Whoever has to sign in first comes back to the course."""
    row = access.course_for_reader(request.user, course_id)
    if not is_signed_in(request.user):
        return redirect_to_login(row.get_absolute_url())
    try:
        prerequisites.require(request.user, row)
        learning.enrol(request.user, row)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect(row)
    following = selectors.course_view(row, request.user).next_lesson
    return redirect(following.lesson if following else row)


@require_POST
@page
def move_on(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    """Go on in the newest edition; what was done stays done."""
    row = access.course_for_reader(request.user, course_id)
    enrolment = access.enrolment_of(signed_in(request.user), row)
    if enrolment is not None:
        learning.move_on(enrolment)
        messages.success(request, _("You are in the new edition. What you have done stays done."))
    return redirect(row)


@page
@require_GET
def lesson(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    row = access.lesson_for_reader(request.user, lesson_id)
    signed_in(request.user)
    if row.course.public_id != course_id:
        raise NotFound(_("There is no such lesson."))
    if not access.may_watch(request.user, row.course):
        messages.info(request, _("Join the course to watch its lessons."))
        return redirect(row.course)
    if "preview" in request.GET and access.may_edit(request.user, row.course):
        context = _lesson_context(request, row, selectors.preview_of(row.course))
    else:
        context = _lesson_context(request, row, selectors.view_with(row, request.user))
    return render(request, "courses/lesson.html", context)


def _lesson_context(
    request: HttpRequest, row: Lesson, view: selectors.CourseView
) -> dict[str, Any]:
    following = view.lesson_after(row)
    forms = forms_of(row)
    return {
        "view": view,
        "current": view.view_of(row),
        "following": following,
        "may_watch": True,
        "forms": forms,
        "data": {
            **lesson_state_out(view, row, may_watch=True),
            "person": str(signed_in(request.user).public_id),
            "forms": {
                "light": forms.first_url,
                "sound": forms.sound_url,
                "full": forms.full_url,
            },
            "next_url": following.lesson.get_absolute_url() if following else None,
        },
    }
