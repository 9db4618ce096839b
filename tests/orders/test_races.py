"""Nobody is sold what is not there, on either database; and this would notice if somebody were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120


def races_on(database_url: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.orders.race"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="session")
def sqlite_races(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return races_on(f"sqlite:///{tmp_path_factory.mktemp('races') / 'races.sqlite3'}")


@pytest.fixture(scope="session")
def postgres_races(postgres_url: str) -> dict[str, Any]:
    return races_on(postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def races(request: pytest.FixtureRequest) -> dict[str, Any]:
    fixture = {"sqlite": "sqlite_races", "postgresql": "postgres_races"}[request.param]
    report: dict[str, Any] = request.getfixturevalue(fixture)
    assert report["database"] == request.param
    return report


def test_twenty_buyers_of_ten_boxes_get_ten(races: dict[str, Any]) -> None:
    assert races["last_boxes"] == {
        "outcomes": {"ordered": 10, "SoldOut": 10},
        "orders": 10,
        "faults": [],
    }


def test_eight_equal_clicks_are_one_order(races: dict[str, Any]) -> None:
    assert races["same_click"] == {
        "outcomes": {"ordered": 8},
        "orders": 1,
        "faults": [],
        "numbers": 1,
    }


def test_an_order_is_sent_or_cancelled_and_never_both(races: dict[str, Any]) -> None:
    race = races["sent_or_cancelled"]

    assert race["outcomes"]["Conflict"] == 4
    assert (race["winners"], race["moves"], race["faults"]) == (1, 3, [])


def test_who_waited_for_another_buyer_is_told_what_is_left_then(races: dict[str, Any]) -> None:
    assert races["while_another_decides"] == {
        "outcomes": {"SoldOut": 1},
        "orders": 1,
        "faults": [],
    }


def test_a_joined_update_would_not_look_again_after_waiting(races: dict[str, Any]) -> None:
    """Why `_change` names its row by a subquery: on PostgreSQL only the CHECK would refuse."""
    refusal = {"sqlite": "SoldOut", "postgresql": "IntegrityError"}[races["database"]]

    assert races["while_another_decides_joined"]["outcomes"] == {refusal: 1}


def test_without_the_condition_the_check_refuses(races: dict[str, Any]) -> None:
    assert races["without_condition"]["outcomes"] == {"ordered": 10, "IntegrityError": 10}
    assert races["without_condition"]["faults"] == []


def test_without_condition_and_check_the_books_show_it(races: dict[str, Any]) -> None:
    race = races["without_condition_or_check"]

    assert race["orders"] == 20
    assert race["faults"] == ["oversold: 20 promised of 10"]
