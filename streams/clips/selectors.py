"""The clips of a show, as its people see them: how far each is, and whether it may be a lesson."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from core.accounts.access import AnyUser
from core.accounts.models import User
from media_pipeline.clip_wishes import Blur, Crop, Span, wish_of
from media_pipeline.models import Asset, AssetKind, AssetState, Consent, Job
from media_pipeline.reasons import read_now
from media_pipeline.services import consents
from media_pipeline.services.clips import MAKE_CLIP
from media_pipeline.storage import storage
from streams.clips import access


@dataclass(frozen=True, slots=True)
class ClipView:
    """A clip of a show; `job_id` while it is being made, addresses once it is ready."""

    id: UUID
    title: str
    state: str
    error: str
    start_s: float
    end_s: float
    parts: tuple[Span, ...]
    shape: str
    fit: str
    crop: Crop
    blurs: tuple[Blur, ...]
    agreed: bool
    duration_s: float
    poster_url: str | None
    download_url: str | None
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What would be agreed to now, and what was agreed to last, by whom and until when."""

    version: str
    language: str
    wording: str
    may_agree: bool
    agreed: bool
    given_at: datetime | None = None
    given_by: str = ""
    given_wording: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""


def clips_of(show_id: UUID) -> list[ClipView]:
    """The clips cut from a show, the oldest first; without those that were discarded."""
    found = Asset.objects.filter(kind=AssetKind.CLIP, recording__show_id=show_id)
    discarded = Q(state=AssetState.WITHDRAWN, consents=None)
    assets = found.exclude(discarded).order_by("created_at", "pk")
    jobs = _jobs_by_subject(asset.public_id for asset in assets)
    return [_clip_view(asset, jobs.get(asset.public_id)) for asset in assets]


def clip_with_job(asset: Asset) -> ClipView:
    """One clip, with the job that makes it."""
    return _clip_view(asset, _jobs_by_subject([asset.public_id]).get(asset.public_id))


def consent_view(user: AnyUser, clip: Asset) -> ConsentView:
    """The consent to a clip, as one of its seller's people is shown it."""
    last = consents.last(clip)
    view = ConsentView(
        version=consents.VERSION,
        language=get_language() or "",
        wording=consents.wording(),
        may_agree=access.may_agree(user, clip),
        agreed=clip.consented_at is not None,
    )
    return _with_last(view, last) if last else view


def _with_last(view: ConsentView, last: Consent) -> ConsentView:
    return ConsentView(
        version=view.version,
        language=view.language,
        wording=view.wording,
        may_agree=view.may_agree,
        agreed=view.agreed,
        given_at=last.given_at,
        given_by=_name(last.given_by),
        given_wording=last.wording,
        withdrawn_at=last.withdrawn_at,
        withdrawn_by=_name(last.withdrawn_by),
    )


def _name(user: User | None) -> str:
    return user.shown_name if user else ""


def _clip_view(asset: Asset, job_id: UUID | None) -> ClipView:
    wish = wish_of(asset)
    return ClipView(
        id=asset.public_id,
        title=asset.title,
        state=asset.state,
        error=read_now(asset.error),
        start_s=asset.start_s,
        end_s=asset.end_s,
        parts=wish.parts,
        shape=wish.shape,
        fit=wish.fit,
        crop=wish.crop,
        blurs=wish.blurs,
        agreed=asset.consented_at is not None,
        duration_s=asset.duration_s,
        poster_url=_address(asset.poster_key),
        download_url=_address(asset.download_key),
        job_id=job_id,
    )


def _jobs_by_subject(subject_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    jobs: QuerySet[Job] = Job.objects.filter(subject_id__in=list(subject_ids), kind=MAKE_CLIP)
    return dict(jobs.values_list("subject_id", "public_id"))


def _address(key: str) -> str | None:
    return storage().url(key) if key else None
