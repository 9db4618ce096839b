"""The pages on which a course is saved as one file, and a draft is made of such a file."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.accounts.access import signed_in
from core.errors import AppError, Conflict, InvalidInput
from core.pages import page
from courses import access
from courses.exchange import exporting, importing, manifest
from courses.exchange.exporting import Plan
from media_pipeline.storage import work_folder

# As livecommerce/body_limit.py takes it, less what a form's own lines need.
LARGEST_MB = 40


@require_http_methods(["GET", "POST"])
@page
def export(request: HttpRequest, course_id: uuid.UUID) -> HttpResponseBase:
    """What goes into the file and what does not; then the file."""
    course = access.course_for_editor(request.user, course_id)
    context: dict[str, object] = {"course": course}
    try:
        plan = exporting.planned(course, by=signed_in(request.user))
        context["plan"] = plan
        if request.method == "POST":
            _require_word(request)
            return _sent(plan)
    except Conflict as error:
        context["error"] = error
        status = error.status if request.method == "POST" else 200
        return render(request, "courses/exchange/export.html", context, status=status)
    return render(request, "courses/exchange/export.html", context)


def _require_word(request: HttpRequest) -> None:
    if not request.POST.get("sellers_know"):
        raise Conflict(_("Ask the sellers first, then tick that they know."), field="sellers_know")


def _sent(plan: Plan) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(_blocks(exporting.stream(plan)), content_type="application/zip")
    answer["Content-Disposition"] = content_disposition_header(True, plan.file_name) or ""
    answer["Cache-Control"] = "no-store"
    return answer


async def _blocks(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """One at a time: of an iterator that is not async, Django would first gather the whole."""
    following = sync_to_async(lambda: next(blocks, None))
    while (block := await following()) is not None:
        yield block


@require_http_methods(["GET", "POST"])
@page
def bring(request: HttpRequest) -> HttpResponse:
    """A draft of a file that another instance wrote."""
    author = access.author(request.user)
    context: dict[str, object] = {"largest_mb": LARGEST_MB, "suffix": manifest.SUFFIX}
    if request.method == "GET":
        return render(request, "courses/exchange/import.html", context)
    try:
        with _posted(request) as path:
            done = importing.bring(path, owner=author, again="again" in request.POST)
    except AppError as error:
        context["error"] = error
        return render(request, "courses/exchange/import.html", context, status=error.status)
    messages.success(
        request, _("“%(title)s” is a draft of yours now.") % {"title": done.course.title}
    )
    if done.not_here:
        told = _("These courses, to be finished before it, are not here: %(titles)s.")
        messages.info(request, told % {"titles": ", ".join(done.not_here)})
    return redirect("course_edit", done.course.public_id)


@contextmanager
def _posted(request: HttpRequest) -> Iterator[Path]:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise InvalidInput(_("Choose a file first."), field="file")
    with NamedTemporaryFile(dir=work_folder(), suffix=manifest.SUFFIX) as kept:
        for block in file.chunks():
            kept.write(block)
        kept.flush()
        yield Path(kept.name)
