"""A test run goes on, and ends, when one of its tests takes the worker with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.process

FINE = "def test_fine(): pass\n"
DEADLY = "import os\ndef test_before(): pass\ndef test_deadly(): os._exit(1)\n" + FINE


def test_what_a_dead_worker_had_left_is_run_once(tmp_path: Path) -> None:
    for number, source in enumerate([FINE] * 2 + [DEADLY] + [FINE] * 2):
        (tmp_path / f"test_{number}.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = " + str(ROOT))
    options = ["-n", "1", "--dist", "loadscope", "--no-loadscope-reorder", "-p", "tests.scheduling"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "no:django", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 failed, 6 passed" in ran.stdout, ran.stdout
    assert "test_deadly" in ran.stdout
