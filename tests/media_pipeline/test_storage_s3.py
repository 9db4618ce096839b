"""What is particular to S3: it can fail in the middle, and strangers can ask it themselves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from media_pipeline import s3_client
from media_pipeline.storage import NoSuchFile, StorageDown
from media_pipeline.storage_s3 import PART, S3Storage
from tests.media_pipeline.s3_relay import Relay, relay
from tests.media_pipeline.stores import new_bucket
from tests.s3_server import S3Server

FOLDER = "public/recordings/r1/r/1"
KEY = f"{FOLDER}/360/video.m4s"


@pytest.fixture
def wire(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setattr(s3_client, "READ_S", 1)
    with relay(s3.address) as found:
        yield found


@pytest.fixture
def store(s3: S3Server, wire: Relay, tmp_path: Path) -> S3Storage:
    return S3Storage(new_bucket(s3, wire.address), tmp_path / "work")


@pytest.fixture
def renditions(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    for name in ("360/video.m4s", "360/video.m3u8", "master.m3u8", "empty.vtt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"" if name.startswith("empty") else os.urandom(100_000))
    (folder / "360/video.m4s").write_bytes(os.urandom(PART + 10))
    return folder


BEGIN, PART_SENT, COMPLETE = r"\?uploads", "partNumber=", r"POST \S+uploadId="


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        *((what, kind) for what in (BEGIN, PART_SENT, COMPLETE) for kind in ("500", "lost")),
        (BEGIN, "cut"),
        (PART_SENT, "flip"),
        (PART_SENT, "hang"),
        (COMPLETE, "cut"),
    ],
)
def test_what_fails_twice_is_tried_again(
    store: S3Storage, wire: Relay, tmp_path: Path, what: str, kind: str
) -> None:
    made = tmp_path / "made.mp4"
    content = os.urandom(PART + 10)
    made.write_bytes(content)
    wire.fail(kind, 2, what)
    store.write_file(KEY, made)
    assert wire.failed == 2
    assert store.read(KEY) == content


def test_a_folder_appears_only_when_all_of_it_has_arrived(
    store: S3Storage, wire: Relay, renditions: Path
) -> None:
    store.write_folder(FOLDER, renditions)
    shown = [number for number, line in enumerate(wire.asked) if re.match(COMPLETE, line)]
    assert max(n for n, line in enumerate(wire.asked) if PART_SENT in line) < min(shown)
    names = [wire.asked[number].partition("?")[0].rpartition("/")[2] for number in shown]
    assert names[-2:] == ["video.m3u8", "master.m3u8"]
    assert len(store.keys(FOLDER)) == 4
    assert not renditions.exists()


@pytest.mark.parametrize("what", [PART_SENT, r"POST \S+master\S+uploadId="])
def test_of_a_folder_that_fails_nothing_is_left(
    store: S3Storage, wire: Relay, renditions: Path, what: str
) -> None:
    wire.fail("500", 50, what)
    with pytest.raises(StorageDown):
        store.write_folder(FOLDER, renditions)
    assert store.keys(FOLDER) == []
    assert list(store.unfinished()) == []
    assert renditions.exists(), "what was made can be stored at the next try"


@pytest.mark.parametrize("kind", ["cut", "500"])
def test_half_an_answer_is_asked_for_again(store: S3Storage, wire: Relay, kind: str) -> None:
    store.write(KEY, b"x" * 300_000)
    wire.fail(kind, 2, "GET")
    assert store.read(KEY) == b"x" * 300_000
    assert wire.failed == 2


def test_bytes_that_changed_in_the_store_are_not_given_as_the_file(
    store: S3Storage,
    s3: S3Server,
) -> None:
    store.write(KEY, b"film")
    about = s3.client().head_object(Bucket=store.bucket.name, Key=KEY)["Metadata"]
    s3.client().put_object(Bucket=store.bucket.name, Key=KEY, Body=b"fi1m", Metadata=about)
    with pytest.raises(StorageDown, match="not what was stored"):
        store.read(KEY)


def test_a_server_that_is_away_is_told_and_comes_back(store: S3Storage, wire: Relay) -> None:
    store.write(KEY, b"before")
    wire.fail("refuse", 1000)
    with pytest.raises(StorageDown):
        store.write(KEY, b"meanwhile")
    with pytest.raises(StorageDown):
        store.read(KEY)
    wire.fail("", 0)
    assert store.read(KEY) == b"before"


def test_an_address_opens_one_file_until_it_expires(store: S3Storage, s3: S3Server) -> None:
    store.write(KEY, b"film")
    store.write(f"{FOLDER}/other.m4s", b"other")
    url = store.url(KEY, expires_s=600)
    assert asked(url) == (200, b"film")
    assert asked(url.replace("360/video", "other"))[0] == 403
    assert asked(url.replace("X-Amz-Expires=600", "X-Amz-Expires=60000"))[0] == 403
    assert asked(url.partition("?")[0])[0] == 403


def test_a_part_must_have_the_size_that_was_agreed(store: S3Storage) -> None:
    upload_id = store.begin(KEY)
    url = store.part_url(KEY, upload_id, 1, 10, 600)
    assert httpx.put(url, content=b"0" * 11, trust_env=False).status_code == 403
    assert httpx.put(url, content=b"0" * 10, trust_env=False).status_code == 200
    assert [part.size for part in store.parts(KEY, upload_id)] == [10]


def test_what_is_deleted_while_it_arrives_does_not_appear_later(store: S3Storage) -> None:
    upload_id = store.begin(KEY)
    httpx.put(store.part_url(KEY, upload_id, 1, 4, 600), content=b"film", trust_env=False)
    store.delete_folder(FOLDER)
    with pytest.raises(NoSuchFile):
        store.parts(KEY, upload_id)


def test_the_secret_is_not_told(store: S3Storage) -> None:
    assert store.bucket.secret not in repr(store.bucket)


def asked(url: str) -> tuple[int, bytes]:
    answer = httpx.get(url, trust_env=False)
    return answer.status_code, answer.content
