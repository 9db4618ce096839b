from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import outbox
from core.clock import now
from core.models import OutboxFact
from core.outbox import Fact, Together, Told, Wiring, deliver_waiting, publish
from core.realtime.db import with_fresh_connections


class AppleFell(Fact, frozen=True):
    name: ClassVar[str] = "tests.AppleFell"

    tree: str
    number: int = 0

    @property
    def topic(self) -> str:
        return f"tree:{self.tree}"


class Heard:
    """A handler that remembers, and fails for the trees it is told to."""

    def __init__(self) -> None:
        self.facts: list[AppleFell] = []
        self.ids: list[uuid.UUID] = []
        self.broken_trees: set[str] = set()

    def __call__(self, fact: AppleFell, fact_id: uuid.UUID) -> None:
        if fact.tree in self.broken_trees:
            raise RuntimeError(f"{fact.tree} is broken")
        self.facts.append(fact)
        self.ids.append(fact_id)

    @property
    def numbers(self) -> list[tuple[str, int]]:
        return [(fact.tree, fact.number) for fact in self.facts]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    wiring, handler = Wiring(), Heard()
    wiring.connect({AppleFell: (handler,)})
    monkeypatch.setattr(outbox, "wiring", wiring)
    return handler


def fell(*apples: tuple[str, int]) -> None:
    with transaction.atomic():
        publish([AppleFell(tree=tree, number=number) for tree, number in apples])


def roll_back(fact: Fact) -> None:
    with transaction.atomic():
        publish(fact)
        transaction.set_rollback(True)


def test_a_fact_without_its_change_cannot_be_published(transactional_db: None) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        publish(AppleFell(tree="old"))
    assert not OutboxFact.objects.exists()


def test_a_change_that_is_rolled_back_takes_its_fact_along(transactional_db: None) -> None:
    roll_back(AppleFell(tree="old"))
    assert not OutboxFact.objects.exists()


def test_facts_are_handled_once_in_their_order(transactional_db: None, heard: Heard) -> None:
    fell(("old", 1), ("old", 2), ("young", 1))
    fell(("old", 3))
    assert deliver_waiting() == 4
    assert deliver_waiting() == 0
    assert heard.numbers == [("old", 1), ("old", 2), ("young", 1), ("old", 3)]
    assert heard.ids == list(OutboxFact.objects.order_by("id").values_list("id", flat=True))


def test_a_failing_fact_holds_back_its_topic_and_no_other(
    transactional_db: None, heard: Heard
) -> None:
    heard.broken_trees = {"old"}
    fell(("old", 1), ("old", 2), ("young", 1))
    assert deliver_waiting() == 1
    assert heard.numbers == [("young", 1)]
    row = OutboxFact.objects.get(data__number=1, topic="tree:old")
    assert (row.attempts, row.last_error) == (1, "RuntimeError: old is broken")


def test_a_failed_fact_is_tried_again_after_a_pause_and_in_order(
    transactional_db: None, heard: Heard
) -> None:
    heard.broken_trees = {"old"}
    fell(("old", 1), ("old", 2))
    deliver_waiting()
    heard.broken_trees = set()
    assert deliver_waiting() == 0
    with time_machine.travel(now() + timedelta(minutes=2)):
        assert deliver_waiting() == 2
    assert heard.numbers == [("old", 1), ("old", 2)]


def test_a_poisonous_fact_ends_where_an_operator_sees_it_and_lets_the_next_pass(
    transactional_db: None, heard: Heard
) -> None:
    heard.broken_trees = {"old"}
    fell(("old", 1))
    for attempt in range(outbox.MAX_ATTEMPTS):
        with time_machine.travel(now() + timedelta(hours=attempt + 1)):
            assert deliver_waiting() == 0
    assert OutboxFact.objects.get().dead_at is not None
    heard.broken_trees = set()
    fell(("old", 2))
    assert deliver_waiting() == 1
    assert heard.numbers == [("old", 2)]


def test_a_fact_that_a_killed_relay_had_in_hand_is_delivered_by_the_next(
    transactional_db: None, heard: Heard
) -> None:
    fell(("old", 1))
    OutboxFact.objects.update(claimed_until=now() + outbox.CLAIM_FOR)
    assert deliver_waiting() == 0
    assert outbox.release_claims() == 1
    assert deliver_waiting() == 1


