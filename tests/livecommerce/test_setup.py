"""Set-up: it finds its Python or says what to install, and does nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.livecommerce.command import ROOT, script


def set_up(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": "", "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [shutil.which("sh") or "/bin/sh", "scripts/setup.sh", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH that has what a shell needs, and no Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    return folder


def test_without_python_it_says_what_to_install(programs: Path) -> None:
    done = set_up("run", path=str(programs))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and none was found" in done.stderr
    assert "make run PYTHON=/path/to/python3.11" in done.stderr


def test_a_python_that_is_too_old_is_none(programs: Path) -> None:
    old = programs / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `sys.exit(sys.version_info < …)` gives
    old.chmod(0o755)
    assert "none was found" in set_up("run", path=str(programs)).stderr


def test_a_newer_python_is_found_behind_an_old_one(programs: Path) -> None:
    old = programs / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (programs / "python3.11").symlink_to(sys.executable)
    done = set_up("nonsense", path=str(programs))
    kinds = "`run` (to run it), `dev` (to test it too), `bench` or `bench-orders` (to measure it)"
    assert done.stderr == f"set-up: say {kinds}\n"


def test_what_is_set_up_already_is_left_alone() -> None:
    """These tests run in what set-up made, so that there is nothing left for it to do or say."""
    done = set_up("run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_step_is_done_again_when_a_file_that_decides_it_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    setup = script("setup")
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "set-up.json")
    lock = tmp_path / "lock.txt"
    lock.write_text("django==5.2.1")
    assert not setup.is_done("packages", lock)
    setup.mark_done("packages", lock)
    assert setup.is_done("packages", lock)
    lock.write_text("django==5.2.2")
    assert not setup.is_done("packages", lock)
