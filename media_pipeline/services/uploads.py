"""Films that sellers bring from their gallery: begun, brought part by part, cancelled, complete.

Whoever calls decides who may. What has arrived is asked of the storage, never of the browser: so an
upload goes on after a reload or on another device, and a lie about a part helps nobody.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.text import clean_line
from media_pipeline import jobs
from media_pipeline.long_films import forget_of
from media_pipeline.models import Job, JobFault, Upload, UploadState
from media_pipeline.storage import NoSuchFile, Part, storage
from sellers.models import Seller

IMPORT_UPLOAD = "import_upload"
PRIORITY = jobs.Priority.BESIDE
KINDS = ("mp4", "m4v", "mov", "mkv", "webm")
GIGABYTE = 1000**3
PART = 8 * 1024**2
MOST_PARTS = 9000
URL_S = 3600.0
AT_ONCE = 12
"""So many addresses are given out at a time: they expire."""
FORGOTTEN_AFTER = timedelta(days=3)
COUNTED = (UploadState.OPEN, UploadState.ARRIVED, UploadState.READY)


class NoRoomLeft(Conflict):
    """The seller's films would take more than they may."""

    code = "quota"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part that has not arrived, and where to put it until the address expires."""

    number: int
    size: int
    url: str


def begin(
    *, seller: Seller, actor: User, file_name: str, size: int, modified_ms: int, title: str = ""
) -> Upload:
    """A new upload, or the open one of the same file by the same person, to go on with.

    Raises `InvalidInput` for what is no film or too large, and `NoRoomLeft`.
    """
    name = clean_line(file_name, "name", longest=200)
    _check(name, size)
    with transaction.atomic():
        # One at a time for each seller: two together must not take more than there is.
        Seller.objects.select_for_update().get(pk=seller.pk)
        known = Upload.objects.filter(seller=seller, owner=actor, state=UploadState.OPEN)
        upload = known.filter(file_name=name, size=size, modified_ms=modified_ms).first()
        if upload is None:
            _check_quota(seller, size)
            upload = _add(seller, actor, name, size, modified_ms, clean_title(title or name))
    return _placed(upload)


def clean_title(text: str) -> str:
    """Of a file's name, what a person would say."""
    plain = re.sub(rf"\.({'|'.join(KINDS)})$", "", text, flags=re.IGNORECASE)
    return clean_line(plain[:120] or text[:120], "title", longest=120)


def _check(name: str, size: int) -> None:
    stem, _dot, kind = name.rpartition(".")
    if not stem or kind.lower() not in KINDS:
        raise InvalidInput(_("Please choose a video: %s.") % ", ".join(KINDS), field="name")
    if not settings.LARGEST_UPLOAD_GB:
        raise Conflict(_("Films cannot be uploaded here."))
    if size < 1:
        raise InvalidInput(_("This file is empty."), field="size")
    if size > settings.LARGEST_UPLOAD_GB * GIGABYTE:
        most = f"{settings.LARGEST_UPLOAD_GB:g}"
        raise InvalidInput(_("This film is too large: %s GB at most.") % most, field="size")


def taken(seller: Seller) -> int:
    """Bytes of the seller's uploads that are kept, or on their way."""
    found = Upload.objects.filter(seller=seller, state__in=COUNTED).aggregate(sum=Sum("size"))
    return int(found["sum"] or 0)


def _check_quota(seller: Seller, size: int) -> None:
    most = settings.SELLER_QUOTA_GB * GIGABYTE
    if most and taken(seller) + size > most:
        raise NoRoomLeft(
            _("There is no room left for it: your films may take %s GB together. Remove one first.")
            % f"{settings.SELLER_QUOTA_GB:g}"
        )


def _add(seller: Seller, actor: User, name: str, size: int, modified_ms: int, title: str) -> Upload:
    public_id = new_id()
    key = f"private/uploads/{public_id}/source.{name.rpartition('.')[2].lower()}"
    return Upload.objects.create(
        public_id=public_id,
        seller=seller,
        owner=actor,
        title=title,
        file_name=name,
        size=size,
        modified_ms=modified_ms,
        part_size=max(PART, math.ceil(size / MOST_PARTS)),
        key=key,
        asked_at=now(),
    )


def _placed(upload: Upload) -> Upload:
    """With a place in the storage, which is asked for outside of the transaction."""
    if not upload.storage_id:
        begun = storage().uploads.begin(upload.key)
        nameless = Upload.objects.filter(pk=upload.pk, storage_id="")
        if not nameless.update(storage_id=begun):
            storage().uploads.abort(upload.key, begun)  # another request was faster
        upload.refresh_from_db()
    return upload


def sizes(upload: Upload) -> list[int]:
    """Of every part, in their order."""
    whole, rest = divmod(upload.size, upload.part_size)
    return [upload.part_size] * whole + ([rest] if rest else [])


