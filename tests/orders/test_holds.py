"""Holds that end by themselves, and money that comes at the same time: exactly one of both wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.clock import now
from orders.models import Order, OrderState
from orders.services import holds
from orders.services.holds import expire_holds, extend_hold
from sellers.models import Stock
from tests.books import faults_in_books
from tests.orders.paying import facts, held, state_of, stripe
from tests.orders.racing import report_of
from tests.orders.shop import li_orders
from tests.world import World

__all__ = ["held", "stripe"]


def over(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(held_until=now() - timedelta(milliseconds=1))


def test_a_hold_ends_when_its_time_is_over(world: World, held: Order) -> None:
    assert expire_holds() == 0
    over(held)

    assert expire_holds() == 1
    assert expire_holds() == 0

    assert state_of(held) == OrderState.EXPIRED
    assert held.moves.get(state=OrderState.EXPIRED).reason == "It was not paid in time."
    assert [fact["state"] for fact in facts("OrderMoved")] == ["expired"]
    world.apple_offer.refresh_from_db()
    world.apples.stock.refresh_from_db()
    assert (world.apple_offer.sold, world.apples.stock.reserved) == (0, 0)
    assert faults_in_books() == []


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.HELD}))
def test_nothing_but_a_hold_ends(held: Order, state: OrderState) -> None:
    over(held)
    Order.objects.filter(pk=held.pk).update(state=state)

    assert expire_holds() == 0
    assert state_of(held) == state


def test_many_end_in_one_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "BATCH", 3)
    for number in range(8):
        over(li_orders(world, key=f"k{number}", payment_method="online", quantity=1))

    assert expire_holds() == 8
    assert faults_in_books() == []


def test_one_with_a_fault_keeps_no_other_waiting(
    world: World, held: Order, caplog: pytest.LogCaptureFixture
) -> None:
    over(held)
    other = li_orders(
        world,
        key="pears",
        payment_method="online",
        offer_id=world.pear_offer.public_id,
        price_minor=2590,
    )
    over(other)
    Stock.objects.filter(pk=world.apples.pk).update(reserved=0)

    assert expire_holds() == 1

    assert (state_of(held), state_of(other)) == (OrderState.HELD, OrderState.EXPIRED)
    assert "cannot end" in caplog.text


def test_a_hold_is_made_longer_and_never_shorter(held: Order) -> None:
    long, short = now() + timedelta(minutes=40), now() + timedelta(minutes=5)

    assert extend_hold(held, long)
    assert extend_hold(held, short)

    held.refresh_from_db()
    assert held.held_until == long
    assert not extend_hold(held, holds.last_moment(held) + timedelta(seconds=1))


def test_what_is_over_is_not_made_longer(held: Order) -> None:
    over(held)
    assert not extend_hold(held, now() + timedelta(minutes=5))


@pytest.fixture(scope="session")
def sqlite_money(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("money") / "races.sqlite3"
    return report_of("tests.orders.money_race", f"sqlite:///{file}")


@pytest.fixture(scope="session")
def postgres_money(postgres_url: str) -> dict[str, Any]:
    return report_of("tests.orders.money_race", postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def races(request: pytest.FixtureRequest) -> dict[str, Any]:
    fixture = {"sqlite": "sqlite_money", "postgresql": "postgres_money"}[request.param]
    report: dict[str, Any] = request.getfixturevalue(fixture)
    assert report["database"] == request.param
    return report


def test_an_order_is_paid_or_expired_and_never_both(races: dict[str, Any]) -> None:
    race = races["paid_or_expired"]

    assert race["faults"] == []
    assert race["states"].get("paid", 0) + race["states"].get("expired", 0) == 5
    assert race["surplus"] == race["refunds"] == race["states"].get("expired", 0)


def test_a_cancelled_order_keeps_no_money(races: dict[str, Any]) -> None:
    race = races["cancelled_or_paid"]

    assert (race["states"], race["refunds"], race["faults"]) == ({"cancelled": 5}, 5, [])


@pytest.mark.parametrize("race", ["sweeper_that_looked_before", "sweeper_that_waits"])
def test_the_sweeper_looks_again_in_the_row(races: dict[str, Any], race: str) -> None:
    assert races[race] | {"surplus": 0, "refunds": 0} == {
        "states": {"paid": 1},
        "surplus": 0,
        "refunds": 0,
        "faults": [],
        "ended": 0,
    }


@pytest.mark.parametrize("race", ["sweeper_that_looked_before", "sweeper_that_waits"])
def test_one_that_did_not_would_be_caught(races: dict[str, Any], race: str) -> None:
    careless = races[f"careless_{race}"]

    assert careless["states"] == {"expired": 1}
    assert [fault.split(": ")[1] for fault in careless["faults"]] == ["expired keeps money"]


def test_refunds_that_come_together_are_not_more_than_was_paid(races: dict[str, Any]) -> None:
    race = races["refunds_together"]

    assert (race["refunds"], race["refunded"], race["faults"]) == (3, 3000, [])


def test_eight_starts_are_one_session(races: dict[str, Any]) -> None:
    assert (races["started_together"]["payments"], races["started_together"]["sessions"]) == (1, 1)


def test_while_stripe_takes_its_time_no_connection_waits(races: dict[str, Any]) -> None:
    assert races["slow_start"] == {"least_borrowed": 0, "started": True}


def test_four_workers_pay_back_once(races: dict[str, Any]) -> None:
    race = races["carried_out_together"]

    assert (race["asked"], race["states_of_refunds"], race["faults"]) == (1, ["done"], [])
