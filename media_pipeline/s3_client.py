"""Talking to an S3 server: the client, its errors in our words, and checksums."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_pipeline.storage_keys import Bucket, NoSuchFile, StorageDown

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 8
TRIES, CONNECT_S, READ_S = 5, 5, 20
MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}


def connect(bucket: Bucket, endpoint_url: str) -> Any:
    """A client; making one asks nobody anything."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url or None,
        region_name=bucket.region,
        aws_access_key_id=bucket.key_id or None,
        aws_secret_access_key=bucket.secret or None,
        config=_config(),
    )


def _config() -> Config:
    return Config(
        signature_version="s3v4",
        # Where there is an endpoint of one's own there is seldom a name for every bucket.
        s3={"addressing_style": "path"},
        retries={"mode": "standard", "total_max_attempts": TRIES},
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        max_pool_connections=4 * AT_ONCE,
        # The newer checksums are unknown to many servers; MD5 and SHA-256 are our own affair.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def told() -> Iterator[None]:
    """What boto3 says, in our words."""
    try:
        yield
    except ClientError as error:
        if code(error) in MISSING:
            raise NoSuchFile(str(error)) from error
        raise StorageDown(str(error), status_of(error)) from error
    except BotoCoreError as error:
        raise StorageDown(str(error)) from error


def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def at_once(work: Callable[[S], T], things: Iterable[S]) -> list[T]:
    """All of it, or the first error, after all that was begun has ended."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3") as threads:
        return list(threads.map(work, list(things)))


def pour(body: Any, file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with contextlib.closing(body):
        for block in body.iter_chunks(1024**2):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
