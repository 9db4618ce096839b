"""Tables down and up: orders as CSV, and tracking numbers from a carrier's or clerk's table."""

from __future__ import annotations

import hashlib
from functools import partial
from uuid import UUID, uuid5

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from core.accounts.access import signed_in
from core.errors import AppError, InvalidInput
from core.pages import id_of_form, made_once, page
from core.text import clean_line
from orders import sheets, tracking_file
from orders.models import TrackingUpload
from orders.services import tracking as service
from orders.studio import access, export, search

SHOWN = 100


@require_GET
@page
def orders_csv(request: HttpRequest) -> HttpResponseBase:
    """The ticked orders, or all that the filters find, as they come from the database."""
    sellers = access.sellers_for(request.user)
    lines = export.lines(search.chosen(sellers, request.GET))
    answer = StreamingHttpResponse(lines, content_type=sheets.TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{sheets.file_name("orders")}"'
    return answer


@require_http_methods(["GET", "POST"])
@page
def tracking(request: HttpRequest) -> HttpResponse:
    """Upload a table of tracking numbers; nothing is done before one has seen what it would do."""
    access.sellers_for(request.user)
    error = ""
    if request.method == "POST":
        try:
            upload = _kept(request)
        except InvalidInput as refused:
            error = refused.message
        else:
            return redirect("studio_tracking_upload", upload_id=upload.public_id)
    context = {"error": error, "most_rows": tracking_file.MOST_ROWS}
    return render(request, "studio/tracking.html", context, status=422 if error else 200)


def _kept(request: HttpRequest) -> TrackingUpload:
    file = request.FILES.get(tracking_file.FIELD)
    if not isinstance(file, UploadedFile):
        raise InvalidInput(_("Please choose a file."), field=tracking_file.FIELD)
    if file.size is None or file.size > tracking_file.MOST_BYTES:
        raise tracking_file.too_big()
    data = file.read()
    # Another file from the same page, after going back, is another upload.
    public_id = uuid5(id_of_form(request), hashlib.sha256(data).hexdigest())
    name = clean_line(file.name or "", "file", longest=120, shortest=0)
    keep = partial(service.keep_upload, signed_in(request.user), name, data, public_id=public_id)
    return made_once(keep, TrackingUpload.objects.filter(public_id=public_id))


@require_http_methods(["GET", "POST"])
@page
def tracking_upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """What the table would do, line by line where it cannot be done; a post does it."""
    sellers, actor = access.sellers_for(request.user), signed_in(request.user)
    upload = service.upload_of(actor, upload_id)
    error = ""
    if request.method == "POST":
        all_or_nothing = request.POST.get("mode") != "keep"
        try:
            outcome = service.carry_out(upload, sellers, actor, all_or_nothing=all_or_nothing)
        except AppError as refused:
            error = refused.message
        else:
            _say(request, outcome)
            return redirect("studio_tracking_upload", upload_id=upload_id)
    return _preview(request, upload, error)


def _preview(request: HttpRequest, upload: TrackingUpload, error: str) -> HttpResponse:
    try:
        plan = service.plan(upload, access.sellers_for(request.user))
    except InvalidInput as refused:
        plan, error = service.Plan(), refused.message
    context = {
        "upload": upload,
        "plan": plan,
        "ready": plan.ready[:SHOWN],
        "bad": plan.bad[:SHOWN],
        "more_bad": max(0, len(plan.bad) - SHOWN),
        "more_ready": max(0, len(plan.ready) - SHOWN),
        "at_once": service.MOST_MOVES,
        "error": error,
    }
    return render(request, "studio/tracking_upload.html", context, status=422 if error else 200)


def _say(request: HttpRequest, outcome: service.Outcome) -> None:
    said = ngettext(
        "%(count)d order has its tracking number now.",
        "%(count)d orders have their tracking numbers now.",
        outcome.sent,
    )
    messages.success(request, said % {"count": outcome.sent})
    if outcome.left:
        left = ngettext("%(count)d more to go.", "%(count)d more to go.", outcome.left)
        messages.info(request, left % {"count": outcome.left})
