"""Where media files live: keys, whole-or-nothing writes, and addresses that expire.

A key is `{public|private}/<kind>/<id>/...`. Its first part decides who may read it: public keys
have a plain address, private ones only a signed one. A signature covers the object's folder (the
first three parts), so that relative addresses inside a playlist inherit it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from core.clock import now

KEY = re.compile(r"(public|private)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
MAX_KEY = 200
URL_PREFIX = "/media"
# Addresses of one stretch of time are equal, so that a browser's cache can hold what they name.
EXPIRY_STEP_S = 900


class BadKey(ValueError):
    """A key that no file can have; never the name of a file outside the storage."""


class NoSuchFile(LookupError):
    """Nothing is stored under this key."""


def checked(key: str) -> str:
    """The key itself if it is well formed; raises `BadKey`. No part starts with a dot."""
    if len(key) > MAX_KEY or not KEY.fullmatch(key):
        raise BadKey(key)
    return key


def folder_of(key: str) -> str:
    """The object's folder, which a signature covers: the first three parts of its keys."""
    return "/".join(checked(key).split("/")[:3])


def visibility(is_public: bool) -> str:
    """The first part of the keys of an object."""
    return "public" if is_public else "private"


def sign(folder: str, expires_at: int) -> str:
    """The signature of a folder until `expires_at` (seconds since 1970)."""
    mac = salted_hmac("media_pipeline.storage", f"{folder}:{expires_at}", algorithm="sha256")
    return mac.hexdigest()[:40]


def verify(token: str, key: str) -> bool:
    """Whether `token` ("<expiry>.<signature>", as in an address) opens `key` now."""
    expiry, _, signature = token.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", expiry) or int(expiry) < now().timestamp():
        return False
    return constant_time_compare(signature, sign(folder_of(key), int(expiry)))


def address(key: str, *, expires_s: float = 6 * 3600) -> str:
    """The path from which the web server gives `key`, good for at least `expires_s` seconds."""
    if checked(key).startswith("public/"):
        return f"{URL_PREFIX}/{key}"
    steps = int((now().timestamp() + expires_s) // EXPIRY_STEP_S) + 1
    expires_at = steps * EXPIRY_STEP_S
    return f"{URL_PREFIX}/s/{expires_at}.{sign(folder_of(key), expires_at)}/{key}"


class Storage(Protocol):
    """What the product asks of a place for files. Every method raises `BadKey` for a bad key."""

    def write(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there; readers see the old file or the new one."""

    def write_file(self, key: str, source: Path) -> None:
        """Store a local file, which is taken over (moved) by the storage."""

    def write_folder(self, folder: str, source: Path) -> None:
        """Store a local folder under `folder`, replacing it; the local folder is taken over."""

    def read(self, key: str) -> bytes:
        """What is stored; raises `NoSuchFile`."""

    def size(self, key: str) -> int | None:
        """Bytes stored under `key`, or `None` if nothing is."""

    def keys(self, folder: str) -> list[str]:
        """All keys below `folder`, sorted."""

    def delete_folder(self, folder: str) -> None:
        """Remove everything below `folder`; nothing there is no error."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A local file to read, for programs that want a path; raises `NoSuchFile`."""

    def url(self, key: str, *, expires_s: float = 6 * 3600) -> str:
        """An address from which a browser can read `key` for at least `expires_s` seconds."""


class LocalStorage:
    """Files below one folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """The file of a key, for what runs on this machine (the live encoder, the web server)."""
        return self.root / checked(key)

    def write(self, key: str, data: bytes) -> None:
        target = self._place(key)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            _flush(file.fileno())
        _settle(Path(name), target)

    def write_file(self, key: str, source: Path) -> None:
        target = self._place(key)
        if not _same_disk(source, target.parent):
            source = Path(shutil.move(source, _unused_name(target.parent)))
        _sync(source)
        _settle(source, target)

    def write_folder(self, folder: str, source: Path) -> None:
        target = self._place(folder)
        if not _same_disk(source, target.parent):
            source = Path(shutil.move(source, _unused_name(target.parent)))
        _sync_tree(source)
        self.delete_folder(folder)
        _settle(source, target)

    def read(self, key: str) -> bytes:
        with self.local_path(key) as path:
            return path.read_bytes()

    def size(self, key: str) -> int | None:
        path = self.path(key)
        return path.stat().st_size if path.is_file() else None

    def keys(self, folder: str) -> list[str]:
        files = (path for path in self.path(folder).rglob("*") if path.is_file())
        names = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(name for name in names if KEY.fullmatch(name))

    def delete_folder(self, folder: str) -> None:
        """Hide the folder first, by renaming it: a reader never meets half of it."""
        path = self.path(folder)
        doomed = _unused_name(path.parent)
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        path = self.path(key)
        if not path.is_file():
            raise NoSuchFile(key)
        yield path

    def url(self, key: str, *, expires_s: float = 6 * 3600) -> str:
        return address(key, expires_s=expires_s)

    def _place(self, key: str) -> Path:
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _unused_name(folder: Path) -> Path:
    """A name beside the real ones that no key can have, since it starts with a dot."""
    return folder / f".old-{os.urandom(8).hex()}"


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _settle(source: Path, target: Path) -> None:
    """Give a complete file its name, and make the name itself survive a power cut."""
    if source.is_file():
        source.chmod(0o644)
    source.replace(target)
    _sync(target.parent)


def _flush(handle: int) -> None:
    os.fsync(handle)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        _flush(handle)
    finally:
        os.close(handle)


def _sync_tree(folder: Path) -> None:
    for path in _with_children(folder):
        _sync(path)


def _with_children(folder: Path) -> Iterable[Path]:
    yield from folder.rglob("*")
    yield folder


@lru_cache(maxsize=1)
def _local(root: Path) -> LocalStorage:
    return LocalStorage(root)


def storage() -> LocalStorage:
    """The instance's storage, on `DATA_ROOT/media`."""
    return _local(settings.DATA_ROOT / "media")


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
