"""The chaos room for CI: the same scenes with fifty viewers, and what the checker cannot miss.

`make chaos-room` plays all scenes with two thousand.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.room import in_own_process, make_template, size_of

pytestmark = pytest.mark.process

SCALE: dict[str, Any] = {
    "viewers": 50,
    "speakers": 10,
    "buyers": 3,
    "chat_per_s": 4.0,
    "beat": 8,
    "idle_s": 1.0,
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with everybody in it, to be copied for each scene."""
    folder = tmp_path_factory.mktemp("chaos") / "template"
    make_template(folder, SCALE)
    return folder


def played(name: str, template: Path, data: Path) -> dict[str, Any]:
    shutil.copytree(template, data, dirs_exist_ok=True)
    found = in_own_process(name, data, size_of(name, SCALE), "uvicorn")
    assert "error" not in found, found["error"]
    return found


@pytest.mark.parametrize("name", ["server_killed", "half_open", "redis_killed", "redis_empty"])
def test_nobody_misses_anything(name: str, template: Path, tmp_path: Path) -> None:
    found = played(name, template, tmp_path)
    assert found["came_to_rest"], found["why_no_rest"]
    assert found["undetected_gaps"] == 0, found["examples"]
    assert found["duplicates"] == 0, found["examples"]
    assert found["conflicts"] == 0, found["examples"]
    assert found["order_faults"] == []
    assert found["chat_lost"] == 0
    assert found["not_back"] == 0
    assert found.get("sql_per_recovery", 0) == 0


def test_a_checker_without_recovery_finds_gaps(template: Path, tmp_path: Path) -> None:
    assert played("without_recovery", template, tmp_path)["undetected_gaps"] > 0


def test_a_checker_that_knows_no_ids_finds_duplicates(template: Path, tmp_path: Path) -> None:
    assert played("without_ids", template, tmp_path)["duplicates"] > 0
