"""Nobody is sold what is not there, on either database; and this would notice if somebody were."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orders.racing import report_of


@pytest.fixture(scope="session")
def sqlite_races(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("races") / "races.sqlite3"
    return report_of("tests.orders.race", f"sqlite:///{file}")


@pytest.fixture(scope="session")
def postgres_races(postgres_url: str) -> dict[str, Any]:
    return report_of("tests.orders.race", postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def races(request: pytest.FixtureRequest) -> dict[str, Any]:
    fixture = {"sqlite": "sqlite_races", "postgresql": "postgres_races"}[request.param]
    report: dict[str, Any] = request.getfixturevalue(fixture)
    assert report["database"] == request.param
    return report


@pytest.mark.parametrize("way", ["grouped", "alone", "in_two"])
def test_twenty_buyers_of_ten_boxes_get_ten(races: dict[str, Any], way: str) -> None:
    assert races["last_boxes"][way] == {
        "outcomes": {"ordered": 10, "SoldOut": 10},
        "orders": 10,
        "faults": [],
    }


def test_more_who_wait_than_there_are_connections_are_answered(races: dict[str, Any]) -> None:
    assert races["more_than_connections"] == {
        "outcomes": {"ordered": 10, "SoldOut": 30},
        "orders": 10,
        "faults": [],
    }


@pytest.mark.parametrize("way", ["grouped", "alone", "in_two"])
def test_eight_equal_clicks_are_one_order(races: dict[str, Any], way: str) -> None:
    assert races["same_click"][way] == {
        "outcomes": {"ordered": 8},
        "orders": 1,
        "faults": [],
        "numbers": 1,
    }


@pytest.mark.parametrize("way", ["grouped", "in_two"])
def test_one_key_for_two_things_is_one_of_them(races: dict[str, Any], way: str) -> None:
    assert races["same_key_of_two_offers"][way] == {
        "outcomes": {"ordered": 4, "KeyReused": 4},
        "orders": 1,
        "faults": [],
    }


@pytest.mark.parametrize("way", ["grouped", "alone", "in_two"])
def test_ten_clicks_do_not_pass_a_limit_of_three(races: dict[str, Any], way: str) -> None:
    assert races["limit_of_one_buyer"][way] == {
        "outcomes": {"ordered": 3, "LimitReached": 7},
        "orders": 3,
        "faults": [],
    }


def test_a_limit_read_before_the_transaction_would_be_passed(races: dict[str, Any]) -> None:
    assert races["limit_read_outside"]["orders"] > 3


@pytest.mark.parametrize("way", ["alone"])
def test_a_show_sells_no_more_than_it_meant_to(races: dict[str, Any], way: str) -> None:
    assert races["quantity_of_the_show"][way] == {
        "outcomes": {"ordered": 4, "OfferSoldOut": 16},
        "orders": 4,
        "faults": [],
    }


@pytest.mark.parametrize("way", ["alone", "in_two"])
def test_lines_in_any_order_are_sold_whole(races: dict[str, Any], way: str) -> None:
    assert races["crossing_lines"][way] == {
        "outcomes": {"ordered": 10, "SoldOut": 10},
        "orders": 10,
        "faults": [],
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


def test_in_a_rush_no_order_reads_all_the_others(postgres_races: dict[str, Any]) -> None:
    assert postgres_races["one_more_of_a_rush"] == {"rows_read": 0}


def test_without_looking_the_update_refuses(races: dict[str, Any]) -> None:
    assert races["without_looking"]["outcomes"] == {"ordered": 10, "NotAll": 10}
    assert races["without_looking"]["faults"] == []


def test_without_the_condition_the_check_refuses(races: dict[str, Any]) -> None:
    assert races["without_condition"]["outcomes"] == {"ordered": 10, "IntegrityError": 10}
    assert races["without_condition"]["faults"] == []


def test_without_condition_and_check_the_books_show_it(races: dict[str, Any]) -> None:
    race = races["without_condition_or_check"]

    assert race["orders"] == 20
    assert race["faults"] == ["oversold: 20 promised of 10"]
