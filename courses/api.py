"""The HTTP API of courses: making them, joining them, and telling what was watched."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictFloat

from core.accounts.access import signed_in
from core.api import may, session_user
from core.errors import NotFound
from courses import access, completion, feed, selectors
from courses.exchange.brought import cues_of
from courses.intervals import Stretch
from courses.models import Certificate, Course, Lesson
from courses.services import authoring, learning, prerequisites
from courses.services import watched as watching
from courses.services.learning import Watched
from courses.services.watched import Played, Report
from media_pipeline.captions import formats, tracks
from media_pipeline.captions.clips import clip_cues
from streams.clips.cues import Cue
from streams.clips.schemas import CueOut

router = Router(tags=["courses"], auth=session_user)


class StrictInput(Schema):
    """A body in which a misspelt field is an error, not a field that was left out."""

    model_config = ConfigDict(extra="forbid")


class CourseIn(StrictInput):
    title: str
    summary: str = ""


class LessonIn(StrictInput):
    asset_id: uuid.UUID
    title: str


class StretchIn(StrictInput):
    """What a player went through without a jump: seconds of the lesson's own time, and how."""

    start_s: StrictFloat
    end_s: StrictFloat
    rate: StrictFloat = 1.0
    muted: bool = False
    hidden: bool = False


class WatchedIn(StrictInput):
    """What was played: `stretches`, or `intervals` of what was seen or heard at usual speed.

    `batch` is an id of the caller's own; the same one again counts once. `lasted_s` is how long it
    took by a clock that nobody sets. A position of `null` leaves the one that is known.
    """

    intervals: Annotated[
        list[tuple[StrictFloat, StrictFloat]], Field(max_length=watching.MAX_STRETCHES)
    ] = []
    stretches: Annotated[list[StretchIn], Field(max_length=watching.MAX_STRETCHES)] = []
    batch: uuid.UUID | None = None
    lasted_s: StrictFloat | None = None
    position_s: StrictFloat | None = None

    def report(self) -> Report:
        played = [
            Played(one.start_s, one.end_s, one.rate, one.muted, one.hidden)
            for one in self.stretches
        ]
        return Report(
            [*played, *watching.plain(self.intervals)],
            self.position_s,
            self.batch,
            self.lasted_s,
            field="stretches" if played else "intervals",
        )


class CourseOut(Schema):
    id: uuid.UUID
    title: str
    state: str
    url: str
    edit_url: str


class LessonOut(Schema):
    id: uuid.UUID
    course_id: uuid.UUID
    title: str
    ready: bool
    url: str


class EnrolmentOut(Schema):
    id: uuid.UUID
    course_id: uuid.UUID
    url: str


class RequirementOut(Schema):
    """One thing that the lesson asks for, and where to do it; empty for the player itself."""

    kind: str
    done: bool
    text: str
    url: str


class WatchedOut(Schema):
    """Where the trainee is. `missing` are the stretches, in seconds, not watched yet.

    `not_counted` says why something of the report was left out; empty if nothing was.
    """

    intervals: list[Stretch]
    position_s: float
    covered_s: float
    required_s: float
    duration_s: float
    missing: list[Stretch]
    done: bool
    requirements: list[RequirementOut]
    not_counted: str
    lessons_done: int
    lessons_total: int
    course_percent: int
    certificate_url: str | None


class CaptionsOut(Schema):
    """A language in which the lesson can be read, by its own name, and where."""

    language: str
    name: str
    url: str


class LessonStateOut(WatchedOut):
    id: uuid.UUID
    title: str
    enrolled: bool
    taken_back: bool
    resume_s: float
    media_url: str | None
    poster_url: str | None
    captions: list[CaptionsOut]


def course_out(course: Course) -> dict[str, Any]:
    return {
        "id": course.public_id,
        "title": course.title,
        "state": course.state,
        "url": course.get_absolute_url(),
        "edit_url": reverse("course_edit", args=[course.public_id]),
    }


@router.get("/me/courses", response=list[CourseOut], auth=may("read:courses"))
def my_courses(request: HttpRequest) -> list[dict[str, Any]]:
    """The courses to which the caller may add lessons, newest first; at most 100."""
    return [course_out(one) for one in access.editable_courses(request.user).order_by("-id")[:100]]


@router.post("/courses", response={201: CourseOut}, auth=may("write:courses"))
def create_course(request: HttpRequest, body: CourseIn) -> Status[dict[str, Any]]:
    author = access.author(request.user)
    course = authoring.create_course(author=author, title=body.title, summary=body.summary)
    return Status(201, course_out(course))


@router.post(
    "/courses/{uuid:course_id}/lessons", response={201: LessonOut}, auth=may("write:courses")
)
def add_lesson(
    request: HttpRequest, course_id: uuid.UUID, body: LessonIn
) -> Status[dict[str, Any]]:
    """Append a clip to a course. It can be watched as soon as the clip is ready."""
    course = access.course_for_editor(request.user, course_id)
    clip = access.clip_for_author(access.author(request.user), body.asset_id)
    lesson = authoring.add_lesson(course, clip, body.title)
    answer = {
        "id": lesson.public_id,
        "course_id": course.public_id,
        "title": lesson.title,
        "ready": lesson.is_ready,
        "url": lesson.get_absolute_url(),
    }
    return Status(201, answer)


@router.post("/courses/{uuid:course_id}/publish", response=CourseOut, auth=may("write:courses"))
def publish(request: HttpRequest, course_id: uuid.UUID) -> dict[str, Any]:
    course = access.course_for_editor(request.user, course_id)
    authoring.publish(course)
    return course_out(course)


