"""Data folders that cannot be used: refused in one line, and left as they are."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from livecommerce import config, data_folder, disk
from livecommerce.operators import make_operator
from tests.livecommerce.command import livecommerce, migrate

COMMANDS = ("up", "serve", "worker", "migrate")


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A file system in memory at the folder; mounting one is for root, as CI is."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file of the folder, with what it says and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS)
def test_data_of_a_newer_version_is_refused_and_not_touched(command: str, tmp_path: Path) -> None:
    migrate(tmp_path)
    with closing(sqlite3.connect(tmp_path / "livecommerce.sqlite3")) as database, database:
        database.execute(
            "insert into django_migrations (app, name, applied)"
            " values ('orders', '9999_of_tomorrow', '2030-01-01')"
        )
    before = everything(tmp_path)
    done = livecommerce(command, data=tmp_path)
    assert done.returncode == 78
    assert "newer livecommerce" in done.stderr
    assert "orders 9999_of_tomorrow" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(tmp_path) == before


@pytest.mark.process
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with mounted(folder, "size=20m"):
        (folder / "secret-key").write_text("kept")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        for command in ("up", "check"):
            done = livecommerce(command, data=folder)
            assert done.returncode == 78
            assert "it is read-only): name a folder that can." in done.stderr
            assert done.stderr.count("\n") == 1


@pytest.mark.process
def test_a_full_disk_is_refused_and_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with mounted(folder, "size=8m"):
        done = livecommerce("up", data=folder)
        assert done.returncode == 78
        assert "whose disk is full (8 MiB are free): free some space" in done.stderr
        assert os.listdir(folder) == []


@pytest.mark.process
def test_little_room_is_said_before_it_ends(
    tmp_path: Path, db: None, settings: Any, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    operator = make_operator("zhao", "under-the-old-tree")
    with mounted(folder, "size=64m"):
        settings.DATA_ROOT = folder
        with caplog.at_level(logging.WARNING):
            disk.warn()
        assert "disk space ends: 0.1 GiB free" in caplog.text
        assert b"Disk space ends" not in client.get("/").content, "strangers need not know"
        client.force_login(operator)
        assert b"Disk space ends: 0.1 GiB free" in client.get("/").content
    settings.DATA_ROOT = tmp_path
    assert b"Disk space ends" not in client.get("/").content


@pytest.mark.process
def test_check_finds_a_misspelt_name(tmp_path: Path) -> None:
    migrate(tmp_path)
    done = livecommerce("check", data=tmp_path, LIVECOMMERCE_LANGAUGE="zh-hans")
    assert done.returncode == 1
    assert "LIVECOMMERCE_LANGAUGE, or was LIVECOMMERCE_LANGUAGE meant?" in done.stdout


@pytest.mark.parametrize("left", [b"", b"  \n", b"cut-short", bytes(67), b"\xff" * 67])
def test_what_is_left_of_a_key_is_refused_and_stays(
    left: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one in its place would void every printed invitation, and nobody would know why."""
    (tmp_path / "secret-key").write_bytes(left)
    monkeypatch.setenv("LIVECOMMERCE_DATA", str(tmp_path))
    with pytest.raises(config.SettingsError, match=r"secret-key is empty.*: put it back") as said:
        config.read()
    assert len(said.value.lines) == 1
    assert (tmp_path / "secret-key").read_bytes() == left
    monkeypatch.setenv("LIVECOMMERCE_SECRET_KEY", "another-one-that-is-long-enough-to-sign")
    assert config.read().secret_key.startswith("another"), "who sets one needs no file"


def test_nobody_else_on_the_machine_reads_a_new_folder(tmp_path: Path) -> None:
    """What is kept there has names and addresses in it; one that was there stays as it is set."""
    made, given = tmp_path / "made", tmp_path / "given"
    given.mkdir(mode=0o750)
    for folder, mode in ((made, 0o700), (given, 0o750)):
        data_folder.kept_secret(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == mode


@pytest.mark.process
def test_check_names_a_key_that_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "secret-key").touch()
    done = livecommerce("check", data=tmp_path)
    assert done.returncode == 78
    assert "secret-key is empty, cut short or damaged" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("left", [b"", b"half", bytes(22), b"\xff" * 22])
def test_a_damaged_secret_of_a_page_is_made_anew_by_one_of_many(
    left: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "page"
    path.write_bytes(left)
    with ThreadPoolExecutor(8) as several:
        found = set(several.map(lambda _: data_folder.opening_secret(path, 16), range(8)))
    assert found == {path.read_text()}
    assert len(path.read_text()) >= 16
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["page"]
