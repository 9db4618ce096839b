"""The author's page of a practice task."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.accounts.access import signed_in
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import parse_id
from core.money import Money
from core.pages import page
from courses.models import Lesson
from courses.practice import access, tasks
from courses.practice.models import LONGEST_MIN, SHORTEST_MIN, PracticeTask
from sellers.models import Variant

Problem = InvalidInput | Conflict | None


@require_http_methods(["GET", "POST"])
@never_cache
@page
def edit(request: HttpRequest, course_id: UUID, lesson_id: UUID) -> HttpResponse:
    lesson = access.lesson_to_edit(request.user, lesson_id)
    if lesson.course.public_id != course_id:
        raise NotFound(_("There is no such lesson."))
    if request.method == "GET":
        return _shown(request, lesson)
    act = ACTIONS.get(request.POST.get("do", ""))
    if act is None:
        raise NotFound(_("This page cannot do that."))
    try:
        messages.success(request, act(request, lesson))
    except (InvalidInput, Conflict) as problem:
        return _shown(request, lesson, problem)
    return redirect("lesson_practice_edit", course_id, lesson_id)


def _shown(request: HttpRequest, lesson: Lesson, problem: Problem = None) -> HttpResponse:
    task, sent = access.task_of(lesson), request.POST
    goods = list(task.goods.all()) if task else []
    context: dict[str, Any] = {
        "lesson": lesson,
        "task": task,
        "goods": [
            {
                "good": good,
                "price": Money(good.price_minor, tasks.currency()),
                "drop": _money(good.drop_price_minor),
            }
            for good in goods
        ],
        "is_full": len(goods) >= tasks.MOST_GOODS,
        "variants": tasks.copyable(signed_in(request.user), lesson) if task else [],
        "brief": sent.get("brief", task.brief if task else _first_words()),
        "minutes": sent.get("minutes", task.minutes if task else 5),
        "sent": sent,
        "problem": problem,
        "field": getattr(problem, "field", "") or "",
        "shortest": SHORTEST_MIN,
        "longest": LONGEST_MIN,
        "currency": tasks.currency(),
        "tried": task.attempts.exclude(began_at=None).count() if task else 0,
    }
    status = problem.status if problem else 200
    return render(request, "practice/task.html", context, status=status)


def _money(minor: int | None) -> Money | None:
    return Money(minor, tasks.currency()) if minor else None


def _first_words() -> str:
    return _(
        "Sell live for five minutes. Greet who comes, pin each product while you talk about it,"
        " answer every question, and open the flash offer near the end."
    )


def _write(request: HttpRequest, lesson: Lesson) -> str:
    tasks.write_task(
        lesson,
        signed_in(request.user),
        brief=request.POST.get("brief", ""),
        minutes=request.POST.get("minutes", ""),
    )
    return _("Saved.")


def _add(request: HttpRequest, lesson: Lesson) -> str:
    names = ("title", "variant_title", "price", "drop_price", "stock", "about")
    sent = {name: request.POST[name] for name in names if name in request.POST}
    for name in ("title", "variant_title", "price"):
        sent.setdefault(name, "")
    tasks.add_good(_task(lesson), tasks.Typed(**sent))
    return _("Added.")


def _copy(request: HttpRequest, lesson: Lesson) -> str:
    task, wanted = _task(lesson), parse_id(request.POST.get("variant", ""))
    found = tasks.copyable(signed_in(request.user), lesson)
    variant: Variant | None = next((one for one in found if one.public_id == wanted), None)
    if variant is None:
        raise InvalidInput(_("Please choose one of the products."), field="variant")
    tasks.copy_good(task, variant)
    return _("Copied. What happens in practice never touches the real one.")


def _remove(request: HttpRequest, lesson: Lesson) -> str:
    good = request.POST.get("good", "")
    if not (good.isascii() and good.isdecimal() and len(good) < 18):
        raise NotFound(_("This page cannot do that."))
    tasks.remove_good(_task(lesson), int(good))
    return _("Taken out.")


def _delete(request: HttpRequest, lesson: Lesson) -> str:
    tasks.remove_task(_task(lesson))
    return _("The lesson is done without practice now.")


def _task(lesson: Lesson) -> PracticeTask:
    task = access.task_of(lesson)
    if task is None:
        raise Conflict(_("Say first what to do, and save it."))
    return task


ACTIONS = {"write": _write, "add": _add, "copy": _copy, "remove": _remove, "delete": _delete}