@router.post("/courses/{uuid:course_id}/enrol", response=EnrolmentOut, auth=may("write:courses"))
def enrol(request: HttpRequest, course_id: uuid.UUID) -> dict[str, Any]:
    """Join a course. Joining again gives the same enrolment."""
    course = access.course_for_reader(request.user, course_id)
    prerequisites.require(signed_in(request.user), course)
    enrolment = learning.enrol(signed_in(request.user), course)
    return {
        "id": enrolment.public_id,
        "course_id": course.public_id,
        "url": course.get_absolute_url(),
    }


@router.get("/lessons/{uuid:lesson_id}", response=LessonStateOut, auth=may("read:courses"))
def lesson_state(request: HttpRequest, lesson_id: uuid.UUID) -> dict[str, Any]:
    """What the caller has watched of a lesson and where to go on, on whichever device."""
    lesson = access.lesson_for_reader(request.user, lesson_id)
    course = selectors.view_with(lesson, request.user)
    may_watch = access.may_watch(request.user, lesson.course)
    return lesson_state_out(course, lesson, may_watch=may_watch)


@router.get("/lessons/{uuid:lesson_id}/cues", response=list[CueOut], auth=may("read:courses"))
def lesson_cues(request: HttpRequest, lesson_id: uuid.UUID) -> list[Cue]:
    """What was shown and written in the lesson, in its own time and without names."""
    lesson = access.lesson_to_watch(request.user, lesson_id)
    return cues_of(lesson.asset) if lesson.is_ready else []


@router.get(
    "/lessons/{uuid:lesson_id}/captions", response=list[CaptionsOut], auth=may("read:courses")
)
def lesson_languages(request: HttpRequest, lesson_id: uuid.UUID) -> list[dict[str, str]]:
    """The languages in which a lesson can be read; also of one that is a taste in the feed."""
    lesson = feed.lesson_to_read(request.user, lesson_id)
    return captions_out(lesson) if lesson.is_ready else []


@router.get("/lessons/{uuid:lesson_id}/captions/{language}.vtt", auth=may("read:courses"))
def lesson_captions(request: HttpRequest, lesson_id: uuid.UUID, language: str) -> HttpResponse:
    """What is said in a lesson, in one of the languages of its state, as WebVTT."""
    lesson = feed.lesson_to_read(request.user, lesson_id)
    shown = tracks.shown_tracks(lesson.asset.recording.public_id)
    track = next((one for one in shown if one.language == language), None)
    if track is None:
        raise NotFound(tracks.no_such_track())
    response = HttpResponse(
        formats.vtt(clip_cues(lesson.asset, track)), content_type="text/vtt; charset=utf-8"
    )
    response["Cache-Control"] = "no-cache"
    return response


@router.post("/lessons/{uuid:lesson_id}/watched", response=WatchedOut, auth=may("write:courses"))
def watched(request: HttpRequest, lesson_id: uuid.UUID, body: WatchedIn) -> dict[str, Any]:
    """Tell which stretches of a lesson were played; the answer says what is missing."""
    lesson = access.lesson_for_reader(request.user, lesson_id)
    enrolment = access.learner_of(request.user, lesson)
    report = learning.take_report(enrolment, lesson, body.report())
    course = selectors.view_with(lesson, request.user)
    return watched_out(course, lesson, report)


def lesson_state_out(
    course: selectors.CourseView, lesson: Lesson, *, may_watch: bool
) -> dict[str, Any]:
    """The lesson's state as pages and the API give it; no media address for strangers."""
    view = course.view_of(lesson)
    state = learning.state_of(view.progress, lesson, course.certificate)
    return {
        **watched_out(course, lesson, state),
        "id": lesson.public_id,
        "title": lesson.title,
        "enrolled": course.enrolment is not None,
        "taken_back": lesson.is_taken_back,
        "resume_s": view.resume_s,
        "media_url": (may_watch and view.video_url) or None,
        "poster_url": view.poster_url or None,
        "captions": captions_out(lesson) if may_watch else [],
    }


def captions_out(lesson: Lesson) -> list[dict[str, str]]:
    """What the lesson's player offers to read."""
    return [
        {
            "language": track.language,
            "name": tracks.player_name(track),
            "url": reverse("api:lesson_captions", args=[lesson.public_id, track.language]),
        }
        for track in tracks.shown_tracks(lesson.asset.recording.public_id)
    ]


def watched_out(course: selectors.CourseView, lesson: Lesson, state: Watched) -> dict[str, Any]:
    return {
        "intervals": state.progress.intervals,
        "position_s": state.progress.position_s,
        "covered_s": state.covered_s,
        "required_s": round(lesson.required_s, 3),
        "duration_s": lesson.duration_s,
        "missing": state.missing,
        "done": state.is_done,
        "requirements": requirements_out(course, lesson),
        "not_counted": state.not_counted,
        "lessons_done": course.done_count,
        "lessons_total": len(course.counted),
        "course_percent": course.percent,
        "certificate_url": certificate_url(state.certificate),
    }


def requirements_out(course: selectors.CourseView, lesson: Lesson) -> list[dict[str, Any]]:
    if course.enrolment is None:
        return []
    return [
        {"kind": one.kind, "done": one.is_done, "text": one.text, "url": one.url}
        for one in completion.requirements(course.enrolment, lesson)
    ]


def certificate_url(certificate: Certificate | None) -> str | None:
    return certificate.get_absolute_url() if certificate else None