def test_a_claim_that_ran_out_needs_nobody_to_release_it(
    transactional_db: None, heard: Heard
) -> None:
    fell(("old", 1))
    OutboxFact.objects.update(claimed_until=now() + outbox.CLAIM_FOR)
    with time_machine.travel(now() + outbox.CLAIM_FOR + timedelta(seconds=1)):
        assert deliver_waiting() == 1


def _relay_at_once(times: int) -> None:
    start = threading.Barrier(times)

    def relay(_number: int) -> int:
        start.wait()
        return with_fresh_connections(deliver_waiting)

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(relay, range(times)))


def test_two_relays_at_once_handle_each_fact_once(transactional_db: None, heard: Heard) -> None:
    fell(*((f"tree {number}", number) for number in range(40)))
    _relay_at_once(2)
    deliver_waiting()
    assert sorted(fact.number for fact in heard.facts) == list(range(40))


def test_without_the_claim_two_relays_handle_a_fact_twice(
    transactional_db: None, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the test above would see if the claim did not hold."""
    both_have_read = threading.Barrier(2)
    read = outbox._due

    def read_together(limit: int) -> list[OutboxFact]:
        rows = read(limit)
        both_have_read.wait()
        return rows

    monkeypatch.setattr(outbox, "_due", read_together)
    monkeypatch.setattr(outbox, "_claim", list)
    fell(("old", 1))
    _relay_at_once(2)
    assert heard.numbers == [("old", 1), ("old", 1)]


def test_a_row_that_another_relay_has_failed_with_is_not_claimed(
    transactional_db: None, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was due when it was read; since then it pauses, or was given up."""
    heard.broken_trees = {"old", "young"}
    fell(("old", 1), ("young", 1))
    read_before = outbox._due(10)
    deliver_waiting()
    OutboxFact.objects.filter(topic="tree:young").update(dead_at=now(), retry_at=None)
    heard.broken_trees = set()
    monkeypatch.setattr(outbox, "_due", lambda limit: read_before)
    assert deliver_waiting() == 0
    assert heard.facts == []


def test_relays_that_race_keep_each_topic_in_its_order(
    transactional_db: None, heard: Heard
) -> None:
    _race_of_relays(heard)


def _race_of_relays(heard: Heard) -> None:
    trees = [f"tree {number}" for number in range(4)]
    for number in range(12):
        fell(*((tree, number) for tree in trees))

    def relay_until_all_is_handled(_number: int) -> None:
        while OutboxFact.objects.filter(sent_at=None).exists():
            with_fresh_connections(deliver_waiting)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(relay_until_all_is_handled, range(2)))
    for tree in trees:
        assert [number for name, number in heard.numbers if name == tree] == list(range(12))


class Slow:
    """A handler that works until it is told to end."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.times = 0

    def __call__(self, fact: AppleFell, fact_id: uuid.UUID) -> None:
        self.times += 1
        self.began.set()
        assert self.may_end.wait(20)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    wiring, handler = Wiring(), Slow()
    wiring.connect({AppleFell: (handler,)})
    monkeypatch.setattr(outbox, "wiring", wiring)
    yield handler
    handler.may_end.set()


def test_a_claim_that_is_renewed_outlives_its_time(transactional_db: None, slow: Slow) -> None:
    fell(("old", 1))
    start = now()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(with_fresh_connections, deliver_waiting)
        assert slow.began.wait(10)
        for second in range(1, 10, 2):
            with time_machine.travel(start + timedelta(seconds=second)):
                outbox.renew_claims()
                assert deliver_waiting() == 0
        slow.may_end.set()
        assert working.result() == 1
    assert slow.times == 1


def test_the_next_fact_waits_while_another_relay_has_the_first_in_hand(
    transactional_db: None, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the other relay read both before the first was claimed."""
    fell(("old", 1), ("old", 2))
    both_free = outbox._due(10)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(with_fresh_connections, deliver_waiting)
        assert slow.began.wait(10)
        monkeypatch.setattr(outbox, "_due", lambda limit: both_free)
        assert deliver_waiting() == 0
        slow.may_end.set()
        assert working.result() == 2


