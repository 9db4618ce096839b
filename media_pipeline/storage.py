"""Where media files live: this machine's disk, and an S3 bucket where the settings name one.

What is being filmed is always on the disk: a camera's bytes are acknowledged after they are there.
With a bucket, everything that is finished is in the bucket, and a recording moves there after its
show (`media_pipeline.services.archiving`). Who reads looks on the disk first. The addresses that
browsers get are the same either way (`media_pipeline.serving`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from core.clock import now
from media_pipeline.storage_keys import (
    KEY,
    URL_PREFIX,
    BadKey,
    Bucket,
    NoSuchFile,
    Part,
    StorageDown,
    Stored,
    address,
    checked,
    folder_of,
    sign,
    verify,
    visibility,
)
from media_pipeline.storage_local import LocalStorage

if TYPE_CHECKING:
    from media_pipeline.storage_s3 import S3Storage

__all__ = [
    "KEY",
    "URL_PREFIX",
    "BadKey",
    "LocalStorage",
    "MediaStorage",
    "NoSuchFile",
    "Part",
    "Storage",
    "StorageDown",
    "Stored",
    "Uploads",
    "address",
    "checked",
    "folder_of",
    "sign",
    "storage",
    "sweep_work",
    "verify",
    "visibility",
    "work_folder",
]


class Storage(Protocol):
    """What the product asks of a place for files.

    Every method raises `BadKey` for a bad key, and `StorageDown` where the place does not answer.
    """

    def write(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there; readers see the old file or the new one."""

    def write_file(self, key: str, source: Path) -> None:
        """Store a local file, which is taken over (moved) by the storage."""

    def write_folder(self, folder: str, source: Path) -> None:
        """Store a local folder under `folder`, replacing it; the local folder is taken over.

        If it fails, nothing of it is there.
        """

    def read(self, key: str) -> bytes:
        """What is stored; raises `NoSuchFile`."""

    def size(self, key: str) -> int | None:
        """Bytes stored under `key`, or `None` if nothing is."""

    def keys(self, folder: str) -> list[str]:
        """All keys below `folder`, sorted."""

    def stored(self, folder: str) -> Iterator[Stored]:
        """All files below `folder`, with their sizes and ages."""

    def move_folder(self, source: str, target: str) -> None:
        """Give everything below `source` the same names below `target`; it may be done again."""

    def delete(self, key: str) -> None:
        """Remove one file; nothing there is no error."""

    def delete_folder(self, folder: str) -> None:
        """Remove everything below `folder`; nothing there is no error."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A local file to read, for programs that want a path; raises `NoSuchFile`."""

    def url(self, key: str, *, expires_s: float = 6 * 3600) -> str:
        """An address from which a browser can read `key` for at least `expires_s` seconds."""


class Uploads(Protocol):
    """A place to which browsers bring large files part by part; nobody sees half of one."""

    def begin(self, key: str) -> str:
        """The id of a new upload of `key`."""

    def part_url(self, key: str, upload_id: str, number: int, size: int, expires_s: float) -> str:
        """Where a browser may put part `number`, of just `size` bytes."""

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """What has arrived of an upload; raises `NoSuchFile` if there is no such upload."""

    def finish(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Show the file that these parts are, in their order; again is no error."""

    def abort(self, key: str, upload_id: str) -> None:
        """Take away an unfinished upload; one that is away already is no error."""

    def abort_older(self, moment: datetime, *, but: Sequence[str] = ()) -> int:
        """Abort what was begun before `moment` and not completed, but these ids; how many."""


class MediaStorage:
    """The disk, and behind it the bucket, if there is one."""

    def __init__(self, local: LocalStorage, remote: S3Storage | None) -> None:
        self.local = local
        self.remote = remote

    @property
    def root(self) -> Path:
        """The folder on the disk."""
        return self.local.root

    @property
    def _finished(self) -> Storage:
        """Where finished files go."""
        return self.remote or self.local

    @property
    def _places(self) -> list[Storage]:
        return [self.local, self.remote] if self.remote else [self.local]

    @property
    def uploads(self) -> Uploads:
        """Where browsers bring parts: to the bucket if they can reach it, and else to us."""
        return self.remote if self.remote and self.remote.bucket.public_url else self.local

    def path(self, key: str) -> Path:
        """The place of a key on the disk, for what is being filmed and for what was not moved."""
        return self.local.path(key)

    def write(self, key: str, data: bytes) -> None:
        self._finished.write(key, data)
        self._forget_local(key)

    def write_file(self, key: str, source: Path) -> None:
        self._finished.write_file(key, source)
        self._forget_local(key)

    def write_folder(self, folder: str, source: Path) -> None:
        self._finished.write_folder(folder, source)
        if self.remote:
            self.local.delete_folder(folder)

    def _forget_local(self, key: str) -> None:
        """What was on the disk from before there was a bucket must not hide what is newer."""
        if self.remote:
            self.local.delete(key)

    def read(self, key: str) -> bytes:
        with self.local_path(key) as path:
            return path.read_bytes()

    def size(self, key: str) -> int | None:
        found = self.local.size(key)
        return self.remote.size(key) if found is None and self.remote else found

    def keys(self, folder: str) -> list[str]:
        return sorted({key for place in self._places for key in place.keys(folder)})

    def stored(self, folder: str) -> Iterator[Stored]:
        for place in self._places:
            yield from place.stored(folder)

    def move_folder(self, source: str, target: str) -> None:
        for place in self._places:
            place.move_folder(source, target)

    def delete(self, key: str) -> None:
        for place in self._places:
            place.delete(key)

    def delete_folder(self, folder: str) -> None:
        for place in self._places:
            place.delete_folder(folder)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        place = self.local if self.remote is None or self.local.size(key) is not None else None
        with (place or self._finished).local_path(key) as path:
            yield path

    def url(self, key: str, *, expires_s: float = 6 * 3600) -> str:
        return address(key, expires_s=expires_s)


@lru_cache(maxsize=1)
def _media(root: Path, bucket: Bucket | None, work: Path) -> MediaStorage:
    return MediaStorage(LocalStorage(root), _remote(bucket, work) if bucket else None)


def _remote(bucket: Bucket, work: Path) -> S3Storage:
    """Loaded where there is a bucket only: boto3 costs every process a third of a second."""
    found: S3Storage = import_module("media_pipeline.storage_s3").S3Storage(bucket, work)
    return found


def storage() -> MediaStorage:
    """The instance's storage: `DATA_ROOT/media`, and the bucket of the settings."""
    return _media(settings.DATA_ROOT / "media", _bucket(), settings.DATA_ROOT / "work")


def _bucket() -> Bucket | None:
    if not settings.S3_BUCKET:
        return None
    return Bucket(
        name=settings.S3_BUCKET,
        endpoint_url=settings.S3_ENDPOINT_URL,
        public_url=settings.S3_PUBLIC_URL,
        region=settings.S3_REGION,
        key_id=settings.S3_ACCESS_KEY_ID,
        secret=settings.S3_SECRET_ACCESS_KEY,
    )


def work_folder() -> Path:
    """Where unfinished media is made: beside the media, so that finished files can be renamed."""
    folder: Path = settings.DATA_ROOT / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sweep_work(older_than_s: float = 24 * 3600) -> int:
    """Delete what workers that lost their power left unfinished; how many folders."""
    border = now().timestamp() - older_than_s
    left = [path for path in work_folder().iterdir() if path.stat().st_mtime < border]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)
