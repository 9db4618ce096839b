"""The pages under `/learn/reviews/`, and the editor of a course's rubric."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import AppError, Conflict
from core.ids import parse_id
from core.pages import page
from courses.access import course_for_editor
from courses.models import Course
from courses.practice.access import is_own
from courses.practice.models import Attempt
from courses.reviews import access, acts, films, rubrics, selectors, services
from courses.reviews.api import draft_out
from courses.reviews.models import Rubric

SPARE_ROWS = 1


@page
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    person = access.reviewer(request.user)
    context = {
        "waiting": selectors.queue(person),
        "answered": selectors.unread_by_mentor(person),
        "done": selectors.done_by(person),
        "first": selectors.first_reviews(),
    }
    return render(request, "reviews/queue.html", context)


@page
@require_GET
def review(request: HttpRequest, attempt_id: uuid.UUID) -> HttpResponse:
    person = signed_in(request.user)
    attempt = access.attempt_to_read(person, attempt_id)
    found = selectors.review_of(attempt)
    is_trainee = is_own(person, attempt)
    is_mine = found is not None and found.mentor_id == person.pk
    context = _context(request, attempt, person, is_trainee=is_trainee)
    if found is not None and found.is_sent:
        context |= {"view": selectors.review_view(found), "mode": "sent"}
        services.note_read(found, person, is_trainee=is_trainee)
    elif found is not None and is_mine:
        context |= {"view": selectors.review_view(found), "mode": "draft"}
    else:
        context |= {"mode": "waits"}
    context["data"] = _data(context, person)
    return render(request, "reviews/review.html", context)


def _context(
    request: HttpRequest, attempt: Attempt, person: User, *, is_trainee: bool
) -> dict[str, Any]:
    before = list(access.earlier(attempt))
    return {
        "attempt": attempt,
        "trainee": attempt.enrolment.user,
        "lesson": attempt.task.lesson,
        "is_trainee": is_trainee,
        "waiting": selectors.waiting(attempt, person),
        "first": selectors.first_reviews(),
        "film": films.film_of(attempt),
        "acts": acts.acts_of(attempt),
        "earlier": before,
        "beside": _beside(before, request.GET.get("with", "")),
        "longest": {"words": services.LONGEST_WORDS, "comment": services.LONGEST_COMMENT},
    }


def _beside(before: list[Attempt], wanted: str) -> dict[str, Any] | None:
    """The earlier attempt that is looked at beside this one, if any is."""
    attempt = next((one for one in before if one.public_id == parse_id(wanted)), None)
    if attempt is None:
        return None
    found = selectors.review_of(attempt)
    view = selectors.review_view(found) if found and found.is_sent else None
    return {"attempt": attempt, "film": films.film_of(attempt), "view": view}


def _data(context: dict[str, Any], person: User) -> dict[str, Any]:
    """What the page's script needs."""
    attempt, beside, view = context["attempt"], context["beside"], context.get("view")
    is_draft = context["mode"] == "draft"
    return {
        "id": attempt.public_id,
        "person": person.public_id,
        "mode": context["mode"],
        "longest": context["longest"],
        "film": asdict(context["film"]),
        "comments": [] if is_draft else _pinned(view),
        "draft": draft_out(view.review).model_dump() if view and is_draft else None,
        "beside": beside
        and {
            "id": beside["attempt"].public_id,
            "film": asdict(beside["film"]),
            "comments": _pinned(beside["view"]),
        },
    }


def _pinned(view: selectors.ReviewView | None) -> list[dict[str, Any]]:
    if view is None:
        return []
    return [
        {"id": one.comment.public_id, "at_s": one.comment.at_s, "text": one.comment.text}
        for one in view.comments
    ]


@require_POST
@page
def claim(request: HttpRequest, attempt_id: uuid.UUID) -> HttpResponse:
    attempt = access.attempt_to_review(request.user, attempt_id)
    try:
        services.claim(attempt, signed_in(request.user))
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("review", attempt.public_id)


@require_POST
@page
def give_back(request: HttpRequest, attempt_id: uuid.UUID) -> HttpResponse:
    attempt = access.attempt_to_review(request.user, attempt_id)
    services.give_back(attempt, signed_in(request.user))
    messages.success(request, _("Given back. What you wrote is kept for whoever goes on."))
    return redirect("review_queue")


@page
@require_http_methods(["GET", "POST"])
def rubric_edit(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    course = course_for_editor(request.user, course_id)
    rubric = Rubric.objects.filter(course=course).first()
    version = rubric.version if rubric else 0
    if request.method == "GET":
        language = request.GET.get("default") or course.language or get_language() or "en"
        is_default = rubric is None or "default" in request.GET
        rows = rubrics.default_rows(language) if is_default or rubric is None else rubric.rows
        return _rubric_page(request, course, rows, version)
    rows = _posted_rows(request)
    if request.POST.get("do") == "more":
        return _rubric_page(request, course, rows, _posted_version(request), spare=2)
    try:
        rubrics.save(course, rows, version=_posted_version(request), actor=signed_in(request.user))
    except rubrics.RubricChanged as error:
        return _rubric_page(request, course, rows, version, error)
    except AppError as error:
        return _rubric_page(request, course, rows, _posted_version(request), error)
    messages.success(request, _("Saved. Reviews that were begun before keep what they had."))
    return redirect("rubric_edit", course.public_id)


def _posted_version(request: HttpRequest) -> int:
    typed = request.POST.get("version", "")
    return int(typed[:9]) if typed.isdecimal() else 0


def _posted_rows(request: HttpRequest) -> list[rubrics.Row]:
    parts = (request.POST.getlist(name) for name in ("title", "about", "levels"))
    return [
        {"title": title, "about": about, "levels": levels.splitlines()}
        for title, about, levels in zip_longest(*parts, fillvalue="")
    ]


def _rubric_page(
    request: HttpRequest,
    course: Course,
    rows: list[rubrics.Row],
    version: int,
    error: AppError | None = None,
    *,
    spare: int = SPARE_ROWS,
) -> HttpResponse:
    empty: rubrics.Row = {"title": "", "about": "", "levels": []}
    shown = rows if error else [*(row for row in rows if row != empty), *[empty] * spare]
    context = {
        "course": course,
        "rows": [
            {
                **row,
                "number": number,
                "typed": "\n".join(row["levels"]),
                "fields": {part: f"{part}-{number}" for part in row},
            }
            for number, row in enumerate(shown[: rubrics.MOST_ROWS])
        ],
        "version": version,
        "may_add": len(shown) < rubrics.MOST_ROWS,
        "is_new": version == 0,
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "reviews/rubric.html", context, status=status)