def test_without_renewal_another_relay_takes_the_fact_of_one_that_hangs(
    transactional_db: None, slow: Slow
) -> None:
    """The negative control, and what happens to the claims of a process that was killed."""
    fell(("old", 1))
    with ThreadPoolExecutor(2) as pool:
        pool.submit(with_fresh_connections, deliver_waiting)
        assert slow.began.wait(10)
        slow.began.clear()
        with time_machine.travel(now() + outbox.CLAIM_FOR + timedelta(milliseconds=100)):
            other = pool.submit(with_fresh_connections, deliver_waiting)
            assert slow.began.wait(10)
            slow.may_end.set()
            other.result()
    assert slow.times == 2


def test_what_nobody_has_in_hand_is_not_renewed(transactional_db: None, heard: Heard) -> None:
    fell(("old", 1))
    OutboxFact.objects.update(claimed_until=now() - timedelta(seconds=1))
    outbox.renew_claims()
    assert deliver_waiting() == 1


class Away(Exception):
    """As of a log that cannot be reached."""


class NeedsTheLog:
    def __init__(self) -> None:
        self.is_away = True
        self.done: list[int] = []
        self.asked = 0

    def __call__(self, fact: AppleFell, fact_id: uuid.UUID) -> None:
        self.asked += 1
        if self.is_away:
            raise Away("not now")
        self.done.append(fact.number)


@pytest.fixture
def needy(monkeypatch: pytest.MonkeyPatch) -> NeedsTheLog:
    wiring, handler = Wiring(), NeedsTheLog()
    wiring.connect({AppleFell: (handler,)})
    monkeypatch.setattr(outbox, "wiring", wiring)
    return handler


def test_what_is_away_for_an_hour_is_not_held_against_a_fact(
    transactional_db: None, needy: NeedsTheLog
) -> None:
    fell(("old", 1), ("old", 2))
    start = now()
    for minute in range(60):
        with time_machine.travel(start + timedelta(minutes=minute)):
            assert deliver_waiting(later=(Away,)) == 0
    row = OutboxFact.objects.order_by("id")[0]
    assert (row.attempts, row.dead_at, row.last_error) == (0, None, "Away: not now")
    needy.is_away = False
    with time_machine.travel(start + timedelta(minutes=59) + 2 * outbox.LATER):
        assert deliver_waiting(later=(Away,)) == 2
    assert needy.done == [1, 2]


def test_nobody_asks_for_the_rest_while_something_is_away(
    transactional_db: None, needy: NeedsTheLog
) -> None:
    """Each question may take its time until it fails."""
    fell(*((f"tree {number}", number) for number in range(10)))
    deliver_waiting(later=(Away,))
    assert needy.asked == 1


