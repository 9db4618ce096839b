"""What phones ask that keep lessons."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema

from core.accounts.access import signed_in
from core.api import may, session_user
from core.ids import parse_id
from courses.api import CaptionsOut
from courses.intervals import Stretch
from courses.offline import selectors

router = Router(tags=["courses"], auth=session_user)

MOST_KEPT = 500


class KeepableOut(Schema):
    """`person` is whose phone it then is; `media_bytes` how much of the space the film takes.

    The last ones are for the feed: it shows the lesson without asking again.
    """

    person: uuid.UUID
    id: uuid.UUID
    title: str
    course_title: str
    course_url: str
    url: str
    pages: list[str]
    files: list[str]
    media_url: str
    media_bytes: int
    version: str
    poster_url: str
    captions: list[CaptionsOut]
    joined: bool
    intervals: list[Stretch]
    required_s: float
    resume_s: float


class KeptOut(Schema):
    """Who is signed in, a token to send what waits with, and the lessons that may stay."""

    person: uuid.UUID
    token: str
    lessons: list[uuid.UUID]


@router.get("/lessons/{uuid:lesson_id}/keep", response=KeepableOut, auth=may("read:courses"))
def keep(request: HttpRequest, lesson_id: uuid.UUID) -> dict[str, Any]:
    """All that a phone needs to show the lesson without a network."""
    found = selectors.keepable(request.user, lesson_id)
    return {
        "person": signed_in(request.user).public_id,
        "id": found.lesson.public_id,
        "title": found.view.title,
        "course_title": found.lesson.course.title,
        "course_url": found.lesson.course.get_absolute_url(),
        "url": found.lesson.get_absolute_url(),
        "pages": found.pages,
        "files": found.files,
        "media_url": found.media_url,
        "media_bytes": found.media_bytes,
        "version": found.version,
        "poster_url": found.poster_url,
        "captions": found.captions,
        "joined": found.joined,
        "intervals": found.view.watched,
        "required_s": round(found.lesson.required_s, 3),
        "resume_s": found.view.resume_s,
    }


@router.get("/me/kept", response=KeptOut, auth=may("read:courses"))
def kept(request: HttpRequest, lessons: str = "") -> dict[str, Any]:
    """Which of these lessons (ids with commas between) a phone may go on keeping."""
    asked = [parsed for one in lessons.split(",") if (parsed := parse_id(one))][:MOST_KEPT]
    return {
        "person": signed_in(request.user).public_id,
        "token": get_token(request),
        "lessons": selectors.still_kept(request.user, asked),
    }
