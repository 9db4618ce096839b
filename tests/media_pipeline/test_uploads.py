"""Films from a gallery: brought part by part to the disk or to a bucket, by the same calls."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from django.test import Client

from core.accounts.models import User
from core.clock import now
from media_pipeline import jobs, serving
from media_pipeline.ingest import layout
from media_pipeline.models import Recording, RecordingState, Upload, UploadState
from media_pipeline.services import uploads
from media_pipeline.services.archiving import enqueue_archiving
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.services.removal import remove_recording
from media_pipeline.services.uploads import IMPORT_UPLOAD, sweep
from media_pipeline.storage import storage
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_job, run_waiting
from tests.media_pipeline.stores import new_bucket
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]

Answer = tuple[int, dict[str, Any]]


@pytest.fixture(params=["disk", "bucket"], autouse=True)
def place(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Where parts go; a browser can reach the bucket."""
    settings.DATA_ROOT = tmp_path
    if request.param == "bucket":
        found = new_bucket(request.getfixturevalue("s3"))
        settings.S3_BUCKET, settings.S3_ENDPOINT_URL = found.name, found.endpoint_url
        settings.S3_REGION, settings.S3_PUBLIC_URL = found.region, found.endpoint_url
        settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = found.key_id, found.secret
    return str(request.param)


def ask(user: User, method: str, path: str, body: object = None) -> Answer:
    client = Client()
    client.force_login(user)
    data = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
    response = getattr(client, method)(f"/api/v1/uploads{path}", **data)
    return response.status_code, response.json()


def begun(world: World, size: int, name: str = "apples.mp4", user: User | None = None) -> Answer:
    body = {
        "seller": str(world.farm.public_id),
        "name": name,
        "size": size,
        "modified_ms": 1_700_000_000_000,
    }
    return ask(user or world.zhang, "post", "", body)