class HeardTogether(Heard):
    """The same for many at once; it remembers nothing of a run that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []

    def hear(self, told: Told[AppleFell]) -> None:
        self.runs.append(len(told))
        if broken := {fact.tree for fact, _id in told} & self.broken_trees:
            raise RuntimeError(f"{broken} are broken")
        for fact, fact_id in told:
            super().__call__(fact, fact_id)


class PearFell(AppleFell, frozen=True):
    name: ClassVar[str] = "tests.PearFell"


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> HeardTogether:
    wiring, heard = Wiring(), HeardTogether()
    wiring.connect({AppleFell: (Together(heard.hear),), PearFell: (Together(heard.hear),)})
    monkeypatch.setattr(outbox, "wiring", wiring)
    return heard


def test_many_are_handled_in_one_run_and_few_statements(
    transactional_db: None, together: HeardTogether
) -> None:
    fell(*((f"tree {number}", number) for number in range(60)))
    with CaptureQueriesContext(connection) as asked:
        assert deliver_waiting() == 60
    assert together.runs == [60]
    assert len(asked) <= 6
    assert [fact.number for fact in together.facts] == list(range(60))
    assert not OutboxFact.objects.exclude(attempts=0, claimed_until=None).exists()


def test_one_that_fails_in_the_middle_of_a_run_holds_back_its_topic_alone(
    transactional_db: None, together: HeardTogether
) -> None:
    together.broken_trees = {"old"}
    fell(("young", 1), ("old", 1), ("young", 2), ("old", 2), ("tall", 1))
    assert deliver_waiting() == 3
    assert together.numbers == [("young", 1), ("young", 2), ("tall", 1)]
    waiting = OutboxFact.objects.filter(sent_at=None).order_by("id")
    assert [(row.attempts, row.claimed_until) for row in waiting] == [(1, None), (0, None)]
    together.broken_trees = set()
    with time_machine.travel(now() + timedelta(minutes=2)):
        assert deliver_waiting() == 2
    assert together.numbers[3:] == [("old", 1), ("old", 2)]


def test_runs_of_other_types_never_overtake_within_a_topic(
    transactional_db: None, together: HeardTogether
) -> None:
    with transaction.atomic():
        publish([AppleFell("old", 1), PearFell("old", 2), AppleFell("old", 3), AppleFell("new", 4)])
        publish([PearFell("new", 5), PearFell("old", 6)])
    assert deliver_waiting() == 6
    for tree, numbers in (("old", [1, 2, 3, 6]), ("new", [4, 5])):
        assert [fact.number for fact in together.facts if fact.tree == tree] == numbers
    assert together.runs == [1, 1, 2, 2]


def test_a_long_run_is_cut(
    transactional_db: None, together: HeardTogether, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE", 4)
    fell(*(("old", number) for number in range(10)))
    assert deliver_waiting() == 10
    assert together.runs == [4, 4, 2]


class Killed(BaseException):
    """As if the process had ended there."""


def test_what_was_handled_and_not_marked_is_handled_again_by_the_next(
    transactional_db: None, together: HeardTogether, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_rows: OutboxFact) -> None:
        handle(*_rows)
        raise Killed

    fell(("old", 1), ("young", 1), ("old", 2))
    handle = outbox.wiring.handle
    with monkeypatch.context() as patch:
        patch.setattr(outbox.wiring, "handle", killed)
        with pytest.raises(Killed):
            deliver_waiting()
    outbox.renew_claims()
    assert deliver_waiting() == 0
    with time_machine.travel(now() + outbox.CLAIM_FOR + timedelta(seconds=1)):
        assert deliver_waiting() == 3
    assert together.numbers == 2 * [("old", 1), ("young", 1), ("old", 2)]
    assert together.ids[:3] == together.ids[3:]


def test_relays_that_race_keep_each_topic_in_its_order_in_runs_too(
    transactional_db: None, together: HeardTogether
) -> None:
    _race_of_relays(together)


def test_a_run_that_has_to_wait_for_something_is_not_held_against_its_facts(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_now(told: Told[AppleFell]) -> None:
        raise Away("not now")

    wiring = Wiring()
    wiring.connect({AppleFell: (Together(not_now),)})
    monkeypatch.setattr(outbox, "wiring", wiring)
    fell(("old", 1), ("young", 1))
    assert deliver_waiting(later=(Away,)) == 0
    rows = OutboxFact.objects.values_list("attempts", "claimed_until", "last_error")
    assert list(rows) == 2 * [(0, None, "Away: not now")]


def test_a_commit_wakes_the_relay_and_a_rollback_does_not(transactional_db: None) -> None:
    outbox._wake.clear()
    roll_back(AppleFell(tree="old"))
    assert not outbox._wake.is_set()
    fell(("old", 1))
    assert outbox._wake.is_set()


def test_the_facts_of_the_product_all_have_a_place_in_the_table() -> None:
    """A fact that the table does not know would end as dead."""
    from livecommerce.wiring import HANDLERS

    def kinds(of: type[Fact]) -> Iterator[type[Fact]]:
        for kind in of.__subclasses__():
            yield kind
            yield from kinds(kind)

    named: Any = [kind for kind in kinds(Fact) if "name" in vars(kind)]
    missing = [
        kind.name for kind in named if kind not in HANDLERS and not kind.name.startswith("tests.")
    ]
    assert missing == []
    assert connection.vendor  # the apps are loaded: their facts were imported above
