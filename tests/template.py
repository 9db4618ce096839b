"""Data folders that take seconds to make: each is made once in a test run, and copied."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

# Shared by the workers of a test run and the processes that they start; outside of a run there is
# none, and nothing is kept.
FOLDER = "TEST_TEMPLATES"


def keep_in(folder: Path) -> None:
    """Keep what is made in this folder, which exists."""
    os.environ[FOLDER] = str(folder)


def copy(name: str, to: Path, make: Callable[[Path], None]) -> None:
    """Fill the folder `to` as `make` fills an empty one."""
    if not (shared := os.environ.get(FOLDER)):
        make(to)
        return
    folder = Path(shared)
    kept = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not kept.exists():
            unfinished = folder / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(kept)
    shutil.copytree(kept, to, dirs_exist_ok=True, copy_function=_copy_if_missing)


def _copy_if_missing(source: str, target: str) -> None:
    """What is there stays: a process that made the folder's secret key goes on with it."""
    if not Path(target).exists():
        shutil.copy2(source, target)
