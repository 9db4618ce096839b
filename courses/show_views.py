"""From an ended show to a course: the proposals with their evidence, to tick, trim and publish."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.accounts.models import User
from core.errors import AppError, InvalidInput, NotAllowed, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from courses import access, languages
from courses.models import Course
from courses.proposals import EMPTY, Part, ShowToCut, show_to_cut
from courses.services import editions, from_show
from courses.services.from_show import Agreement, Pick
from media_pipeline.services import consents
from streams.models import Show
from streams.studio import selectors as studio_selectors

MOST_ROWS = 60
# Of a number in a form: "1:02:59.9" is the longest that means anything.
LONGEST_NUMBER = 12


@page
@require_http_methods(["GET", "POST"])
def course_of_show(request: HttpRequest, show_id: uuid.UUID) -> HttpResponse:
    person, show = access.show_to_teach(request.user, show_id)
    course = _asked_course(request)
    found = show_to_cut(show)
    if request.method == "GET":
        return _page(request, show, course, found, {"title": show.title})
    try:
        picks = _picks(request.POST)
        made = _made(request, person, show, course, picks)
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        return _page(request, show, course, _typed(request.POST, found), {"error": error})
    messages.success(request, _told(made, len(picks)))
    return redirect("course_edit", made.public_id)


def _asked_course(request: HttpRequest) -> Course | None:
    """The course to which the lessons are added; none: a new one is made."""
    asked = parse_id(request.GET.get("course", ""))
    return access.course_for_editor(request.user, asked) if asked else None


def _page(
    request: HttpRequest,
    show: Show,
    course: Course | None,
    found: ShowToCut,
    more: dict[str, Any],
) -> HttpResponse:
    error: AppError | None = more.get("error")
    context = {
        "show": show,
        "course": course,
        "found": found,
        "empty": EMPTY,
        "next_row": 1 + max((int(part.row) for part in found.parts), default=-1),
        "may_agree": access.may_agree_for(request.user, show),
        "title": request.POST.get("title", more.get("title", "")),
        "language": request.POST.get("course_language", languages.of_page()),
        "languages": languages.choices(),
        "agreed": request.POST.get("agree"),
        "consent": {
            "version": consents.VERSION,
            "language": get_language(),
            "wording": consents.wording(),
        },
        "data": {
            "show_id": str(show.public_id),
            "replay": studio_selectors.replay_data(show.public_id),
        },
        **more,
    }
    status = error.status if error else 200
    return render(request, "courses/of_show.html", context, status=status)


def _made(
    request: HttpRequest, person: User, show: Show, course: Course | None, picks: list[Pick]
) -> Course:
    agreement = _agreement(request, person, show)
    edition = _number(request.POST.get("edition", ""))
    if course is not None:
        from_show.add_from_show(course, show, picks, edition=edition, agreement=agreement)
        return course
    made_id = id_of_form(request)
    make = partial(
        from_show.course_of_show,
        show,
        picks,
        title=request.POST.get("title", ""),
        language=request.POST.get("course_language", ""),
        edition=edition,
        agreement=agreement,
        is_published=request.POST.get("do") != "draft",
        public_id=made_id,
    )
    return made_once(make, Course.objects.filter(public_id=made_id))


def _agreement(request: HttpRequest, person: User, show: Show) -> Agreement:
    access.require_may_agree_for(person, show)
    version = request.POST.get("agree", "")
    if not version:
        raise InvalidInput(_("Tick the box if you agree for the seller."), field="agree")
    return Agreement(person, version, request.POST.get("language", ""))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER - 3:
        raise InvalidInput(_("Please reload the page."), field="edition")
    return int(text)


def _told(course: Course, count: int) -> str:
    edition = editions.draft_if_any(course)
    if edition is None:
        return _("Published. Everybody can join now.")
    if edition.publish_when_ready:
        return _("The lessons are being cut. The course is published by itself when they are.")
    return _("The lessons are being cut and are in the draft.")


def _picks(post: QueryDict) -> list[Pick]:
    """What is ticked, in the order of the page. `InvalidInput` names the row's field."""
    return [
        Pick(
            row=row,
            title=post.get(f"title-{row}", ""),
            start_s=_seconds(post, "start_s", row),
            end_s=_seconds(post, "end_s", row),
            lot=post.get(f"lot-{row}", ""),
        )
        for row in _rows(post)
        if post.get(f"pick-{row}")
    ]


def _rows(post: QueryDict) -> Iterator[int]:
    rows = post.getlist("row")[:MOST_ROWS]
    return (int(row) for row in dict.fromkeys(rows) if row.isascii() and row.isdigit())


def _seconds(post: QueryDict, name: str, row: int) -> float:
    """ "1:05.5" or "65.5" as seconds; a colon of either width."""
    text = post.get(f"{name}-{row}", "").strip().replace("：", ":")
    parts = text.split(":")
    try:
        if not text or len(text) > LONGEST_NUMBER or len(parts) > 3:
            raise ValueError
        if not all(char in "0123456789.:" for char in text):
            raise ValueError
        return math.fsum(float(part) * 60.0**power for power, part in enumerate(reversed(parts)))
    except ValueError as error:
        raise InvalidInput(
            _("Write a time as minutes and seconds, for example 1:05."), field=f"{name}.{row}"
        ) from error


def _typed(post: QueryDict, found: ShowToCut) -> ShowToCut:
    """The page's parts as they were sent, in their order, so that nothing typed is lost."""
    known = dict(enumerate(found.parts))
    return replace(found, parts=[_typed_part(post, row, known.get(row)) for row in _rows(post)])


def _typed_part(post: QueryDict, row: int, known: Part | None) -> Part:
    return Part(
        title=post.get(f"title-{row}", ""),
        start_s=_typed_time(post, "start_s", row),
        end_s=_typed_time(post, "end_s", row),
        product=known.product if known else "",
        reasons=known.reasons if known else [],
        is_ticked=bool(post.get(f"pick-{row}")),
        lot=post.get(f"lot-{row}", ""),
        row=row,
    )


def _typed_time(post: QueryDict, name: str, row: int) -> float | str:
    try:
        return _seconds(post, name, row)
    except InvalidInput:
        return post.get(f"{name}-{row}", "")[:LONGEST_NUMBER]
