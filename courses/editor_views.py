"""The pages on which courses are made and changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import AppError, InvalidInput, NotAllowed, NotFound
from core.ids import parse_id
from core.pages import id_of_form, made_once, page
from courses import access, languages, selectors
from courses.models import Course, EditionLesson, Lesson
from courses.notes import NOTES_LENGTH
from courses.services import (
    attachments,
    authoring,
    cloning,
    editions,
    prerequisites,
    sources,
)
from media_pipeline.models import Asset, AssetState
from media_pipeline.services import consents
from streams.clips import access as clips_access


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
    edition = selectors.edited_edition(row)
    entries = selectors.all_entries(edition)
    mine = [one.lesson.asset_id for one in entries]
    clips = access.usable_clips(user).exclude(pk__in=mine)[:50]
    return {
        "course": row,
        "edition": edition,
        "is_waiting": any(one.lesson.asset.state == AssetState.WAITING for one in entries),
        "shows": access.shows_to_teach(user)[:8],
        "languages": languages.choices(),
        "language": request.POST.get("course_language", row.language),
        "counts_background": (
            "counts_background" in request.POST
            if request.POST.get("do") == "describe"
            else row.counts_background
        ),
        "before": _choices_before(row),
        "copies_to": request.POST.get("to", ""),
        "lessons": [_entry(one) for one in entries],
        "clips": [_addable(user, one) for one in clips],
        "consent": {
            "version": consents.VERSION,
            "language": get_language(),
            "wording": consents.wording(),
        },
    }


def _choices_before(row: Course) -> list[dict[str, Any]]:
    chosen = set(row.prerequisites.values_list("pk", flat=True))
    others = access.published_courses().exclude(pk=row.pk).order_by("title")[:200]
    return [{"course": one, "is_chosen": one.pk in chosen} for one in others]


def _entry(one: EditionLesson) -> dict[str, Any]:
    asset = one.lesson.asset
    return {
        "entry": one,
        "lesson": one.lesson,
        "poster_url": selectors.picture_url(asset),
        "source": selectors.source_of(asset),
    }


def _addable(user: User, clip: Asset) -> dict[str, Any]:
    """A clip that can be added, and whether this person is to be asked for consent first."""
    asks = clip.consented_at is None and clips_access.may_agree(user, clip)
    return {"clip": clip, "poster_url": selectors.picture_url(clip), "may_agree": asks}


def _describe(request: HttpRequest, row: Course) -> str:
    language = request.POST.get("course_language", "")
    asked = [found for one in request.POST.getlist("before") if (found := parse_id(one))]
    with transaction.atomic():
        authoring.describe(
            row,
            title=request.POST.get("title", ""),
            summary=request.POST.get("summary", ""),
            language=language,
            counts_background="counts_background" in request.POST,
        )
        chosen = access.published_courses().filter(public_id__in=asked[:20])
        prerequisites.choose(row, list(chosen))
    return _("Saved. Everybody sees these words at once.")


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
    if editions.publish_soon(row):
        return _("Published. Everybody can join now.")
    return _("The course is published by itself when its last lesson is ready.")


def _hold(request: HttpRequest, row: Course) -> str:
    editions.do_not_publish(row)
    return _("The course stays a draft until you publish it.")


def _copy(request: HttpRequest, row: Course) -> str:
    owner = access.author_by_name(request.user, request.POST.get("to", ""))
    copied = cloning.clone(row, owner=owner, language=request.POST.get("course_language", ""))
    words = {"title": copied.course.title, "name": owner.shown_name}
    told = _("“%(title)s” was copied for %(name)s, as a draft.") % words
    if not copied.left_out:
        return told
    left = _("Left out, because their films are not for everybody: %(titles)s.")
    return f"{told} {left % {'titles': ', '.join(copied.left_out)}}"


def _discard(request: HttpRequest, row: Course) -> str:
    editions.discard_draft(row)
    return _("The changes were discarded. The course is as it was published.")


ACTIONS: dict[str, Callable[[HttpRequest, Course], str]] = {
    "describe": _describe,
    "add": _add,
    "up": _up,
    "down": _down,
    "remove": _remove,
    "publish": _publish,
    "discard": _discard,
    "hold": _hold,
    "copy": _copy,
}


def _posted_id(request: HttpRequest, name: str) -> uuid.UUID:
    found = parse_id(request.POST.get(name, ""))
    if found is None:
        raise NotFound(_("There is no such thing."))
    return found


@page
@require_http_methods(["GET", "POST"])
def edit_lesson(request: HttpRequest, course_id: uuid.UUID, lesson_id: uuid.UUID) -> HttpResponse:
    """A lesson's title, notes and files, in the draft."""
    row = access.course_for_editor(request.user, course_id)
    lesson = _lesson_of(row, lesson_id)
    if request.method == "GET":
        return render(request, "courses/edit_lesson.html", _lesson_context(request, lesson))
    action = LESSON_ACTIONS.get(request.POST.get("do", ""))
    if action is None:
        raise NotFound(_("This page cannot do that."))
    try:
        done = action(request, lesson)
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        context = {**_lesson_context(request, lesson), "error": error}
        return render(request, "courses/edit_lesson.html", context, status=error.status)
    messages.success(request, done)
    return redirect("lesson_edit", row.public_id, lesson.public_id)


