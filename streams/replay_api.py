"""HTTP: the replay's chapters for everybody, and what its seller does with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from core.accounts.access import signed_in
from core.api import may, session_user
from media_pipeline.selectors import playback
from media_pipeline.services.passages import removed_passages
from streams import access, replays
from streams.selectors import replay_entries
from streams.services.replays import remove_passage, set_audience
from streams.studio import replay_desk

router = Router(tags=["shows"], auth=session_user)


class AudienceIn(Schema):
    model_config = ConfigDict(extra="forbid")
    audience: Literal["public", "unlisted", "invited"]


class AudienceOut(Schema):
    audience: str


class PassageIn(Schema):
    """Seconds of the recording in the `edition` that the caller has seen.

    `id` is made by the caller, and the same removes only once. `whole` says that nothing of the
    recording may be left.
    """

    model_config = ConfigDict(extra="forbid")
    id: UUID
    edition: Annotated[int, Field(ge=0, lt=2**31)]
    start_s: float
    end_s: float
    whole: bool = False


class PassageOut(Schema):
    """`removed_s` is what went; `done` says that no file holds it any more."""

    id: UUID
    start_s: float
    end_s: float
    removed_s: float
    by: str
    at: datetime
    done: bool


class DownloadOut(Schema):
    """`state` is "ready", "waiting", "running" or "failed"; `progress` is 0 to 1."""

    state: str
    progress: float
    url: str | None
    file_name: str


@router.get("/shows/{uuid:show_id}/chapters.vtt", auth=None)
def chapters(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """The products of a replay as chapters (WebVTT)."""
    show = access.replay_to_watch(request.user, show_id)
    found = playback(show.public_id)
    duration_s = found.duration_s if found else 0.0
    text = replays.chapters_vtt(replays.chapters(replay_entries(show), duration_s))
    response = HttpResponse(text, content_type="text/vtt; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@router.put("/shows/{uuid:show_id}/audience", response=AudienceOut, auth=may("write:shows"))
def change_audience(request: HttpRequest, show_id: UUID, body: AudienceIn) -> AudienceOut:
    """Say who may watch the replay. Old public addresses of its files are dead afterwards."""
    show = access.show_to_host(request.user, show_id)
    changed = set_audience(show=show, actor=signed_in(request.user), audience=body.audience)
    return AudienceOut(audience=changed.audience)


@router.post(
    "/shows/{uuid:show_id}/removed-passages", response={201: PassageOut}, auth=may("write:shows")
)
def remove(request: HttpRequest, show_id: UUID, body: PassageIn) -> Status[replay_desk.PassageView]:
    """Take a passage out of the recording, for good."""
    show = access.show_to_host(request.user, show_id)
    passage = remove_passage(
        show=show,
        actor=signed_in(request.user),
        passage_id=body.id,
        edition=body.edition,
        start_s=body.start_s,
        end_s=body.end_s,
        whole=body.whole,
    )
    return Status(201, replay_desk.passage_view(passage))


@router.get(
    "/shows/{uuid:show_id}/removed-passages", response=list[PassageOut], auth=may("read:shows")
)
def removed(request: HttpRequest, show_id: UUID) -> list[replay_desk.PassageView]:
    """What was removed from a show's recording, and by whom; the newest first."""
    show = access.show_to_host(request.user, show_id)
    return [replay_desk.passage_view(one) for one in removed_passages(show.public_id)]


@router.get("/shows/{uuid:show_id}/download", response=DownloadOut, auth=may("read:shows"))
def download(request: HttpRequest, show_id: UUID) -> replay_desk.DownloadView:
    """The whole show as one MP4, for its seller: where it is, or how far it is."""
    show = access.show_to_host(request.user, show_id)
    access.require_replay(show)
    return replay_desk.download(show)
