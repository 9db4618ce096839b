"""HTTP: how a job is doing."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Router, Schema

from core.api import may
from media_pipeline import access
from media_pipeline.reasons import read_now

router = Router(tags=["media"])


class JobOut(Schema):
    """`progress` is 0 to 1; `error` is a reason that its owner can read."""

    id: uuid.UUID
    kind: str
    state: str
    progress: float
    error: str


@router.get(
    "/jobs/{uuid:job_id}",
    auth=may("read:shows"),
    response=JobOut,
    summary="How a job is doing",
)
def job(request: HttpRequest, job_id: uuid.UUID) -> JobOut:
    found = access.job_for(request.user, job_id)
    return JobOut(
        id=found.public_id,
        kind=found.kind,
        state=found.state,
        progress=found.progress,
        error=read_now(found.error),
    )
