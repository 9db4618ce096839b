from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from core.clock import now
from media_pipeline import storage
from media_pipeline.storage import BadKey, LocalStorage, MediaStorage, NoSuchFile, Uploads
from media_pipeline.storage_parts import ticket_of
from media_pipeline.storage_s3 import PART
from tests.media_pipeline.stores import AnyStore

KEY = "public/recordings/r1/master.m3u8"


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "local")


def test_what_is_written_is_read(store: AnyStore) -> None:
    store.write(KEY, b"#EXTM3U")
    assert store.read(KEY) == b"#EXTM3U"
    assert store.size(KEY) == 7


def test_nothing_is_there_before_it_is_written(store: AnyStore) -> None:
    assert store.size(KEY) is None
    with pytest.raises(NoSuchFile):
        store.read(KEY)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "public",
        "public/",
        "secret/a/b",
        "/public/a",
        "public/../private/a",
        "public/a/..",
        "public//a",
        "public/a/.hidden",
        "public/a\x00b",
        "public/a\n",
        "public/a b",
        "public\\a",
        "public/" + "a" * 200,
    ],
)
def test_keys_that_name_no_file_are_refused(store: AnyStore, key: str) -> None:
    with pytest.raises(BadKey):
        store.write(key, b"")


@given(st.text(max_size=60))
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    root = Path("/srv/media")
    try:
        path = LocalStorage(root).path(f"public/{text}")
    except BadKey:
        return
    assert os.path.normpath(path).startswith("/srv/media/public/")


def test_a_reader_sees_the_old_file_or_the_new_one(store: AnyStore) -> None:
    old, new = b"o" * 300_000, b"n" * 300_000
    store.write(KEY, old)
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(store.read(KEY))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        store.write(KEY, new)
        store.write(KEY, old)
    done.set()
    watcher.join()
    assert seen <= {old, new}


def test_a_file_is_taken_over(store: AnyStore, tmp_path: Path) -> None:
    made = tmp_path / "made.mp4"
    made.write_bytes(b"film")
    store.write_file("private/clips/c1/clip.mp4", made)
    assert store.read("private/clips/c1/clip.mp4") == b"film"
    assert not made.exists()


def test_a_file_on_the_disk_can_be_read_by_the_web_server(
    local: LocalStorage, tmp_path: Path
) -> None:
    made = tmp_path / "made.mp4"
    made.write_bytes(b"film")
    made.chmod(0o600)
    local.write_file("private/clips/c1/clip.mp4", made)
    assert local.path("private/clips/c1/clip.mp4").stat().st_mode & 0o777 == 0o644


def test_a_folder_is_replaced_as_a_whole(store: AnyStore, tmp_path: Path) -> None:
    store.write("public/recordings/r1/r/stale.m4s", b"old")
    made = tmp_path / "made"
    (made / "360").mkdir(parents=True)
    (made / "360" / "video.m3u8").write_bytes(b"new")
    store.write_folder("public/recordings/r1/r", made)
    assert store.keys("public/recordings/r1") == ["public/recordings/r1/r/360/video.m3u8"]


def test_a_deleted_folder_leaves_nothing_and_may_be_deleted_again(store: AnyStore) -> None:
    store.write(KEY, b"x")
    store.delete_folder("public/recordings/r1")
    store.delete_folder("public/recordings/r1")
    assert store.keys("public/recordings") == []


def test_a_deleted_folder_leaves_no_hidden_one(local: LocalStorage) -> None:
    local.write(KEY, b"x")
    local.delete_folder("public/recordings/r1")
    assert list(local.path("public/recordings").iterdir()) == []


def test_only_what_is_below_a_folder_is_deleted_with_it(store: AnyStore) -> None:
    store.write("public/recordings/r10/master.m3u8", b"a name that begins alike")
    store.write(KEY, b"x")
    store.delete_folder("public/recordings/r1")
    assert store.keys("public/recordings") == ["public/recordings/r10/master.m3u8"]


def test_one_file_can_be_deleted_and_deleted_again(store: AnyStore) -> None:
    store.write(KEY, b"x")
    store.delete(KEY)
    store.delete(KEY)
    assert store.size(KEY) is None


def test_a_moved_folder_is_at_its_new_place_alone(store: AnyStore) -> None:
    names = ["master.m3u8", "360/video.m3u8", "360/video.m4s"]
    for name in names:
        store.write(f"public/recordings/r1/{name}", name.encode())
    for _twice in range(2):
        store.move_folder("public/recordings/r1", "private/recordings/r1")
    assert store.keys("public/recordings") == []
    for name in names:
        assert store.read(f"private/recordings/r1/{name}") == name.encode()


def test_a_move_that_a_crash_cut_short_goes_on(store: AnyStore) -> None:
    store.write("public/recordings/r1/left.m4s", b"left")
    store.write("private/recordings/r1/moved.m4s", b"moved")
    store.move_folder("public/recordings/r1", "private/recordings/r1")
    assert store.keys("public/recordings") == []
    assert len(store.keys("private/recordings/r1")) == 2


def test_every_file_is_told_with_its_size(store: AnyStore) -> None:
    store.write(KEY, b"1234567")
    (found,) = store.stored("public/recordings")
    assert (found.key, found.size, found.modified.tzinfo is not None) == (KEY, 7, True)


