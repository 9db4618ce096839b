"""Media files in an S3 bucket: AWS, SeaweedFS, MinIO, Ceph.

Every part carries its MD5, which the server compares, and every file the SHA-256 of its whole,
which is compared when it is read. A folder appears as a whole: all of its files are uploaded as
multipart uploads, which nobody sees, and only then completed, what names the others last.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from media_pipeline.s3_client import MISSING, at_once, code, connect, md5, pour, sha256, told
from media_pipeline.storage_keys import (
    Bucket,
    NoSuchFile,
    Part,
    StorageDown,
    Stored,
    checked,
    content_type,
)

PART = 16 * 1024**2
"""Bytes of a part: of 10,000 that a file may have, so the largest is 156 GB."""
LARGEST_COPY = 5 * 1024**3
READS = SENDS = 3
HARMED = {"BadDigest", "XAmzContentSHA256Mismatch"}


@dataclass(frozen=True, slots=True)
class _Pending:
    """A multipart upload with all of its parts, which nobody sees yet."""

    key: str
    upload_id: str
    parts: Sequence[Part]
    size: int


class S3Storage:
    """Files in one bucket; as `media_pipeline.storage.Storage`. Safe for several threads."""

    def __init__(self, bucket: Bucket, work: Path) -> None:
        self.bucket = bucket
        self._work = work
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    @property
    def client(self) -> Any:
        return self._client(self.bucket.endpoint_url)

    def _client(self, endpoint_url: str) -> Any:
        """Made when it is first needed: it costs a quarter of a second."""
        with self._lock:
            if endpoint_url not in self._clients:
                self._clients[endpoint_url] = connect(self.bucket, endpoint_url)
            return self._clients[endpoint_url]

    # What is stored.

    def write(self, key: str, data: bytes) -> None:
        with told():
            self._put(checked(key), data)

    def _put(self, key: str, data: bytes) -> None:
        about = {"sha256": hashlib.sha256(data).hexdigest()}
        self._send("put_object", key, data, ContentType=content_type(key), Metadata=about)

    def _send(self, name: str, key: str, data: bytes, **asked: Any) -> Any:
        """Bytes that came to harm on their way are sent again; for boto3 that is no reason."""
        for left in reversed(range(SENDS)):
            try:
                return self._call(name, key, Body=data, ContentMD5=md5(data), **asked)
            except ClientError as error:
                if code(error) not in HARMED or not left:
                    raise
        raise AssertionError  # never: the last try returns or raises

    def write_file(self, key: str, source: Path) -> None:
        self.copy_in(key, source)
        source.unlink()

    def copy_in(self, key: str, source: Path) -> None:
        """Store a local file, which stays where it is."""
        with told():
            if source.stat().st_size <= PART:
                self._put(checked(key), source.read_bytes())
            else:
                self._complete(self._upload(checked(key), source))

    def write_folder(self, folder: str, source: Path) -> None:
        files = {
            checked(f"{folder}/{path.relative_to(source).as_posix()}"): path
            for path in source.rglob("*")
            if path.is_file()
        }
        with told():
            before = set(self.keys(folder))
            self._publish(folder, files, before)
            self._delete(sorted(before - files.keys()))
        _remove_tree(source)

    def _publish(self, folder: str, files: dict[str, Path], before: set[str]) -> None:
        """Nothing of it is there if it fails, but what was there before under the same names."""
        pending: list[_Pending] = []
        shown: list[str] = []
        try:
            pending += at_once(lambda one: self._upload(*one), files.items())
            for one in sorted(pending, key=_turn):
                self._complete(one)
                shown.append(one.key)
        except BaseException:
            with suppress(BotoCoreError, ClientError, StorageDown):
                self._delete([key for key in shown if key not in before])
                self._abort_below(folder)
            raise

    def read(self, key: str) -> bytes:
        with self.local_path(key) as path:
            return path.read_bytes()

    def size(self, key: str) -> int | None:
        with told():
            try:
                return int(self._call("head_object", checked(key))["ContentLength"])
            except NoSuchFile:
                return None

    def keys(self, folder: str) -> list[str]:
        return sorted(one.key for one in self.stored(folder))

    def stored(self, folder: str) -> Iterator[Stored]:
        with told():
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket.name, Prefix=f"{checked(folder)}/"
            )
            for page in pages:
                for one in page.get("Contents", ()):
                    yield Stored(one["Key"], one["Size"], one["LastModified"])

    def move_folder(self, source: str, target: str) -> None:
        checked(target)
        with told():
            there = set(self.keys(target))
            old = list(self.stored(source))
            wanted = [one for one in old if target + one.key.removeprefix(source) not in there]
            at_once(lambda one: self._copy(one, target + one.key.removeprefix(source)), wanted)
            self._delete([one.key for one in old])

    def _copy(self, one: Stored, target: str) -> None:
        source = {"Bucket": self.bucket.name, "Key": one.key}
        if one.size <= LARGEST_COPY:
            self._call("copy_object", target, CopySource=source)
            return
        head = self._call("head_object", one.key)
        about = {"Metadata": head["Metadata"], "ContentType": head["ContentType"]}
        self.client.copy(source, self.bucket.name, target, ExtraArgs=about)

    def delete(self, key: str) -> None:
        with told():
            self._call("delete_object", checked(key))

    def delete_folder(self, folder: str) -> None:
        with told():
            self._delete(self.keys(folder))
            self._abort_below(folder)

    def _delete(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), 1000):
            doomed = [{"Key": key} for key in keys[first : first + 1000]]
            answer = self.client.delete_objects(
                Bucket=self.bucket.name, Delete={"Objects": doomed, "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise StorageDown(f"{len(errors)} files could not be deleted: {errors[0]}")

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        self._work.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="read-", suffix=Path(key).suffix, dir=self._work)
        try:
            with os.fdopen(handle, "wb") as file:
                self._download(checked(key), file)
            yield Path(name)
        finally:
            Path(name).unlink()

    def _download(self, key: str, file: IO[bytes]) -> None:
        """The whole file as it was stored; one that was cut short is asked for again."""
        for left in reversed(range(READS)):
            file.seek(0)
            file.truncate()
            with told():
                answer = self._call("get_object", key)
            try:
                found = pour(answer["Body"], file)
            except (BotoCoreError, HTTPError, OSError) as error:
                if not left:
                    raise StorageDown(f"{key} was cut short: {error}") from error
                continue
            if found == answer["Metadata"].get("sha256", found):
                return
        raise StorageDown(f"{key} is not what was stored")

    # What browsers get.

    def url(self, key: str, *, expires_s: float = 6 * 3600, saved_as: str = "") -> str:
        asked: dict[str, Any] = {"Bucket": self.bucket.name, "Key": checked(key)}
        if saved_as:
            asked["ResponseContentDisposition"] = saved_as
        return self._presigned("get_object", asked, expires_s)

    def _presigned(self, call: str, asked: dict[str, Any], expires_s: float) -> str:
        client = self._client(self.bucket.public_url or self.bucket.endpoint_url)
        url: str = client.generate_presigned_url(call, Params=asked, ExpiresIn=int(expires_s))
        return url

    def open(self, key: str, **asked: str) -> dict[str, Any]:
        """S3's own answer, for who passes it on; `Range` and `IfNoneMatch` can be asked.

        Raises `NoSuchFile` and `StorageDown`, whose status may be 304 or 416.
        """
        with told():
            answer: dict[str, Any] = self._call("get_object", checked(key), **asked)
            return answer

    def block(self, answer: dict[str, Any], size: int) -> bytes:
        """The next bytes of an `open` answer; empty at its end. Raises `StorageDown`."""
        try:
            data: bytes = answer["Body"].read(size)
        except (BotoCoreError, HTTPError, OSError) as error:
            raise StorageDown(str(error)) from error
        return data

    # Uploads, part by part; nobody sees anything of one before it is complete.

    def begin(self, key: str, *, sha256: str = "") -> str:
        """The id of a new upload of `key`."""
        with told():
            about = {"Metadata": {"sha256": sha256}} if sha256 else {}
            kind = content_type(key)
            asked = self._call("create_multipart_upload", checked(key), ContentType=kind, **about)
            return str(asked["UploadId"])

    def part_url(self, key: str, upload_id: str, number: int, size: int, expires_s: float) -> str:
        """Where a browser may put part `number`, of just `size` bytes."""
        asked = {
            "Bucket": self.bucket.name,
            "Key": checked(key),
            "UploadId": upload_id,
            "PartNumber": number,
            "ContentLength": size,
        }
        return self._presigned("upload_part", asked, expires_s)

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """What has arrived of an upload; raises `NoSuchFile` if there is no such upload."""
        with told():
            pages = self.client.get_paginator("list_parts").paginate(
                Bucket=self.bucket.name, Key=checked(key), UploadId=upload_id
            )
            return [
                Part(one["PartNumber"], one["Size"], one["ETag"])
                for page in pages
                for one in page.get("Parts", ())
            ]

    def finish(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Show the file that these parts are, in their order."""
        with told():
            size = sum(part.size for part in parts)
            self._complete(_Pending(checked(key), upload_id, parts, size))

    def abort(self, key: str, upload_id: str) -> None:
        """Take away an unfinished upload; one that is away already is no error."""
        with told(), suppress(NoSuchFile):
            self._call("abort_multipart_upload", checked(key), UploadId=upload_id)

    def unfinished(self, folder: str = "") -> Iterator[Stored]:
        """Uploads that were begun and not completed: `size` is 0, since nobody knows it."""
        for key, _upload_id, begun in self._unfinished(folder):
            yield Stored(key, 0, begun)

    def _unfinished(self, folder: str) -> Iterator[tuple[str, str, datetime]]:
        prefix = f"{folder}/" if folder else ""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket.name, Prefix=prefix
        )
        for page in pages:
            for one in page.get("Uploads", ()):
                if one["Key"].startswith(prefix):
                    yield one["Key"], one["UploadId"], one["Initiated"]

    def abort_older(self, moment: datetime, *, but: Sequence[str] = ()) -> int:
        """Abort what was begun before `moment` and not completed, but these ids; how many."""
        with told():
            old = [
                (key, upload_id)
                for key, upload_id, begun in self._unfinished("")
                if begun < moment and upload_id not in but
            ]
            for key, upload_id in old:
                self.abort(key, upload_id)
            return len(old)

    def _abort_below(self, folder: str) -> None:
        for key, upload_id, _begun in list(self._unfinished(folder)):
            self.abort(key, upload_id)

    def _upload(self, key: str, path: Path) -> _Pending:
        """Bring all parts of a file; each is tried several times."""
        upload_id = self.begin(key, sha256=sha256(path))
        parts: list[Part] = []
        with path.open("rb") as file:
            while (data := file.read(PART)) or not parts:
                number = len(parts) + 1
                asked = {"UploadId": upload_id, "PartNumber": number}
                answer = self._send("upload_part", key, data, **asked)
                parts.append(Part(number, len(data), answer["ETag"]))
        return _Pending(key, upload_id, parts, sum(part.size for part in parts))

    def _complete(self, one: _Pending) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in one.parts]
        asked = {"UploadId": one.upload_id, "MultipartUpload": {"Parts": listed}}
        try:
            self._call("complete_multipart_upload", one.key, **asked)
        except NoSuchFile:  # a try whose answer was lost had completed it
            if self.size(one.key) != one.size:
                raise
        if (found := self.size(one.key)) != one.size:
            raise StorageDown(f"{one.key} has {found} bytes, not {one.size}")

    def _call(self, name: str, key: str, **asked: Any) -> Any:
        """Ask S3; raises `NoSuchFile` where what is asked for is not there."""
        try:
            return getattr(self.client, name)(Bucket=self.bucket.name, Key=key, **asked)
        except ClientError as error:
            if code(error) in MISSING:
                raise NoSuchFile(key) from error
            raise


def _turn(one: _Pending) -> tuple[int, int]:
    """What names others comes after them: media, then their playlists, then the master."""
    return (1, -one.key.count("/")) if one.key.endswith(".m3u8") else (0, 0)


def _remove_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
