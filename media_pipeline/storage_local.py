"""Media files on a disk of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from media_pipeline.storage_keys import KEY, NoSuchFile, Stored, address, checked
from media_pipeline.storage_parts import LocalUploads


class LocalStorage(LocalUploads):
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

    def stored(self, folder: str) -> Iterator[Stored]:
        for key in self.keys(folder):
            try:
                about = self.path(key).stat()
            except FileNotFoundError:  # deleted meanwhile
                continue
            yield Stored(key, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))

    def move_folder(self, source: str, target: str) -> None:
        old, new = self.path(source), self._place(target)
        if not old.exists():
            return
        if not new.exists():
            old.rename(new)
            return
        for path in old.iterdir():  # what was written meanwhile, or left by a crash
            if not (new / path.name).exists():
                path.rename(new / path.name)
        shutil.rmtree(old)

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

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