def _lesson_context(request: HttpRequest, lesson: Lesson) -> dict[str, Any]:
    entry = selectors.edited_entry(lesson)
    if entry is None:
        raise NotFound(_("There is no such lesson."))
    return {
        "course": lesson.course,
        "lesson": lesson,
        "entry": entry,
        "files": list(entry.attachments.order_by("pk")),
        "title": request.POST.get("title", entry.title),
        "notes": request.POST.get("notes", entry.notes),
        "source": selectors.source_of(lesson.asset),
        "poster_url": selectors.picture_url(lesson.asset),
        "notes_length": NOTES_LENGTH,
        "file_kinds": ",".join(f".{kind}" for kind in attachments.KINDS),
        "most_files": attachments.MOST_PER_LESSON,
        "largest_mb": attachments.LARGEST // attachments.MEGABYTE,
    }


def _describe_lesson(request: HttpRequest, lesson: Lesson) -> str:
    authoring.describe_lesson(
        lesson, title=request.POST.get("title", ""), notes=request.POST.get("notes", "")
    )
    return _("Saved in the draft.")


def _attach(request: HttpRequest, lesson: Lesson) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise InvalidInput(_("Choose a file first."), field="file")
    made = attachments.attach(lesson, file, actor=signed_in(request.user))
    return _("“%(name)s” is beside the lesson now, in the draft.") % {"name": made.name}


def _detach(request: HttpRequest, lesson: Lesson) -> str:
    found = lesson.course.attachments.filter(public_id=_posted_id(request, "file_id")).first()
    if found is None:
        raise NotFound(_("There is no such thing."))
    attachments.detach(lesson, found)
    return _("The file was taken out.")


def _set_lot(request: HttpRequest, lesson: Lesson) -> str:
    sources.set_lot(lesson.asset, request.POST.get("lot", ""))
    return _("Saved.")


LESSON_ACTIONS: dict[str, Callable[[HttpRequest, Lesson], str]] = {
    "describe": _describe_lesson,
    "attach": _attach,
    "detach": _detach,
    "lot": _set_lot,
}


@page
@require_GET
def preview(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    """The edition that is being changed, as somebody sees it who has joined and watched nothing."""
    row = access.course_for_editor(request.user, course_id)
    context = {
        "view": selectors.preview_of(row),
        "may_edit": True,
        "may_watch": True,
        "is_preview": True,
    }
    return render(request, "courses/course.html", context)


def _lesson_of(row: Course, lesson_id: uuid.UUID) -> Lesson:
    lesson = row.lessons.select_related("asset__source", "course").filter(public_id=lesson_id)
    found = lesson.first()
    if found is None:
        raise NotFound(_("There is no such lesson."))
    return found


def _posted_lesson(request: HttpRequest, row: Course) -> Lesson:
    lesson = row.lessons.filter(public_id=_posted_id(request, "lesson")).first()
    if lesson is None:
        raise NotFound(_("There is no such lesson."))
    return lesson
