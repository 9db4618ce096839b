"""HTTP: bringing a film part by part. The parts themselves go to addresses that are handed out."""

from __future__ import annotations

import uuid
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from core.api import may
from core.errors import NotFound
from media_pipeline.models import Upload
from media_pipeline.reasons import read_now
from media_pipeline.services import uploads
from sellers.access import KEEPERS, member_of
from sellers.models import Seller

router = Router(tags=["media"])


class UploadIn(Schema):
    """The same `name`, `size` and `modified_ms` again is the same upload, to go on with."""

    seller: uuid.UUID
    name: Annotated[str, Field(min_length=1, max_length=200)]
    size: Annotated[int, Field(ge=0, le=2**53)]
    modified_ms: Annotated[int, Field(ge=-(2**53), le=2**53)]
    title: Annotated[str, Field(max_length=120)] = ""


class UploadOut(Schema):
    """`progress` is that of the work on a film that has arrived, 0 to 1."""

    id: uuid.UUID
    name: str
    title: str
    size: int
    part_size: int
    state: str
    progress: float
    error: str
    show: uuid.UUID


class PartOut(Schema):
    """Put the bytes from `start` on, `size` of them, to `url`, with no header of your own."""

    number: int
    start: int
    size: int
    url: str


class PartsOut(Schema):
    """The next parts that are missing; none: say that it is complete. `arrived` is in bytes."""

    parts: list[PartOut]
    arrived: int


def shown(upload: Upload) -> UploadOut:
    job = uploads.job_of(upload)
    return UploadOut(
        id=upload.public_id,
        name=upload.file_name,
        title=upload.title,
        size=upload.size,
        part_size=upload.part_size,
        state=upload.state,
        progress=job.progress if job else 0.0,
        error=read_now(upload.error or (job.error if job else "")),
        show=upload.show_id,
    )


@router.post(
    "/uploads", auth=may("write:shows"), response=UploadOut, summary="Begin to upload a film"
)
def begin(request: HttpRequest, body: UploadIn) -> UploadOut:
    seller = Seller.objects.filter(public_id=body.seller).first()
    if seller is None:
        raise NotFound(_("There is nothing here, or it is not yours."))
    person = member_of(request.user, seller, *KEEPERS)
    upload = uploads.begin(
        seller=seller,
        actor=person,
        file_name=body.name,
        size=body.size,
        modified_ms=body.modified_ms,
        title=body.title,
    )
    return shown(upload)


@router.get(
    "/uploads/{uuid:upload_id}",
    auth=may("read:shows"),
    response=UploadOut,
    summary="How an upload is doing",
)
def upload(request: HttpRequest, upload_id: uuid.UUID) -> UploadOut:
    return shown(_own(request, upload_id))


@router.post(
    "/uploads/{uuid:upload_id}/parts",
    auth=may("write:shows"),
    response=PartsOut,
    summary="Where to put the parts that are missing",
)
def parts(request: HttpRequest, upload_id: uuid.UUID) -> PartsOut:
    found = _own(request, upload_id)
    there = sum(part.size for part in uploads.arrived(found))
    wanted = [
        PartOut(
            number=one.number,
            start=(one.number - 1) * found.part_size,
            size=one.size,
            url=one.url,
        )
        for one in uploads.wanted(found)
    ]
    return PartsOut(parts=wanted, arrived=there)


@router.post(
    "/uploads/{uuid:upload_id}/complete",
    auth=may("write:shows"),
    response=UploadOut,
    summary="All parts are there",
)
def complete(request: HttpRequest, upload_id: uuid.UUID) -> UploadOut:
    return shown(uploads.complete(_own(request, upload_id)))


@router.delete(
    "/uploads/{uuid:upload_id}",
    auth=may("write:shows"),
    response=UploadOut,
    summary="Cancel an upload",
)
def cancel(request: HttpRequest, upload_id: uuid.UUID) -> UploadOut:
    return shown(uploads.cancel(_own(request, upload_id)))


def _own(request: HttpRequest, upload_id: uuid.UUID) -> Upload:
    """To strangers it does not exist."""
    found = uploads.upload_of(upload_id)
    member_of(request.user, found.seller, *KEEPERS)
    return found
