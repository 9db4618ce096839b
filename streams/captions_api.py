"""HTTP: captions of a replay, for those who watch it and for those who write them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from core.accounts.access import signed_in
from core.api import may, session_user
from core.errors import Conflict, NotFound
from media_pipeline import jobs
from media_pipeline.captions import formats, speech, tracks
from media_pipeline.captions.cues import Cue
from media_pipeline.captions.models import CaptionTrack, TrackState
from media_pipeline.reasons import read_now
from media_pipeline.selectors import playback
from orders.models import Offer
from streams import access
from streams.models import Show

router = Router(tags=["captions"], auth=session_user)
Milliseconds = Annotated[int, Field(ge=0, le=formats.LONGEST_MS)]
KINDS = {"vtt": "text/vtt", "srt": "application/x-subrip"}


class TrackIn(Schema):
    """`by` says who writes it: the machine ("speech"; an empty language is found out) or a person
    ("hand"), who may begin with the times of another track (`like`)."""

    model_config = ConfigDict(extra="forbid")
    by: Annotated[str, Field(pattern="^(speech|hand)$")]
    language: Annotated[str, Field(max_length=20)] = ""
    like: UUID | None = None


class CueBody(Schema):
    """Milliseconds of the recording; `words_ms` says when each word of the text begins."""

    model_config = ConfigDict(extra="forbid")
    start_ms: Milliseconds
    end_ms: Milliseconds
    text: Annotated[str, Field(max_length=4 * formats.LONGEST_TEXT)]
    words_ms: list[Milliseconds] = []


class CuesIn(Schema):
    """All cues, in order, and the `version` of those that they come from."""

    model_config = ConfigDict(extra="forbid")
    version: Annotated[int, Field(ge=0, lt=2**31)]
    cues: Annotated[list[CueBody], Field(max_length=formats.MOST_CUES)]


class TrackOut(Schema):
    """`state` is "waiting", "ready" or "failed"; `progress` (0 to 1) is of one that waits."""

    id: UUID
    language: str
    name: str
    state: str
    automatic: bool
    version: int
    error: str
    job_id: UUID | None
    progress: float
    changed_by: str


class TracksOut(Schema):
    """`speech_problem` says in words why the machine writes nothing down here, if it does not."""

    tracks: list[TrackOut]
    speech_problem: str


class CuesOut(Schema):
    version: int
    cues: list[CueBody]


class ProblemOut(Schema):
    line: int
    text: str


class ReadOut(Schema):
    """A file's cues, which are not kept yet, and what was not taken as it stood."""

    cues: list[CueBody]
    problems: list[ProblemOut]


@router.get("/shows/{uuid:show_id}/captions", response=TracksOut, auth=may("read:shows"))
def list_tracks(request: HttpRequest, show_id: UUID) -> dict[str, Any]:
    show = access.show_to_host(request.user, show_id)
    return tracks_out(show)


@router.post("/shows/{uuid:show_id}/captions", response={201: TrackOut}, auth=may("write:shows"))
def add_track(request: HttpRequest, show_id: UUID, body: TrackIn) -> Status[dict[str, Any]]:
    """Begin captions in a language, or have what is said written down."""
    show = access.show_to_host(request.user, show_id)
    access.require_replay(show)
    recording_id, actor = _recording(show), signed_in(request.user)
    if body.by == "hand":
        track = tracks.begin(
            recording_id=recording_id, language=body.language, like=body.like, actor=actor
        )
        return Status(201, track_out(track))
    if trouble := speech.problem():
        raise Conflict(trouble)
    track = tracks.transcribe(
        recording_id=recording_id, language=body.language, hints=_hints(show), actor=actor
    )
    return Status(201, track_out(track))


@router.post("/shows/{uuid:show_id}/captions/read", response=ReadOut, auth=may("write:shows"))
def read_file(request: HttpRequest, show_id: UUID) -> formats.Read:
    """What an SRT or WebVTT file holds (the request's whole body); nothing of it is kept."""
    access.show_to_host(request.user, show_id)
    return formats.read(request.body)


@router.get(
    "/shows/{uuid:show_id}/captions/{uuid:track_id}", response=CuesOut, auth=may("read:shows")
)
def read_cues(request: HttpRequest, show_id: UUID, track_id: UUID) -> dict[str, Any]:
    return _cues_out(_track(request, show_id, track_id))


