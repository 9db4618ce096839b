"""HTTP: clips of a show: cutting them, agreeing to them, and taking them away as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from core.accounts.access import signed_in
from core.api import may, session_user
from core.errors import InvalidInput
from media_pipeline.clip_wishes import Blur, Crop, Span, Wish
from media_pipeline.models import Asset, AssetState
from media_pipeline.reasons import read_now
from media_pipeline.services import consents
from media_pipeline.services.clip_copies import ask_for_copy, copy_of, job_of_copy
from media_pipeline.services.clips import join_clip
from media_pipeline.services.clips import rename as rename_clip
from media_pipeline.storage import storage
from streams import access
from streams.clips import selectors
from streams.clips.access import clip_to_agree, clip_to_host
from streams.clips.cues import Cue, cards, cues
from streams.clips.schemas import CueOut
from streams.studio.access import recording_to_cut
from streams.studio.replay_desk import named_file

router = Router(tags=["shows"], auth=session_user)


class Input(Schema):
    model_config = ConfigDict(extra="forbid")


class PartIn(Input):
    start_s: float
    end_s: float


class BlurIn(PartIn):
    muted: bool = False


class CropIn(Input):
    """Where the window is: 0 is at the left (or top) edge, 1 at the other; `size` 1 is the most."""

    x: float = 0.5
    y: float = 0.5
    size: float = 1.0


class ClipIn(Input):
    """Seconds of the recording in the `edition` that the caller has seen; 1 to 180 s of them.

    Either `start_s` and `end_s`, or `parts`: up to 20, shown one after the other. With `fit`
    "blur" the whole picture is shown over a blurred copy of itself, with "crop" what is in the
    window. `blurs` are passages of the recording of which nothing is recognised in this clip.
    """

    edition: Annotated[int, Field(ge=0, lt=2**31)]
    title: str
    start_s: float | None = None
    end_s: float | None = None
    parts: Annotated[list[PartIn], Field(max_length=100)] = []
    shape: Literal["vertical", "square", "original"] = "vertical"
    fit: Literal["crop", "blur"] = "crop"
    crop: CropIn = CropIn()
    blurs: Annotated[list[BlurIn], Field(max_length=100)] = []

    def wish(self) -> Wish:
        """Raises `InvalidInput` where nothing says which part of the recording."""
        return Wish(
            self._parts(),
            self.shape,
            self.fit,
            Crop(self.crop.x, self.crop.y, self.crop.size),
            tuple(Blur(one.start_s, one.end_s, one.muted) for one in self.blurs),
        )

    def _parts(self) -> tuple[Span, ...]:
        if self.parts:
            return tuple(Span(one.start_s, one.end_s) for one in self.parts)
        for name in ("start_s", "end_s"):
            if getattr(self, name) is None:
                raise InvalidInput(_("Mark a start and an end first."), field=name)
        return (Span(self.start_s or 0.0, self.end_s or 0.0),)


class PartOut(Schema):
    start_s: float
    end_s: float


class BlurOut(PartOut):
    muted: bool


class CropOut(Schema):
    x: float
    y: float
    size: float


class ClipOut(Schema):
    """`agreed`: its seller has agreed to its being a lesson. Without that it cannot be one.

    `parts`, `shape`, `fit`, `crop` and `blurs` are as they were wished, in the recording's present
    edition: sent with changes, they cut it again.
    """

    id: UUID
    title: str
    state: str
    error: str
    start_s: float
    end_s: float
    parts: list[PartOut]
    shape: str
    fit: str
    crop: CropOut
    blurs: list[BlurOut]
    agreed: bool
    duration_s: float
    poster_url: str | None
    download_url: str | None
    job_id: UUID | None


class TitleIn(Input):
    title: str


class ConsentIn(Input):
    """The wording that was shown: its `version` and `language`."""

    version: str
    language: str


class ConsentOut(Schema):
    """`wording` is what would be agreed to now, `given_wording` what was agreed to last."""

    version: str
    language: str
    wording: str
    may_agree: bool
    agreed: bool
    given_at: datetime | None
    given_by: str
    given_wording: str
    withdrawn_at: datetime | None
    withdrawn_by: str


class CopyOut(Schema):
    """`state` is "none", "waiting", "ready" or "failed"."""

    state: str
    error: str
    url: str | None
    job_id: UUID | None


@router.post(
    "/recordings/{uuid:recording_id}/clips", response={201: ClipOut}, auth=may("write:shows")
)
def cut(request: HttpRequest, recording_id: UUID, body: ClipIn) -> Status[selectors.ClipView]:
    """Cut parts of a recording into one clip; `job_id` tells how far it is."""
    recording = recording_to_cut(request.user, recording_id)
    clip = join_clip(
        recording_id=recording.public_id,
        edition=body.edition,
        wish=body.wish(),
        title=body.title,
        actor=signed_in(request.user),
    )
    return Status(201, selectors.clip_with_job(clip))


@router.get("/shows/{uuid:show_id}/clips", response=list[ClipOut], auth=may("read:shows"))
def clips(request: HttpRequest, show_id: UUID) -> list[selectors.ClipView]:
    """The clips cut from a show, the oldest first."""
    return selectors.clips_of(access.show_to_host(request.user, show_id).public_id)


@router.patch("/clips/{uuid:clip_id}", response=ClipOut, auth=may("write:shows"))
def rename(request: HttpRequest, clip_id: UUID, body: TitleIn) -> selectors.ClipView:
    """Give a clip another title. Lessons that were made of it keep theirs."""
    clip = clip_to_host(request.user, clip_id)[1]
    rename_clip(clip, body.title)
    return selectors.clip_with_job(clip)


@router.delete("/clips/{uuid:clip_id}", response={204: None}, auth=may("write:shows"))
def discard(request: HttpRequest, clip_id: UUID) -> Status[None]:
    """Delete a clip that nobody agreed to; one that was agreed to is taken back instead."""
    consents.discard(clip_to_host(request.user, clip_id)[1])
    return Status(204, None)


@router.get("/clips/{uuid:clip_id}/cues", response=list[CueOut], auth=may("read:shows"))
def cues_of_clip(request: HttpRequest, clip_id: UUID) -> list[Cue]:
    """What was shown and written in a clip's parts, in its own time and without names."""
    return cues(clip_to_host(request.user, clip_id)[1])