def put(url: str, data: bytes) -> int:
    if url.startswith("http"):
        return httpx.put(url, content=data, trust_env=False).status_code

    async def ask_us() -> int:
        transport = httpx.ASGITransport(app=serving.application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return (await client.put(url, content=data)).status_code

    return asyncio.run(ask_us())


def bring(world: World, upload_id: str, content: bytes, *, most: int = 1000) -> int:
    """Put what is missing, `most` parts at most; how many were put."""
    count = 0
    while count < most:
        _status, told = ask(world.zhang, "post", f"/{upload_id}/parts")
        if not told["parts"]:
            return count
        for part in told["parts"][: most - count]:
            data = content[part["start"] : part["start"] + part["size"]]
            assert put(part["url"], data) == 200
            count += 1
    return count


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the size that S3 takes at least, for all but the last."""
    monkeypatch.setattr(uploads, "PART", 5 * 2**20)


def test_a_film_becomes_a_recording_like_any_other(world: World, film: Path) -> None:
    content = film.read_bytes()
    _status, upload = begun(world, len(content))
    bring(world, upload["id"], content)
    status, told = ask(world.zhang, "post", f"/{upload['id']}/complete")
    assert (status, told["state"]) == (200, "arrived")
    run_waiting()
    assert ask(world.zhang, "get", f"/{upload['id']}")[1]["state"] == "ready"
    recording = Recording.objects.get(show_id=upload["show"])
    assert (recording.state, recording.is_public) == (RecordingState.READY, False)
    assert recording.duration_s == pytest.approx(20, abs=0.2)
    enqueue_processing(recording.public_id)
    run_waiting()
    assert recording.assets.get().renditions.exists()
    enqueue_archiving(recording.public_id)
    run_waiting()
    key = layout.recording_key(recording.public_id, is_public=False)
    assert storage().read(f"{key}/replay.m3u8").startswith(b"#EXTM3U")
    assert not storage().keys("private/uploads"), "the take holds all of it"


def test_an_upload_goes_on_where_it_was_cut(world: World, small_parts: None) -> None:
    content = bytes(range(256)) * 4096 * 12
    _status, upload = begun(world, len(content))
    assert bring(world, upload["id"], content, most=1) == 1
    _status, again = begun(world, len(content))  # the page was loaded again
    assert again["id"] == upload["id"]
    assert ask(world.zhang, "post", f"/{upload['id']}/complete")[0] == 409
    assert bring(world, upload["id"], content) == 2
    for _twice in range(2):
        assert ask(world.zhang, "post", f"/{upload['id']}/complete")[1]["state"] == "arrived"
    assert Upload.objects.count() == 1


def test_two_browsers_bring_one_film(world: World, small_parts: None) -> None:
    content = b"film" * (3 * 2**20)
    _status, upload = begun(world, len(content))
    threads = [threading.Thread(target=put_all, args=(world, upload, content)) for _ in range(2)]
    urls = ask(world.zhang, "post", f"/{upload['id']}/parts")[1]["parts"]
    upload["parts"] = urls
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ask(world.zhang, "post", f"/{upload['id']}/complete")[0] == 200
    found = Upload.objects.get()
    storage().uploads.finish(found.key, found.storage_id, uploads.parts_of(found))
    assert storage().read(found.key) == content


def put_all(world: World, upload: dict[str, Any], content: bytes) -> None:
    for part in upload["parts"]:
        put(part["url"], content[part["start"] : part["start"] + part["size"]])


def test_a_part_of_another_size_is_not_taken(world: World) -> None:
    _status, upload = begun(world, 1000)
    [part] = ask(world.zhang, "post", f"/{upload['id']}/parts")[1]["parts"]
    for wrong in (b"x" * 999, b"x" * 1001, b""):
        assert put(part["url"], wrong) in {400, 403}
    other = part["url"].replace("/1/1000", "/1/10").replace("partNumber=1", "partNumber=2")
    assert put(other, b"x" * (10 if other.endswith("/10") else 1000)) == 403
    assert ask(world.zhang, "post", f"/{upload['id']}/complete")[0] == 409


def test_an_address_expires_and_a_new_one_is_given(world: World) -> None:
    _status, upload = begun(world, 4)
    found = Upload.objects.get()
    with time_machine.travel(now() - timedelta(hours=1)):  # S3 has a clock of its own
        old = storage().uploads.part_url(found.key, found.storage_id, 1, 4, 60)
    assert put(old, b"film") == 403
    assert bring(world, upload["id"], b"film") == 1


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.mp4", "a\nb.mp4", "$(rm -rf).mov", "苹果.MP4", "a" * 180 + ".webm", ".mkv"],
)
def test_a_name_is_only_what_is_shown(world: World, name: str) -> None:
    status, upload = begun(world, 4, name)
    assert status in {200, 422}
    if status == 200:
        key = Upload.objects.get().key
        assert key.startswith(f"private/uploads/{upload['id']}/source.")
        assert key.rpartition(".")[2] in uploads.KINDS


@pytest.mark.parametrize(
    ("name", "size", "status"),
    [("a.exe", 4, 422), ("mp4", 4, 422), ("a.mp4", 0, 422), ("a.mp4", 9 * 10**9, 422)],
)
def test_what_is_no_film_is_refused_before_it_is_brought(
    world: World, name: str, size: int, status: int
) -> None:
    assert begun(world, size, name)[0] == status
    assert not Upload.objects.exists()


def test_what_is_a_film_by_its_name_alone_is_refused_with_a_reason(world: World) -> None:
    content = b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n"
    _status, upload = begun(world, len(content))
    bring(world, upload["id"], content)
    ask(world.zhang, "post", f"/{upload['id']}/complete")
    run_waiting()
    told = ask(world.zhang, "get", f"/{upload['id']}")[1]
    assert told["state"] == "failed"
    assert told["error"]
    assert not storage().keys("private/uploads")
    assert uploads.taken(world.farm) == 0


def test_a_seller_s_films_take_so_much_together(world: World, settings: Any, film: Path) -> None:
    settings.SELLER_QUOTA_GB = 3e-9 * film.stat().st_size
    size = 2 * film.stat().st_size
    _status, first = begun(world, size, "one.mp4")
    status, told = begun(world, size, "two.mp4")
    assert (status, told["code"]) == (409, "quota")
    ask(world.zhang, "delete", f"/{first['id']}")
    assert begun(world, size, "two.mp4")[0] == 200


def test_strangers_learn_nothing_of_an_upload(world: World) -> None:
    _status, upload = begun(world, 4)
    for method, path in (("get", ""), ("post", "/parts"), ("post", "/complete"), ("delete", "")):
        assert ask(world.gao, method, f"/{upload['id']}{path}")[0] == 404
    assert begun(world, 4, user=world.gao)[0] == 404
    assert Upload.objects.get().state == UploadState.OPEN


def test_a_cancelled_upload_leaves_nothing_and_takes_nothing_more(world: World) -> None:
    _status, upload = begun(world, 4)
    [part] = ask(world.zhang, "post", f"/{upload['id']}/parts")[1]["parts"]
    assert put(part["url"], b"film") == 200
    for _twice in range(2):
        assert ask(world.zhang, "delete", f"/{upload['id']}")[1]["state"] == "cancelled"
    assert put(part["url"], b"film") in {403, 404}
    assert ask(world.zhang, "post", f"/{upload['id']}/parts")[0] == 409
    assert not storage().keys("private/uploads")
    assert sweep() == 0


def test_an_upload_that_nobody_goes_on_with_is_given_up(world: World) -> None:
    begun(world, 4)
    begun(world, 4, "living.mp4")
    Upload.objects.filter(file_name="apples.mp4").update(asked_at=now() - timedelta(days=4))
    assert sweep() == 1
    assert sorted(Upload.objects.values_list("state", flat=True)) == ["cancelled", "open"]


def test_an_import_that_loses_its_lease_changes_nothing(world: World, film: Path) -> None:
    content = film.read_bytes()
    _status, upload = begun(world, len(content))
    bring(world, upload["id"], content)
    ask(world.zhang, "post", f"/{upload['id']}/complete")
    lease = jobs.claim([IMPORT_UPLOAD])
    assert lease
    jobs.restart(IMPORT_UPLOAD, Upload.objects.get().public_id)
    run_job(lease, TASKS[IMPORT_UPLOAD], threading.Event())
    assert Upload.objects.get().state == UploadState.ARRIVED
    assert not Recording.objects.filter(state=RecordingState.READY).exists()
    run_waiting()
    assert Recording.objects.get().takes.count() == 1


def test_a_removed_film_makes_room(world: World, film: Path) -> None:
    content = film.read_bytes()
    _status, upload = begun(world, len(content))
    bring(world, upload["id"], content)
    ask(world.zhang, "post", f"/{upload['id']}/complete")
    run_waiting()
    assert uploads.taken(world.farm) == len(content)
    remove_recording(Upload.objects.get().show_id)
    assert uploads.taken(world.farm) == 0
    assert not [*storage().keys("private/recordings"), *storage().keys("private/uploads")]