@router.put(
    "/shows/{uuid:show_id}/captions/{uuid:track_id}", response=CuesOut, auth=may("write:shows")
)
def save_cues(request: HttpRequest, show_id: UUID, track_id: UUID, body: CuesIn) -> dict[str, Any]:
    """Keep the cues; `captions_changed` where somebody else kept others since `version`."""
    track = _track(request, show_id, track_id)
    cues = [Cue(one.start_ms, one.end_ms, one.text, tuple(one.words_ms)) for one in body.cues]
    saved = tracks.save(track=track, version=body.version, cues=cues, actor=signed_in(request.user))
    return _cues_out(saved)


@router.delete(
    "/shows/{uuid:show_id}/captions/{uuid:track_id}", response=TracksOut, auth=may("write:shows")
)
def remove_track(request: HttpRequest, show_id: UUID, track_id: UUID) -> dict[str, Any]:
    """Take captions away, also while they are written down; answers with those that are left."""
    tracks.remove(_track(request, show_id, track_id))
    return tracks_out(access.show_to_host(request.user, show_id))


@router.get("/shows/{uuid:show_id}/captions/{uuid:track_id}.{kind}", auth=None)
def track_file(request: HttpRequest, show_id: UUID, track_id: UUID, kind: str) -> HttpResponse:
    """The captions as a file (`vtt` or `srt`), for everybody who may watch the replay."""
    show = access.replay_to_watch(request.user, show_id)
    track = tracks.track_of(_recording(show), track_id)
    if kind not in KINDS or track.state != TrackState.READY:
        raise NotFound(tracks.no_such_track())
    return file_answer(tracks.cues_of(track), kind, f"{show.title}.{track.language}")


def file_answer(cues: list[Cue], kind: str, name: str = "") -> HttpResponse:
    """Cues as a file of this kind, to be kept under `name` if it is downloaded."""
    text = formats.vtt(cues) if kind == "vtt" else formats.srt(cues)
    response = HttpResponse(text, content_type=f"{KINDS[kind]}; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    if name and kind == "srt":
        response.headers["Content-Disposition"] = "attachment"
    return response


def player_tracks(show: Show) -> list[dict[str, str]]:
    """What the replay's player offers."""
    found = playback(show.public_id)
    return [
        {
            "language": track.language,
            "name": tracks.player_name(track),
            "url": reverse("api:track_file", args=[show.public_id, track.public_id, "vtt"]),
        }
        for track in (tracks.shown_tracks(found.recording_id) if found else ())
    ]


def tracks_out(show: Show) -> dict[str, Any]:
    found = playback(show.public_id)
    known = tracks.tracks_of(found.recording_id) if found else []
    return {"tracks": [track_out(track) for track in known], "speech_problem": speech.problem()}


def track_out(track: CaptionTrack) -> dict[str, Any]:
    waits = track.state != TrackState.READY
    job = jobs.job_of(tracks.TRANSCRIBE, track.public_id) if waits else None
    return {
        "id": track.public_id,
        "language": track.language,
        "name": tracks.language_name(track.language),
        "state": track.state,
        "automatic": track.is_automatic,
        "version": track.version,
        "error": read_now(track.error),
        "job_id": job and job.public_id,
        "progress": job.progress if job else 0.0,
        "changed_by": track.changed_by.shown_name if track.changed_by else "",
    }


def _cues_out(track: CaptionTrack) -> dict[str, Any]:
    return {"version": track.version, "cues": track.cues}


def _track(request: HttpRequest, show_id: UUID, track_id: UUID) -> CaptionTrack:
    show = access.show_to_host(request.user, show_id)
    return tracks.track_of(_recording(show), track_id)


def _recording(show: Show) -> UUID:
    found = playback(show.public_id)
    if found is None:
        raise NotFound(tracks.no_such_track())
    return found.recording_id


def _hints(show: Show) -> str:
    """Names that a model cannot know: those of the show's products."""
    offers = Offer.objects.filter(show_id=show.public_id).select_related("variant__product")
    return " ".join(dict.fromkeys(offer.variant.product.title for offer in offers))
