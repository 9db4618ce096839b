"""The data folder: whether it can be used, and the secret that it keeps."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

MEBIBYTE = 1024**2
# Below it a database cannot be relied on to take what it is given.
FULL_BELOW = 16 * MEBIBYTE
LOW_BELOW = 2048 * MEBIBYTE
"""Two hours of a phone's video, with its renditions."""


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


def kept_secret(data: Path) -> str:
    """Made at the first start, readable by its owner alone. Raises `OSError`."""
    path = data / "secret-key"
    data.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_secret(path)
    return path.read_text()


def _make_secret(path: Path) -> None:
    """Of two processes that start together one wins, and neither sees half a secret."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
