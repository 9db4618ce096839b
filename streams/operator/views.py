"""The page of those who run the instance: what is on the air, what waits, and the stop button."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict, InvalidInput
from core.pages import page
from streams.access import require_operator
from streams.models import StopReason
from streams.operator import selectors
from streams.services import approvals, stopping


@require_GET
@never_cache
@page
def shows(request: HttpRequest) -> HttpResponse:
    require_operator(request.user)
    return _shown(request)


@require_POST
@page
def stop(request: HttpRequest, show_id: UUID) -> HttpResponse:
    sent = request.POST
    try:
        stopped = stopping.stop_show(
            show_id,
            signed_in(request.user),
            kind=sent.get("kind", ""),
            words=sent.get("words", ""),
            withhold="withhold" in sent,
        )
    except (InvalidInput, Conflict) as error:
        return _refused(request, show_id, error)
    told = _("“%(title)s” has ended.") if stopped.was_on_air else _("“%(title)s” is hidden.")
    messages.success(request, told % {"title": stopped.show.title})
    return redirect("operator_shows")


@require_POST
@page
def release(request: HttpRequest, show_id: UUID) -> HttpResponse:
    try:
        released = stopping.release(show_id, signed_in(request.user))
    except Conflict as error:
        return _refused(request, show_id, error)
    told = _("The replay of “%(title)s” can be watched again.") % {"title": released.show.title}
    messages.success(request, told)
    return redirect("operator_shows")


@require_POST
@page
def approve(request: HttpRequest, show_id: UUID) -> HttpResponse:
    said = approvals.approve(show_id, signed_in(request.user))
    told = _("%(seller)s can go live, today and from now on.") % {"seller": said.seller.name}
    messages.success(request, told)
    return redirect("operator_shows")


@require_POST
@page
def refuse(request: HttpRequest, show_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        said = approvals.refuse(show_id, signed_in(request.user), reason)
    except (InvalidInput, Conflict) as error:
        return _refused(request, show_id, error)
    told = _("%(seller)s is told why this show cannot go live.") % {"seller": said.seller.name}
    messages.success(request, told)
    return redirect("operator_shows")


def _refused(request: HttpRequest, show_id: UUID, error: InvalidInput | Conflict) -> HttpResponse:
    """The page again, with what was typed where it was typed and the form open."""
    return _shown(request, problem=error, problem_at=show_id)


def _shown(
    request: HttpRequest,
    *,
    problem: InvalidInput | Conflict | None = None,
    problem_at: UUID | None = None,
) -> HttpResponse:
    context = {
        "on_air": selectors.on_air(),
        "waiting": selectors.waiting(),
        "refused": selectors.refused(),
        "stops": stopping.stops()[: selectors.STOPS_SHOWN],
        "reasons": StopReason.choices,
        "longest_words": stopping.LONGEST_WORDS,
        "problem": problem,
        "problem_at": problem_at,
        "typed": request.POST,
    }
    status = problem.status if problem else 200
    return render(request, "operator/shows.html", context, status=status)