def test_a_program_gets_a_file_to_read_whatever_its_size(store: AnyStore, tmp_path: Path) -> None:
    content = os.urandom(3 * PART + 7)
    made = tmp_path / "made.mp4"
    made.write_bytes(content)
    store.write_file("private/clips/c1/clip.mp4", made)
    with store.local_path("private/clips/c1/clip.mp4") as path:
        assert path.read_bytes() == content
    assert store.size("private/clips/c1/clip.mp4") == len(content)


def test_parts_that_arrive_in_any_order_become_one_file(store: AnyStore) -> None:
    key, upload_id, _urls = begun(store, [5 * 2**20, 3])
    put(store, key, upload_id, 2, b"end")
    put(store, key, upload_id, 1, b"a" * 5 * 2**20)
    found = place_of(store).parts(key, upload_id)
    assert [(one.number, one.size) for one in found] == [(1, 5 * 2**20), (2, 3)]
    assert store.size(key) is None
    for _twice in range(2):
        place_of(store).finish(key, upload_id, found)
    assert store.read(key) == b"a" * 5 * 2**20 + b"end"


def test_an_aborted_upload_leaves_nothing(store: AnyStore) -> None:
    key, upload_id, _urls = begun(store, [3])
    put(store, key, upload_id, 1, b"end")
    for _twice in range(2):
        place_of(store).abort(key, upload_id)
    with pytest.raises(NoSuchFile):
        place_of(store).parts(key, upload_id)
    assert store.size(key) is None


def test_uploads_that_nobody_goes_on_with_are_swept_and_others_are_not(store: AnyStore) -> None:
    key, left, _urls = begun(store, [3])
    _key, wanted, _urls = begun(store, [3])
    border = now() + timedelta(seconds=5)
    assert place_of(store).abort_older(now() - timedelta(days=1)) == 0
    assert place_of(store).abort_older(border, but=[wanted]) == 1
    assert place_of(store).parts(key, wanted) == []
    with pytest.raises(NoSuchFile):
        place_of(store).parts(key, left)


def place_of(store: AnyStore) -> Uploads:
    return store.uploads if isinstance(store, MediaStorage) else store


def begun(store: AnyStore, sizes: list[int]) -> tuple[str, str, list[str]]:
    key = "private/uploads/u1/source.mp4"
    upload_id = place_of(store).begin(key)
    numbered = enumerate(sizes, start=1)
    urls = [place_of(store).part_url(key, upload_id, *one, 600) for one in numbered]
    return key, upload_id, urls


def put(store: AnyStore, key: str, upload_id: str, number: int, data: bytes) -> None:
    """As a browser does; the disk's parts are put to the web server, which is not here."""
    place = place_of(store)
    url = place.part_url(key, upload_id, number, len(data), 600)
    if isinstance(place, LocalStorage):
        ticket = ticket_of(url.removeprefix("/media/u/"))
        assert ticket is not None
        incoming = place.incoming(ticket)
        incoming.write_bytes(data)
        place.arrived(ticket, incoming)
    else:
        assert httpx.put(url, content=data, trust_env=False).status_code == 200


def test_unfinished_files_are_not_listed(local: LocalStorage) -> None:
    local.write(KEY, b"x")
    (local.path(KEY).parent / ".new-abc").write_bytes(b"half")
    assert local.keys("public/recordings/r1") == [KEY]


def token_of(address: str) -> str:
    return address.split("/")[3]


def test_public_files_have_a_plain_address(local: LocalStorage) -> None:
    assert local.url(KEY) == f"/media/{KEY}"


def test_a_signature_opens_the_object_and_no_other() -> None:
    token = token_of(storage.address("private/recordings/r1/replay.m3u8"))
    assert storage.verify(token, "private/recordings/r1/t1/00001.m4s")
    assert not storage.verify(token, "private/recordings/r2/t1/00001.m4s")
    assert not storage.verify(token, "private/takes/r1/chunks.bin")


def test_a_signature_expires_and_not_early() -> None:
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        token = token_of(storage.address("private/clips/c1/clip.mp4", expires_s=3600))
        clock.shift(3599)
        assert storage.verify(token, "private/clips/c1/clip.mp4")
        clock.shift(902)
        assert not storage.verify(token, "private/clips/c1/clip.mp4")


def test_addresses_of_the_same_quarter_of_an_hour_are_equal() -> None:
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        first = storage.address("private/clips/c1/clip.mp4")
        clock.shift(600)
        assert storage.address("private/clips/c1/clip.mp4") == first


@pytest.mark.parametrize("token", ["", ".", "1.", "x.y", "-1.a", "99999999999.", "9" * 40 + ".a"])
def test_made_up_tokens_open_nothing(token: str) -> None:
    assert not storage.verify(token, "private/clips/c1/clip.mp4")


def test_a_later_expiry_needs_its_own_signature() -> None:
    expiry, signature = token_of(storage.address("private/clips/c1/clip.mp4")).split(".")
    assert not storage.verify(f"{int(expiry) + 1}.{signature}", "private/clips/c1/clip.mp4")


def test_unfinished_work_of_yesterday_is_swept_and_todays_is_not() -> None:
    yesterday, today = storage.work_folder() / "yesterday", storage.work_folder() / "today"
    for folder in (yesterday, today):
        folder.mkdir()
        (folder / "half.mp4").write_bytes(b"half")
    os.utime(yesterday, (0, 0))
    assert storage.sweep_work() == 1
    assert (yesterday.exists(), today.exists()) == (False, True)
    shutil.rmtree(today)
