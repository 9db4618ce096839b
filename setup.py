"""What pyproject.toml cannot say: what is built has the player and the translations in it.

An editable install needs neither here; `scripts/setup.py` brings them into the folder itself.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import ExecError

ROOT = Path(__file__).resolve().parent
FETCHED = ROOT / "node_modules/hls.js"
PLAYER = ROOT / "livecommerce/static/vendor/hls.mjs"
MISSING = (
    "hls.js, which plays the shows, is not in this folder, and npm could not fetch it. Install "
    "Node.js 18 or newer with npm, see that it reaches a registry, and build again."
)


class Build(build_py):
    """`build_py`, of a folder that is complete."""

    def run(self) -> None:
        if not self.editable_mode:
            bring_player()
            compile_translations()
        super().run()


def bring_player() -> None:
    """Put hls.js as it is locked where pages load it from. Raises `ExecError`."""
    if not is_fetched() and not PLAYER.exists():
        fetch()
    if is_fetched():
        PLAYER.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FETCHED / "dist/hls.light.min.mjs", PLAYER)


def is_fetched() -> bool:
    """Whether npm has brought the version of the lock."""
    described = FETCHED / "package.json"
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted: str = lock["node_modules/hls.js"]["version"]
    return described.exists() and json.loads(described.read_text())["version"] == wanted


def fetch() -> None:
    npm = shutil.which("npm")
    arguments = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    if npm is None or subprocess.run([npm, *arguments], cwd=ROOT, check=False).returncode:
        raise ExecError(MISSING)


def compile_translations() -> None:
    for source in sorted(ROOT.glob("livecommerce/locale/*/LC_MESSAGES/*.po")):
        with source.open("rb") as said, source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(said, locale=source.parts[-3]))


setup(cmdclass={"build_py": Build})
