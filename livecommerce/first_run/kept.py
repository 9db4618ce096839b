"""What was set on the first-run page: `instance.json` in the data folder, read at every start.

Needs no Django: its settings are made from this.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "instance.json"
NAMES = ("name", "language", "currency", "time_zone")
VARIABLES = {name: f"LIVECOMMERCE_{name.upper()}" for name in NAMES}
"""Who sets one of these in the environment has said it for good: they come before the file."""


class Unreadable(Exception):
    """The file is there, and is not what we write."""


def read(data: Path) -> dict[str, str]:
    """Each of `NAMES` that was set; empty before the first run. Raises `Unreadable`."""
    try:
        found = json.loads((data / FILE).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise Unreadable("it is no list of names and values")
    return {name: found[name] for name in NAMES if name in found}


def stamp(data: Path) -> object:
    """Another one after each `write`; the same while nothing is written."""
    try:
        found = (data / FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def write(data: Path, values: dict[str, str]) -> None:
    """All of it, at once and to the disk."""
    draft = data / f"{FILE}.new"
    with draft.open("w") as file:
        json.dump(values, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(data / FILE)
