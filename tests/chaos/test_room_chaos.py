"""The chaos room for CI: the same scenes with fifty viewers, and what the checker cannot miss.

`make chaos-room` plays all scenes with two thousand.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.chaos.room import CONTROLS, in_own_process, make_template, size_of

pytestmark = pytest.mark.process

SCALE: dict[str, Any] = {
    "viewers": 50,
    "speakers": 10,
    "buyers": 3,
    "chat_per_s": 4.0,
    "beat": 8,
    "pins_per_s": 1.0,
    "orders_per_s": 0.5,
}


FAULTS = ("half_open", "server_killed", "redis_killed", "redis_empty")
ASKED_FOR_A_ROOM_AT_MOST = 20
"""SQL statements in the few seconds of a recovery, however many come back."""
AT_ONCE = 3  # a scene mostly waits


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The figures of every scene."""
    folder = tmp_path_factory.mktemp("chaos")
    make_template(folder / "template", SCALE)

    def play(name: str) -> dict[str, Any]:
        shutil.copytree(folder / "template", folder / name)
        return in_own_process(name, folder / name, size_of(name, SCALE), "uvicorn")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        names = [*FAULTS, *CONTROLS]
        return dict(zip(names, pool.map(play, names), strict=True))


@pytest.mark.parametrize("name", FAULTS)
def test_nobody_misses_anything(name: str, played: dict[str, dict[str, Any]]) -> None:
    found = played[name]
    assert "error" not in found, found["error"]
    assert found["came_to_rest"], found["why_no_rest"]
    assert found["undetected_gaps"] == 0, found
    assert found["duplicates"] == 0, found
    assert found["conflicts"] == 0, found
    assert found["order_faults"] == []
    assert found["chat_lost"] == 0, found
    assert found["not_back"] == 0, found


def test_a_recovery_costs_no_sql(played: dict[str, dict[str, Any]]) -> None:
    found = played["half_open"]
    assert found["sql_cut_recovered"] == SCALE["viewers"] - 1, found  # all but the host
    assert found["sql_per_recovery"] == 0, found
    assert found["sql_for_the_room"] <= ASKED_FOR_A_ROOM_AT_MOST, found


def test_a_checker_without_recovery_finds_gaps(played: dict[str, dict[str, Any]]) -> None:
    assert played["without_recovery"]["undetected_gaps"] > 0


def test_a_checker_that_knows_no_ids_finds_duplicates(played: dict[str, dict[str, Any]]) -> None:
    assert played["without_ids"]["duplicates"] > 0
