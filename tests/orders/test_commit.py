"""Orders that are committed together: each has its own answer, whatever its neighbours are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import translation

from core import failpoints
from core.accounts.models import User
from core.errors import NotAllowed
from orders import access
from orders.errors import TryAgain
from orders.models import Address, Offer, Order
from orders.services import commit, group
from orders.services.group import Asked
from orders.services.place import Wish, _asked
from sellers.errors import SoldOut
from sellers.models import StockMovement
from tests.books import faults_in_books
from tests.orders.shop import TO_LI, hear_of_orders, line
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]


def asked(world: World, buyer: User, key: str = "first-click", **of_line: Any) -> Asked:
    wish: Wish = {
        "show_id": world.show.public_id,
        "lines": [line(world, **of_line)],
        "delivery": TO_LI,
    }
    return _asked(buyer, key, None, wish)


def until(condition: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up_at, "did not happen in time"


def outcomes(answers: list[Any]) -> list[str]:
    return [type(answer).__name__ for answer in answers]


def test_who_comes_first_is_served_and_each_has_an_own_answer(world: World) -> None:
    together = [
        asked(world, world.li, quantity=30),
        asked(world, world.wang, quantity=20),
        asked(world, world.chen, price_minor=1),
        asked(world, world.zhao, quantity=10),
        asked(world, world.li, quantity=30),
        asked(world, world.li, quantity=3),
    ]

    answers = group.place_group(together)

    assert outcomes(answers) == ["Order", "SoldOut", "PriceChanged", "Order", "Order", "KeyReused"]
    assert isinstance(answers[1], SoldOut)
    assert answers[1].available == 10
    assert answers[4] == answers[0]
    assert Order.objects.count() == 2
    assert faults_in_books() == []


def test_a_group_is_few_statements_whatever_its_size(
    world: World, django_assert_num_queries: Any
) -> None:
    people = [User.objects.create_user(f"buyer{number}") for number in range(20)]
    with django_assert_num_queries(16):
        group.place_group([asked(world, world.li, quantity=1)])
    with django_assert_num_queries(16):
        group.place_group([asked(world, person, quantity=1) for person in people])


def test_one_fact_of_stock_and_one_of_each_order(world: World) -> None:
    group.place_group([asked(world, world.li), asked(world, world.wang)])

    world.apples.stock.refresh_from_db()
    assert (world.apples.stock.reserved, world.apples.stock.version) == (4, 1)
    assert StockMovement.objects.filter(kind="reserve").count() == 2


def test_everybody_is_refused_in_their_own_language(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_buyer: User) -> None:
        raise NotAllowed(translation.get_language())

    monkeypatch.setattr(access, "guards", [lambda _show_id, _buyers: refuse])
    with translation.override("zh-hans"):
        chinese = asked(world, world.li)
    english = asked(world, world.wang)

    assert [str(answer) for answer in group.place_group([chinese, english])] == ["zh-hans", "en"]


@pytest.mark.django_db(transaction=True)
def test_an_order_that_the_database_refuses_does_not_fail_its_neighbours(world: World) -> None:
    gone = User.objects.create_user("gone")
    wanted = [asked(world, world.li), asked(world, gone), asked(world, world.wang)]
    User.objects.filter(pk=gone.pk).delete()
    futures: list[Future[Order]] = [Future() for _one in wanted]

    commit._commit(list(zip(wanted, futures, strict=True)))

    assert [future.exception() is None for future in futures] == [True, False, True]
    assert isinstance(futures[1].exception(), DatabaseError)
    assert Order.objects.count() == 2
    assert faults_in_books() == []


def test_while_the_database_is_away_nobody_waits_for_as_many_time_limits(world: World) -> None:
    futures: list[Future[Order]] = [Future() for _one in range(5)]
    pairs = [(asked(world, world.li, f"click {n}"), future) for n, future in enumerate(futures)]
    with mock.patch.object(commit, "place_group", side_effect=OperationalError("away")) as tried:
        commit._commit(pairs)

    assert tried.call_count == 2
    assert all(isinstance(future.exception(), OperationalError) for future in futures)


@pytest.fixture
def committer() -> Iterator[commit.Committer]:
    one = commit.Committer()
    with mock.patch.object(commit, "committer", one):
        yield one
    one.stop(20)


@pytest.mark.django_db(transaction=True)
def test_who_waits_while_the_database_is_away_is_told_to_come_again(
    world: World, committer: commit.Committer
) -> None:
    with (
        mock.patch.object(commit, "place_group", side_effect=OperationalError("away")),
        pytest.raises(TryAgain),
    ):
        commit.place(asked(world, world.li))
    assert commit.place(asked(world, world.li))


@pytest.mark.django_db(transaction=True)
def test_those_who_wait_while_others_are_committed_are_one_group(
    world: World, committer: commit.Committer
) -> None:
    begun, go_on, sizes = threading.Event(), threading.Event(), []
    place = group.place_group

    def slowly(some: list[Asked]) -> Any:
        begun.set()
        assert go_on.wait(20)
        sizes.append(len(some))
        return place(some)

    with mock.patch.object(commit, "place_group", slowly):
        first = committer.ask(asked(world, world.li, quantity=1))
        assert begun.wait(20)
        rest = [committer.ask(asked(world, world.li, f"click {n}", quantity=1)) for n in range(9)]
        go_on.set()
        numbers = {future.result(20).number for future in [first, *rest]}

    assert sizes == [1, 9]
    assert len(numbers) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("within_s", "sizes"), [(20.0, [1, 3, 3]), (0.0, [1, 3, 1])])
def test_a_crowd_that_was_answered_is_waited_for_while_it_comes_again(
    within_s: float,
    sizes: list[int],
    world: World,
    committer: commit.Committer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commit, "GATHERS_WITHIN_S", within_s)
    monkeypatch.setattr(commit, "NOBODY_COMES_S", 20.0)
    seen: list[int] = []
    place, first_may_end, crowd_may_end = group.place_group, threading.Event(), threading.Event()

    def seeing(some: list[Asked]) -> Any:
        seen.append(len(some))
        assert (first_may_end if len(seen) == 1 else crowd_may_end).wait(20)
        return place(some)

    def ask(*keys: str) -> list[Future[Order]]:
        return [committer.ask(asked(world, world.li, key, quantity=1)) for key in keys]

    with mock.patch.object(commit, "place_group", seeing):
        first = ask("first")
        until(lambda: seen)
        crowd = ask("second", "third", "fourth")
        first_may_end.set()
        until(lambda: len(seen) == 2)
        crowd_may_end.set()
        wait([*first, *crowd], 20)
        again = ask("fifth")
        if not within_s:
            wait(again, 20)
        wait(again + ask("sixth", "seventh"), 20)

    assert seen[:3] == sizes


@pytest.mark.django_db(transaction=True)
def test_at_its_end_a_process_commits_what_waits(world: World, committer: commit.Committer) -> None:
    waiting = [committer.ask(asked(world, world.li, f"click {n}", quantity=1)) for n in range(5)]

    committer.stop(20)

    assert all(future.result(0) for future in waiting)
    assert committer.ask(asked(world, world.wang, quantity=1)).result(20)


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_committed_in_time_is_told_to_come_again(
    world: World, committer: commit.Committer
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def never(some: list[Asked]) -> Any:
        begun.set()
        assert go_on.wait(20)
        return [TryAgain()]

    with mock.patch.object(commit, "place_group", never):
        committer.ask(asked(world, world.wang))
        assert begun.wait(20)
        late = committer.ask(asked(world, world.li))
        committer.stop(0)
        go_on.set()

    assert isinstance(late.exception(20), TryAgain)
    assert not Order.objects.exists()


def test_a_queue_that_is_full_says_so(world: World, committer: commit.Committer) -> None:
    with mock.patch.object(commit, "MOST_WAITING", 0), pytest.raises(TryAgain) as refusal:
        committer.ask(asked(world, world.li))
    assert (refusal.value.status, refusal.value.retry_after) == (503, 1.0)


def test_in_somebodys_transaction_the_order_is_a_part_of_it(world: World) -> None:
    assert connection.in_atomic_block
    assert not commit.is_grouped()


def test_an_address_is_kept_once_for_two_orders_of_a_group(world: World) -> None:
    group.place_group([asked(world, world.li), asked(world, world.li, "second")])

    hear_of_orders()
    hear_of_orders()

    last = Order.objects.latest("placed_at")
    assert [one.used_at for one in Address.objects.all()] == [last.placed_at]


def test_a_number_that_somebody_has_is_drawn_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "TRIES", 1)
    with mock.patch.object(group, "new_order_number", return_value="1111-1111"):
        group.place_group([asked(world, world.li)])
        answers = group.place_group([asked(world, world.wang)])

    assert outcomes(answers) == ["Order"]
    assert Order.objects.filter(number="1111-1111").count() == 1


def test_a_number_that_is_drawn_twice_is_drawn_anew(world: World) -> None:
    drawn = ["1111-1111", "1111-1111", "2222-2222", "3333-3333"]
    with mock.patch.object(group, "new_order_number", side_effect=drawn):
        answers = group.place_group([asked(world, world.li), asked(world, world.wang)])

    assert outcomes(answers) == ["Order", "Order"]
    assert set(Order.objects.values_list("number", flat=True)) == {"2222-2222", "3333-3333"}
    assert Offer.objects.get(pk=world.apple_offer.pk).sold == 4
    assert faults_in_books() == []


@pytest.mark.parametrize(("points", "dies"), [("", False), ("a=#2", True), ("a=1", True)])
def test_a_fail_point_kills_as_sigkill_does(points: str, dies: bool) -> None:
    passes = "from core.failpoints import failpoint\nfor _ in 'abc': failpoint('a')\n"
    env = os.environ | {"LIVECOMMERCE_FAILPOINTS": points}
    done = subprocess.run([sys.executable, "-c", passes], cwd=ROOT, env=env, check=False)
    assert done.returncode == (-signal.SIGKILL if dies else 0)


def test_points_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ValueError, match="often"):
        failpoints.read("orders.before_ack=often")
