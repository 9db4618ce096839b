"""Simulated buyers in a real room: the runner, real messages and orders, a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from core.clock import now
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from core.realtime.runtime import Runtime
from courses.models import Enrolment
from courses.practice import playing, results, sandbox, services
from courses.practice.models import Act, Attempt, AttemptState, PracticeTask
from courses.practice.runner import Practices
from orders.models import Offer, Order
from sellers.models import Stock
from streams.models import HostVoice, Show
from streams.protocol import ChatAnsweredEvent
from streams.services import moderation, pins
from tests.courses.practice.conftest import begin, finish, show_of
from tests.realtime import until_in_db
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_haste(settings: Any) -> None:
    """Minutes pass here within a second or two."""
    settings.CHAT_EVERY_S = 0


@pytest.fixture
def live(task: PracticeTask, enrolled: Enrolment) -> Attempt:
    return begin(services.open_attempt(task, enrolled))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now(), tick=True) as traveller:
        yield traveller


class Host:
    """Who practises: speaks, pins and answers as the seconds go by."""

    def __init__(self, runtime: Runtime, attempt: Attempt, clock: time_machine.Traveller) -> None:
        self.runtime = runtime
        self.attempt = attempt
        self.clock = clock
        self.practices = Practices(runtime)
        assert attempt.began_at
        self.began = attempt.began_at
        self.second = 0

    async def passes(self, seconds: int, *, speaks: bool = True, answers: bool = True) -> None:
        """The time goes on in steps of some seconds, as it does for a process that is busy."""
        until = self.second + seconds
        while self.second < until:
            self.second += 3
            self.clock.move_to(self.began + timedelta(seconds=self.second))
            if speaks:
                await run_in_db(self._speak)
            await self.practices.move()
            if answers:
                await self._answer()

    def _speak(self) -> None:
        show = show_of(self.attempt)
        HostVoice.objects.bulk_create(
            HostVoice(
                show=show, second=self.began + timedelta(seconds=self.second - ago), is_heard=True
            )
            for ago in (2, 1, 0)
        )

    async def _answer(self) -> None:
        for message_id in await run_in_db(self._open_questions):
            entry = ChatAnsweredEvent(seq=None, id=message_id).entry(now(), fact_id=uuid4())
            await self.runtime.log.append(f"show:{self.attempt.show_id}", [entry])

    def _open_questions(self) -> list[UUID]:
        asked = Act.objects.filter(attempt=self.attempt, kind__in=["ask", "haggle", "complain"])
        answered = LogEntry.objects.filter(type=ChatAnsweredEvent.type).values_list("data__id")
        known = {UUID(one) for (one,) in answered}
        return [
            one for one in asked.values_list("message_id", flat=True) if one and one not in known
        ]

    async def pins(self) -> None:
        await run_in_db(self._pin)

    def _pin(self) -> None:
        offer = Offer.objects.filter(show_id=self.attempt.show_id, on_tap=False).get()
        show = show_of(self.attempt)
        pins.pin(show=show, actor=show.host, offer_id=offer.public_id)


def acts_of(attempt: Attempt) -> list[Act]:
    return list(attempt.acts.all())


async def test_buyers_speak_and_buy_in_the_real_room(
    runtime: Runtime, world: World, live: Attempt, clock: time_machine.Traveller
) -> None:
    host = Host(runtime, live, clock)
    await host.passes(9)
    await host.pins()
    await host.passes(105)
    acts = await run_in_db(acts_of, live)
    orders = await run_in_db(lambda: list(Order.objects.filter(show_id=live.show_id)))
    bought = [act for act in acts if act.kind == "order"]
    assert len(bought) >= 3
    assert len(orders) == len(bought)
    assert {order.buyer.username.split(":")[0] for order in await run_in_db(_with_buyers)} == {
        "sim"
    }
    assert all(act.done_at and not act.refusal for act in acts)
    said = await run_in_db(
        lambda: LogEntry.objects.filter(type="chat.message", topic=f"show:{live.show_id}").count()
    )
    assert said == len(acts) - len(bought)
    reserved = await run_in_db(
        lambda: Stock.objects.get(
            variant__offers__show_id=live.show_id, variant__offers__on_tap=False
        )
    )
    assert reserved.reserved == sum(act.detail["quantity"] for act in bought)


def _with_buyers() -> list[Order]:
    return list(Order.objects.select_related("buyer"))


async def test_in_silence_nobody_buys(
    runtime: Runtime, world: World, live: Attempt, clock: time_machine.Traveller
) -> None:
    host = Host(runtime, live, clock)
    await host.pins()
    await host.passes(90, speaks=False, answers=False)
    kinds = {act.kind for act in await run_in_db(acts_of, live) if act.at_s > 30}
    assert "wonder" in kinds
    assert kinds <= {"wonder", "leave"}
    assert not await run_in_db(Order.objects.exists)


async def test_another_process_goes_on_and_nothing_is_done_twice(
    runtime: Runtime, world: World, live: Attempt, clock: time_machine.Traveller
) -> None:
    host = Host(runtime, live, clock)
    await host.passes(9)
    await host.pins()
    await host.passes(45)
    other = Practices(runtime)
    assert not await other.move(), "one process moves them"
    before = await run_in_db(acts_of, live)
    # It died between writing down what the buyers do next and doing it.
    await run_in_db(lambda: Act.objects.filter(pk=before[-1].pk).update(done_at=None))
    clock.move_to(now() + 2 * playing.HELD_FOR)
    host.second += int(2 * playing.HELD_FOR.total_seconds())
    host.practices = other
    await host.passes(45)
    acts = await run_in_db(acts_of, live)
    assert [act.number for act in acts] == list(range(1, len(acts) + 1))
    assert len(acts) > len(before)
    assert all(act.done_at for act in acts)
    said = [act for act in acts if act.kind != "order"]
    entries = await run_in_db(lambda: LogEntry.objects.filter(type="chat.message").count())
    orders = await run_in_db(Order.objects.count)
    assert (entries, orders) == (len(said), len(acts) - len(said))


async def test_who_is_sent_away_says_nothing_more(
    runtime: Runtime, world: World, live: Attempt, clock: time_machine.Traveller
) -> None:
    host = Host(runtime, live, clock)
    await host.passes(9)
    await host.pins()
    await host.passes(30)
    before = await run_in_db(acts_of, live)
    first = before[0]

    def ban() -> None:
        show = show_of(live)
        buyer = sandboxed(live)[first.persona]
        moderation.ban(show=show, actor=show.host, user_id=buyer.public_id)

    await run_in_db(ban)
    await host.passes(60)
    later = (await run_in_db(acts_of, live))[len(before) :]
    mine = [act for act in later if act.persona == first.persona and act.kind != "order"]
    assert all(act.refusal for act in mine)


def sandboxed(attempt: Attempt) -> dict[str, Any]:
    return dict(sandbox.simulated_buyers(attempt.language))


async def test_it_ends_with_its_time_and_says_what_came_of_it(
    runtime: Runtime, world: World, live: Attempt, clock: time_machine.Traveller
) -> None:
    host = Host(runtime, live, clock)
    await host.passes(9)
    await host.pins()
    await host.passes(81)
    await host.passes(33, speaks=False, answers=False)
    await until_in_db(lambda: Show.objects.get(public_id=live.show_id).state == "ended")
    await run_in_db(finish, live)
    assert live.state == AttemptState.ENDED
    assert not await host.practices.move(), "nobody is there any more"
    result = await run_in_db(results.measure, live, "CNY")
    sold = await run_in_db(lambda: sum(one.total_minor for one in Order.objects.all()))
    assert (result.orders > 0, result.sold_minor) == (True, sold)
    assert result.questions >= result.answered > 0
    assert result.silences
    assert max(result.voice) > 0.8
    assert min(result.voice[-3:]) == 0


async def test_it_starts_and_stops_with_its_process(
    runtime: Runtime, world: World, live: Attempt
) -> None:
    practices = Practices(runtime)
    practices.start()
    await until_in_db(lambda: Attempt.objects.get(pk=live.pk).held_by is not None)
    await practices.stop()
    assert await run_in_db(lambda: Attempt.objects.get(pk=live.pk).held_by) is None
