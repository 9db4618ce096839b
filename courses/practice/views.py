"""The trainee's pages: what to practise, what an attempt came to, and the classmates' link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.accounts.access import signed_in
from core.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound, SignInRequired
from core.money import Money, to_major
from core.pages import page
from courses import access as courses_access
from courses.models import Lesson
from courses.practice import access, results, services, tasks, timeline
from courses.practice.models import Attempt, AttemptState, Good, PracticeTask
from media_pipeline.models import RecordingState
from streams.access import show_by_id

OPEN_SHOWN = (AttemptState.OPEN, AttemptState.LIVE)


@require_http_methods(["GET", "POST"])
@never_cache
@page
def practice(request: HttpRequest, course_id: UUID, lesson_id: UUID) -> HttpResponse:
    """What to do and with which goods; the button that opens the studio; earlier attempts."""
    lesson = _lesson(request, course_id, lesson_id)
    task = access.task_of(lesson)
    enrolment = courses_access.enrolment_of(request.user, lesson.course)
    may_edit = courses_access.may_edit(request.user, lesson.course)
    if task is None or enrolment is None:
        if task is None and not may_edit:
            raise NotFound(_("There is nothing to practise in this lesson."))
        if may_edit:
            return redirect("lesson_practice_edit", course_id, lesson_id)
        messages.error(request, _("Join the course first, then you can practise."))
        return redirect(lesson.course.get_absolute_url())
    problem: AppError | None = None
    if request.method == "POST":
        try:
            opened = services.open_attempt(task, enrolment, _prices(request, task))
            return redirect("studio_show", opened.show_id)
        except (InvalidInput, Conflict) as error:
            problem = error
    attempts = list(services.attempts_of(task, enrolment))
    context = {
        "lesson": lesson,
        "task": task,
        "goods": [_good(request, good) for good in task.goods.all()],
        "attempts": attempts,
        "going_on": next((one for one in attempts if one.state in OPEN_SHOWN), None),
        "waits": any(one.state == AttemptState.SUBMITTED for one in attempts),
        "accepted": any(one.state == AttemptState.ACCEPTED for one in attempts),
        "may_edit": may_edit,
        "problem": problem,
        "currency": tasks.currency(),
    }
    return render(
        request, "practice/practice.html", context, status=problem.status if problem else 200
    )


def _lesson(request: HttpRequest, course_id: UUID, lesson_id: UUID) -> Lesson:
    lesson = courses_access.lesson_for_reader(signed_in(request.user), lesson_id)
    if lesson.course.public_id != course_id:
        raise NotFound(_("There is no such lesson."))
    return lesson


def _good(request: HttpRequest, good: Good) -> dict[str, Any]:
    typed = request.POST.get(f"price-{good.pk}")
    usual = to_major(good.price_minor, tasks.currency())
    return {
        "good": good,
        "usual": Money(good.price_minor, tasks.currency()),
        "drop": Money(good.drop_price_minor, tasks.currency()) if good.drop_price_minor else None,
        "price": usual if typed is None else typed,
        "image_url": f"/media/{good.image_key}" if good.image_key else "",
    }


def _prices(request: HttpRequest, task: PracticeTask) -> dict[int, int]:
    """What the trainee asks for, by the goods' keys; nothing typed is the usual price."""
    prices = {}
    for good in task.goods.all():
        typed = request.POST.get(f"price-{good.pk}", "").strip()
        if typed and not good.drop_price_minor:
            prices[good.pk] = tasks.price_of(typed, f"price-{good.pk}")
    return prices


@require_http_methods(["GET", "POST"])
@never_cache
@page
def attempt(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """One attempt: going on, or what it came to; for the trainee and those who teach."""
    if request.method == "POST":
        return _act(request, access.own_attempt(request.user, attempt_id))
    found = access.attempt_to_see(request.user, attempt_id)
    if found.state in OPEN_SHOWN:
        # What ended a moment ago may not have been told of yet.
        services.catch_up(found)
    return render(request, "practice/attempt.html", _context(request, found))


def _act(request: HttpRequest, found: Attempt) -> HttpResponse:
    done = ACTIONS.get(request.POST.get("do", ""))
    if done is None:
        raise NotFound(_("This page cannot do that."))
    act, said = done
    try:
        act(found)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said())
    return redirect("practice_attempt", found.public_id)


ACTIONS: dict[str, tuple[Callable[[Attempt], None], Callable[[], str]]] = {
    "submit": (services.submit, lambda: _("Handed in. A mentor looks at it and answers you.")),
    "delete": (services.delete_film, lambda: _("What was filmed is deleted.")),
    "give_up": (services.give_up, lambda: _("Closed. You can begin a new one at any time.")),
}


def _context(request: HttpRequest, found: Attempt) -> dict[str, Any]:
    result = results.result_of(found, services.currency_of(found))
    film = services.film_of(found)
    lesson = found.task.lesson
    return {
        "attempt": found,
        "lesson": lesson,
        "task": found.task,
        "is_own": access.is_own(request.user, found),
        "is_going_on": found.state in OPEN_SHOWN,
        "result": result,
        "sold": timeline.sold_text(result),
        "chart": timeline.chart_of(result) if result.duration_s else None,
        "advice": timeline.advice(result) if result.duration_s else [],
        "has_film": film is not None and film.state == RecordingState.READY,
        "film_is_made": film is not None and film.state == RecordingState.LIVE,
        "show_url": reverse("show", args=[found.show_id]),
        "practice_url": reverse(
            "lesson_practice", args=[lesson.course.public_id, lesson.public_id]
        ),
        "invite_url": request.build_absolute_uri(reverse("practice_join", args=[found.invite])),
        "kept_days": services.KEPT_UNSENT.days,
    }


@require_GET
@page
def of_show(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """From the studio back to the attempt that a show belongs to."""
    found = access.attempt_of_show(show_by_id(show_id))
    if found is None:
        raise access.no_such_attempt()
    seen = access.attempt_to_see(request.user, found.public_id)
    return redirect("practice_attempt", seen.public_id)


@require_http_methods(["GET", "POST"])
@never_cache
@page
def join(request: HttpRequest, invite: UUID) -> HttpResponse:
    """A classmate's way into a practice; opening the link alone joins nothing."""
    try:
        found = access.attempt_by_invitation(request.user, invite)
        if access.is_own(request.user, found):
            return redirect("practice_attempt", found.public_id)
        if request.method == "POST":
            show = services.let_in(found, signed_in(request.user))
            return redirect("show", show.public_id)
    except (SignInRequired, NotFound, NotAllowed):
        raise
    except AppError as error:
        return render(request, "practice/join.html", {"problem": error}, status=error.status)
    context = {"attempt": found, "trainee": access.trainee_of(found), "lesson": found.task.lesson}
    return render(request, "practice/join.html", context)