@router.get("/clips/{uuid:clip_id}/consent", response=ConsentOut, auth=may("read:shows"))
def consent(request: HttpRequest, clip_id: UUID) -> selectors.ConsentView:
    """What there is to agree to, and what was agreed to last."""
    return selectors.consent_view(request.user, clip_to_host(request.user, clip_id)[1])


@router.put("/clips/{uuid:clip_id}/consent", response=ConsentOut, auth=may("write:shows"))
def agree(request: HttpRequest, clip_id: UUID, body: ConsentIn) -> selectors.ConsentView:
    """Agree for the seller that a clip may be a lesson. Agreeing again changes nothing."""
    person, clip = clip_to_agree(request.user, clip_id)
    consents.give(clip, actor=person, version=body.version, language=body.language)
    clip.refresh_from_db()
    return selectors.consent_view(person, clip)


@router.delete("/clips/{uuid:clip_id}/consent", response=ConsentOut, auth=may("write:shows"))
def take_back(request: HttpRequest, clip_id: UUID) -> selectors.ConsentView:
    """Take a clip back: it is shown nowhere any more, and its film is deleted. The record stays."""
    person, clip = clip_to_host(request.user, clip_id)
    consents.withdraw(clip, actor=person)
    clip.refresh_from_db()
    return selectors.consent_view(person, clip)


@router.get("/clips/{uuid:clip_id}/copy", response=CopyOut, auth=may("read:shows"))
def copy(request: HttpRequest, clip_id: UUID) -> CopyOut:
    """The clip as a file with title and products in the picture: where it is, or how far."""
    return _copy_out(clip_to_host(request.user, clip_id)[1])


@router.post("/clips/{uuid:clip_id}/copy", response=CopyOut, auth=may("write:shows"))
def make_copy(request: HttpRequest, clip_id: UUID) -> CopyOut:
    """Have that file made; one that says the same as would be said now is kept."""
    person, clip = clip_to_host(request.user, clip_id)
    ask_for_copy(clip, cards(clip), actor=person)
    return _copy_out(clip)


def _copy_out(clip: Asset) -> CopyOut:
    made, job = copy_of(clip), job_of_copy(clip)
    if made is None:
        return CopyOut(state="none", error="", url=None, job_id=None)
    url = _saved(made.key, clip.title) if made.state == AssetState.READY else None
    job_id = job.public_id if job else None
    return CopyOut(state=made.state, error=read_now(made.error), url=url, job_id=job_id)


def _saved(key: str, title: str) -> str:
    return f"{storage().url(key)}?download={quote(named_file(title))}"