def arrived(upload: Upload) -> list[Part]:
    """The parts that are there as they should be. Raises `Conflict` for an upload that is over."""
    if upload.state != UploadState.OPEN:
        raise Conflict(_("This upload is over."))
    expected = dict(enumerate(sizes(upload), start=1))
    try:
        found = parts_of(upload)
    except NoSuchFile as error:
        raise Conflict(_("This upload is over.")) from error
    return [part for part in found if expected.get(part.number) == part.size]


def parts_of(upload: Upload) -> list[Part]:
    """What the storage has, each part once: of one that came twice at the same time, some S3
    servers list both. Raises `NoSuchFile`."""
    found = storage().uploads.parts(upload.key, upload.storage_id)
    return list({part.number: part for part in found}.values())


def wanted(upload: Upload) -> list[Wanted]:
    """Where to put the next parts that are missing; empty when all are there."""
    there = {part.number for part in arrived(upload)}
    Upload.objects.filter(pk=upload.pk).update(asked_at=now())
    missing = [(n, size) for n, size in enumerate(sizes(upload), start=1) if n not in there]
    place = storage().uploads
    return [
        Wanted(n, size, place.part_url(upload.key, upload.storage_id, n, size, URL_S))
        for n, size in missing[:AT_ONCE]
    ]


def complete(upload: Upload) -> Upload:
    """All parts are there: have the film looked at. Saying it again changes nothing.

    Raises `Conflict` while parts are missing, or have another size than was said.
    """
    if upload.state in {UploadState.ARRIVED, UploadState.READY}:
        return upload
    if len(arrived(upload)) != len(sizes(upload)):
        raise Conflict(_("Parts of the film are still missing."))
    with transaction.atomic():
        moved = Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN)
        if moved.update(state=UploadState.ARRIVED):
            jobs.enqueue(IMPORT_UPLOAD, upload.public_id, owner=upload.owner, priority=PRIORITY)
    upload.refresh_from_db()
    return upload


def cancel(upload: Upload) -> Upload:
    """Take away what has arrived. One that became a recording is left as it is."""
    open_ones = (UploadState.OPEN, UploadState.ARRIVED, UploadState.FAILED)
    with transaction.atomic():
        found = Upload.objects.filter(pk=upload.pk, state__in=open_ones)
        if found.update(state=UploadState.CANCELLED):
            jobs.withdraw(IMPORT_UPLOAD, [upload.public_id])
    upload.refresh_from_db()
    if upload.state == UploadState.CANCELLED:
        _take_away(upload)
    return upload


def _take_away(upload: Upload) -> None:
    forget_of(IMPORT_UPLOAD, upload.public_id)
    storage().uploads.abort(upload.key, upload.storage_id)
    storage().delete_folder(upload.key.rpartition("/")[0])


def upload_failed(upload_id: uuid.UUID, reason: str) -> None:
    """Tell on the upload why nothing comes of it, and let its bytes go if it was their fault.

    Otherwise they are kept for `FORGOTTEN_AFTER`: nobody should have to send a film twice because
    our storage was away.
    """
    found = Upload.objects.filter(public_id=upload_id, state=UploadState.ARRIVED)
    if found.update(state=UploadState.FAILED, error=reason[:300], asked_at=now()):
        upload = Upload.objects.get(public_id=upload_id)
        if not _may_try_again(upload):
            _take_away(upload)


def upload_again(upload_id: uuid.UUID) -> None:
    """Look at what has arrived once more; raises `Conflict` if it is not kept any more."""
    upload = upload_of(upload_id)
    failed = Upload.objects.filter(pk=upload.pk, state=UploadState.FAILED)
    if not _may_try_again(upload) or not failed.update(state=UploadState.ARRIVED, error=""):
        raise Conflict(_("What was sent of this film is gone. Choose the file again."))


def _may_try_again(upload: Upload) -> bool:
    job = job_of(upload)
    return job is not None and job.fault not in {JobFault.SOURCE, JobFault.MISSING}


def upload_of(upload_id: uuid.UUID) -> Upload:
    """Raises `NotFound`."""
    found = Upload.objects.filter(public_id=upload_id).select_related("seller", "owner").first()
    if found is None:
        raise NotFound(_("There is no such upload."))
    return found


def job_of(upload: Upload) -> Job | None:
    """The job that makes a recording of it, for its progress."""
    return jobs.job_of(IMPORT_UPLOAD, upload.public_id)


def shown_to(sellers: Sequence[Seller]) -> list[Upload]:
    """The newest uploads of these sellers that were not cancelled."""
    found = Upload.objects.filter(seller__in=sellers).exclude(state=UploadState.CANCELLED)
    return list(found.select_related("seller", "owner")[:50])


def sweep() -> int:
    """Give up uploads that nobody went on with, and parts of no upload at all; how many."""
    border = now() - FORGOTTEN_AFTER
    waiting = (UploadState.OPEN, UploadState.FAILED)
    left = list(Upload.objects.filter(state__in=waiting, asked_at__lt=border))
    for upload in left:
        cancel(upload)
    living = Upload.objects.filter(state__in=(*waiting, UploadState.ARRIVED))
    ids = list(living.values_list("storage_id", flat=True))
    return len(left) + storage().uploads.abort_older(border, but=ids)
