"""The pages of jobs: a seller's own in the studio, and all of them for operators."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.accounts.access import signed_in
from core.errors import Conflict
from core.pages import page
from media_pipeline import control
from streams.jobs import selectors

FRAGMENT = "X-Fragment"


@require_GET
@never_cache
@page
def studio_jobs(request: HttpRequest) -> HttpResponse:
    return _shown(request, everything=False)


@require_GET
@never_cache
@page
def operator_jobs(request: HttpRequest) -> HttpResponse:
    return _shown(request, everything=True)


@require_POST
@page
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = selectors.job_to_change(request.user, job_id)
    try:
        control.cancel(job, signed_in(request.user))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("It is cancelled. You can start it again below."))
    return _back(request)


@require_POST
@page
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = selectors.job_to_change(request.user, job_id)
    try:
        control.retry(job)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("It is waiting for its turn again."))
    return _back(request)


def _shown(request: HttpRequest, *, everything: bool) -> HttpResponse:
    found = selectors.jobs_seen_by(request.user, everything=everything)
    context = {"groups": selectors.grouped(found), "everything": everything}
    template = "jobs/_jobs.html" if FRAGMENT in request.headers else "jobs/jobs.html"
    return render(request, template, context)


def _back(request: HttpRequest) -> HttpResponse:
    return redirect("operator_jobs" if request.POST.get("from") == "operator" else "studio_jobs")
