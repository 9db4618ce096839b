"""The storages that the product can use, for tests that each has to pass."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_pipeline.storage import LocalStorage, MediaStorage
from media_pipeline.storage_keys import Bucket
from media_pipeline.storage_s3 import S3Storage
from tests.s3_server import KEY_ID, REGION, SECRET, S3Server, s3_server

AnyStore = LocalStorage | S3Storage | MediaStorage


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def new_bucket(server: S3Server, address: str = "", *, public: bool = True) -> Bucket:
    """An empty bucket, reached at `address` instead of the server's own."""
    name = f"films-{uuid.uuid4().hex[:12]}"
    server.client().create_bucket(Bucket=name)
    url = f"http://{address}" if address else server.url
    return Bucket(name, url, server.url if public else "", REGION, KEY_ID, SECRET)


@pytest.fixture(params=["local", "s3", "both"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnyStore:
    """Each storage in turn, with nothing in it."""
    local = LocalStorage(tmp_path / "media")
    if request.param == "local":
        return local
    remote = S3Storage(new_bucket(request.getfixturevalue("s3")), tmp_path / "work")
    return remote if request.param == "s3" else MediaStorage(local, remote)
