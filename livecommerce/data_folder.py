"""The data folder: whether it can be used, and the secret that it keeps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from pathlib import Path

MEBIBYTE = 1024**2
# Below it a database cannot be relied on to take what it is given.
FULL_BELOW = 16 * MEBIBYTE
LOW_BELOW = 2048 * MEBIBYTE
"""Two hours of a phone's video, with its renditions."""

# Ours have 67; one of another hand that is shorter than this could be guessed.
SHORTEST_KEY = 32


def problem(data: Path) -> str:
    """Why nothing can be kept there, and what to do; empty if it can. Touches nothing."""
    there = _nearest(data)
    if not there.is_dir():
        return "which cannot be written (it is no folder): name a folder that can."
    if not os.access(there, os.W_OK | os.X_OK):
        return "which cannot be written (it is read-only): name a folder that can."
    free = free_bytes(there)
    if free < FULL_BELOW:
        return (
            f"whose disk is full ({free // MEBIBYTE} MiB are free): free some space, or name a "
            "folder on another disk."
        )
    return ""


def free_bytes(data: Path) -> int:
    """What this user can still write there, or where it is going to be made."""
    return shutil.disk_usage(_nearest(data)).free


def _nearest(path: Path) -> Path:
    """The folder itself, or what is there of the way to it."""
    return next(one for one in (path, *path.parents) if one.exists())


class Damaged(Exception):
    """A file that is kept for good is not what was written; the message says what to do."""


def kept_secret(data: Path) -> str:
    """What signs everything; made at the first start, readable by its owner alone.

    Raises `OSError`, and `Damaged` where too little is left of it. That is never made anew by
    itself: printed invitations and everybody's sessions are signed with it.
    """
    path = data / "secret-key"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and addresses are in it
    if not path.exists():
        _write_first(path, secrets.token_urlsafe(50))
    found = _read(path)
    if len(found.strip()) < SHORTEST_KEY:
        raise Damaged(
            f"{path} is empty, cut short or damaged: put it back from a backup. Without one remove "
            "it, and a new one is made at the next start; then everybody has to sign in again, and "
            "printed invitations and broadcast keys hold no longer."
        )
    return found


def opening_secret(path: Path, size: int) -> str:
    """A secret of `size` bytes that opens one page, readable by its owner alone; made where there
    is none, or less than that. Raises `OSError`."""
    if not path.exists():
        _write_first(path, secrets.token_urlsafe(size))
    found = _read(path)
    return found if len(found) >= size else _made_anew(path, size)


def _read(path: Path) -> str:
    """Empty where it is no text: what a power cut leaves of a file may be zeros."""
    try:
        found = path.read_text()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in found else found


def _write_first(path: Path, text: str) -> None:
    """Of two processes that start together one wins, and neither sees half a secret."""
    draft = _draft(path, text)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _made_anew(path: Path, size: int) -> str:
    """The same for a damaged file, whose lock lets one process after the other look again."""
    with path.open("r+") as damaged:
        fcntl.flock(damaged, fcntl.LOCK_EX)
        if len(_read(path)) < size:
            _draft(path, secrets.token_urlsafe(size)).replace(path)
    return _read(path)


def _draft(path: Path, text: str) -> Path:
    """Beside it and on the disk: after a power cut a name without its text would be there."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
