from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline import storage
from media_pipeline.storage import BadKey, LocalStorage, NoSuchFile

KEY = "public/recordings/r1/master.m3u8"


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media")


def test_what_is_written_is_read(store: LocalStorage) -> None:
    store.write(KEY, b"#EXTM3U")
    assert store.read(KEY) == b"#EXTM3U"
    assert store.size(KEY) == 7


def test_nothing_is_there_before_it_is_written(store: LocalStorage) -> None:
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
def test_keys_that_name_no_file_are_refused(store: LocalStorage, key: str) -> None:
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


def test_a_reader_sees_the_old_file_or_the_new_one(store: LocalStorage) -> None:
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


def test_a_file_is_taken_over_and_readable_by_the_web_server(
    store: LocalStorage, tmp_path: Path
) -> None:
    made = tmp_path / "made.mp4"
    made.write_bytes(b"film")
    made.chmod(0o600)
    store.write_file("private/clips/c1/clip.mp4", made)
    assert store.read("private/clips/c1/clip.mp4") == b"film"
    assert not made.exists()
    assert store.path("private/clips/c1/clip.mp4").stat().st_mode & 0o777 == 0o644


def test_a_folder_is_replaced_as_a_whole(store: LocalStorage, tmp_path: Path) -> None:
    store.write("public/recordings/r1/r/stale.m4s", b"old")
    made = tmp_path / "made"
    (made / "360").mkdir(parents=True)
    (made / "360" / "video.m3u8").write_bytes(b"new")
    store.write_folder("public/recordings/r1/r", made)
    assert store.keys("public/recordings/r1") == ["public/recordings/r1/r/360/video.m3u8"]


def test_a_deleted_folder_leaves_nothing_and_may_be_deleted_again(store: LocalStorage) -> None:
    store.write(KEY, b"x")
    store.delete_folder("public/recordings/r1")
    store.delete_folder("public/recordings/r1")
    assert store.keys("public/recordings") == []
    assert list(store.path("public/recordings").iterdir()) == []


def test_unfinished_files_are_not_listed(store: LocalStorage) -> None:
    store.write(KEY, b"x")
    (store.path(KEY).parent / ".new-abc").write_bytes(b"half")
    assert store.keys("public/recordings/r1") == [KEY]


def token_of(address: str) -> str:
    return address.split("/")[3]


def test_public_files_have_a_plain_address(store: LocalStorage) -> None:
    assert store.url(KEY) == f"/media/{KEY}"


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
