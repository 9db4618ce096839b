"""The pages under `/learn/`, and the public one that verifies a certificate."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.accounts.access import is_signed_in, signed_in
from core.accounts.models import User
from core.errors import AppError, NotAllowed, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from courses import access, selectors
from courses.api import lesson_state_out
from courses.models import Certificate, Course, Lesson
from courses.services import authoring, certificates, learning
from media_pipeline.models import Asset
from media_pipeline.services import consents
from streams.clips import access as clips_access


@require_GET
def learn(request: HttpRequest) -> HttpResponse:
    courses = selectors.catalogue(request.user)
    context = {
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
    context = {
        "view": selectors.course_view(row, request.user),
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
    learning.enrol(request.user, row)
    following = selectors.course_view(row, request.user).next_lesson
    return redirect(following.lesson if following else row)


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
    return render(request, "courses/lesson.html", _lesson_context(request, row))


def _lesson_context(request: HttpRequest, row: Lesson) -> dict[str, Any]:
    view = selectors.course_view(row.course, request.user)
    following = view.lesson_after(row)
    return {
        "view": view,
        "current": view.view_of(row),
        "following": following,
        "may_watch": True,
        "data": {
            **lesson_state_out(view, row, may_watch=True),
            "person": str(signed_in(request.user).public_id),
            "next_url": following.lesson.get_absolute_url() if following else None,
        },
    }


@page
@require_GET
def my_certificates(request: HttpRequest) -> HttpResponse:
    holder = signed_in(request.user)
    context = {"certificates": selectors.certificates_of(holder)}
    return render(request, "courses/certificates.html", context)


@require_GET
def verify(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """Anybody may ask. An unknown certificate is an answer too, with status 404."""
    certificate = Certificate.objects.filter(public_id=certificate_id).first()
    if certificate is None:
        return render(request, "courses/no_certificate.html", status=404)
    link = request.build_absolute_uri(certificate.get_absolute_url())
    context = {
        "certificate": certificate,
        "verdict": certificates.verify(certificate),
        "link": link,
        # As a data: address: the CSP lets pictures come from there, and no inline style in.
        "qr": segno.make(link, micro=False).svg_data_uri(scale=4, border=2),
    }
    return render(request, "courses/verify.html", context)


@page
@require_http_methods(["GET", "POST"])
def new_course(request: HttpRequest) -> HttpResponse:
    author = access.author(request.user)
    context = {"title": request.POST.get("title", ""), "summary": request.POST.get("summary", "")}
    if request.method == "GET":
        return render(request, "courses/new.html", context)
    made_id = id_of_form(request)
    try:
        made = made_once(
            partial(authoring.create_course, author=author, public_id=made_id, **context),
            Course.objects.filter(public_id=made_id),
        )
    except AppError as error:
        return render(request, "courses/new.html", {**context, "error": error}, status=error.status)
    return redirect("course_edit", made.public_id)


@page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    row = access.course_for_editor(request.user, course_id)
    if request.method == "GET":
        return render(request, "courses/edit.html", _edit_context(request, row))
    action = ACTIONS.get(request.POST.get("do", ""))
    if action is None:
        raise NotFound(_("This page cannot do that."))
    try:
        done = action(request, row)
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        context = {**_edit_context(request, row), "error": error}
        return render(request, "courses/edit.html", context, status=error.status)
    messages.success(request, done)
    return redirect("course_edit", row.public_id)


def _edit_context(request: HttpRequest, row: Course) -> dict[str, Any]:
    user = signed_in(request.user)
    clips = access.usable_clips(user).exclude(lessons__course=row)[:50]
    return {
        "course": row,
        "lessons": [
            {"lesson": one, "poster_url": selectors.picture_url(one.asset)}
            for one in row.lessons.select_related("asset")
        ],
        "clips": [_addable(user, one) for one in clips],
        "consent": {
            "version": consents.VERSION,
            "language": get_language(),
            "wording": consents.wording(),
        },
    }


def _addable(user: User, clip: Asset) -> dict[str, Any]:
    """A clip that can be added, and whether this person is to be asked for consent first."""
    asks = clip.consented_at is None and clips_access.may_agree(user, clip)
    return {"clip": clip, "poster_url": selectors.picture_url(clip), "may_agree": asks}


def _describe(request: HttpRequest, row: Course) -> str:
    authoring.describe(
        row, title=request.POST.get("title", ""), summary=request.POST.get("summary", "")
    )
    return _("Saved.")


def _add(request: HttpRequest, row: Course) -> str:
    clip = access.clip_for_author(signed_in(request.user), _posted_id(request, "clip"))
    title = request.POST.get("title", "").strip() or clip.title
    if version := request.POST.get("agree"):
        _agree(request, clip, version)
    lesson = authoring.add_lesson(row, clip, title)
    return _("“%(title)s” is now a lesson.") % {"title": lesson.title}


def _agree(request: HttpRequest, clip: Asset, version: str) -> None:
    person, clip = clips_access.clip_to_agree(request.user, clip.public_id)
    language = request.POST.get("language", "")
    consents.give(clip, actor=person, version=version, language=language)


def _up(request: HttpRequest, row: Course) -> str:
    authoring.move_lesson(_posted_lesson(request, row), to="up")
    return _("Moved up.")


def _down(request: HttpRequest, row: Course) -> str:
    authoring.move_lesson(_posted_lesson(request, row), to="down")
    return _("Moved down.")


def _remove(request: HttpRequest, row: Course) -> str:
    authoring.remove_lesson(_posted_lesson(request, row))
    return _("The lesson was taken out. Its clip is kept.")


def _publish(request: HttpRequest, row: Course) -> str:
    authoring.publish(row)
    return _("Published. Everybody can join now.")


ACTIONS: dict[str, Callable[[HttpRequest, Course], str]] = {
    "describe": _describe,
    "add": _add,
    "up": _up,
    "down": _down,
    "remove": _remove,
    "publish": _publish,
}


def _posted_id(request: HttpRequest, name: str) -> uuid.UUID:
    found = parse_id(request.POST.get(name, ""))
    if found is None:
        raise NotFound(_("There is no such thing."))
    return found


def _posted_lesson(request: HttpRequest, row: Course) -> Lesson:
    lesson = row.lessons.filter(public_id=_posted_id(request, "lesson")).first()
    if lesson is None:
        raise NotFound(_("There is no such lesson."))
    return lesson
