"""What rooms are told about facts, and what the replay shows beside the video."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction

from core import outbox
from core.clock import now
from core.models import OutboxFact
from core.outbox import Fact
from core.realtime.db import run_in_db
from core.realtime.models import LogEntry
from core.realtime.runtime import Runtime
from media_pipeline.events import RecordingSealed
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from orders.events import LineSold, OrderPlaced
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order
from sellers.events import StockChanged
from streams import handlers, selectors
from streams.events import ShowEnded, ShowInterrupted, ShowResumed, ShowStarted
from streams.models import Show, ShowState
from streams.studio import handlers as studio_handlers
from streams.studio.figures import figures
from tests.realtime import until
from tests.world import World


async def told(show: Show) -> list[tuple[str, dict[str, object]]]:
    rows = LogEntry.objects.filter(topic=show.topic).order_by("seq")
    return await run_in_db(lambda: [(row.type, row.data) for row in rows])


async def handle(handler: Callable[..., None], fact: Fact, times: int = 1) -> None:
    fact_id = uuid.uuid4()
    for _ in range(times):
        await run_in_db(handler, fact, fact_id)


def order_placed(world: World, show_id: uuid.UUID | None) -> OrderPlaced:
    line = LineSold(variant_id=world.apples.public_id, title="Huaniu apples", quantity=2)
    return OrderPlaced(
        order_id=uuid.uuid4(),
        order_number="1234",
        seller_id=world.farm.public_id,
        show_id=show_id,
        buyer_name="L**",
        lines=[line],
        total_minor=7180,
        currency="CNY",
        at=now(),
    )


async def test_an_order_is_told_once_however_often_its_fact_comes(
    runtime: Runtime, world: World
) -> None:
    await handle(handlers.tell_order, order_placed(world, world.show.public_id), times=3)
    line = {"variant_id": str(world.apples.public_id), "title": "Huaniu apples", "quantity": 2}
    assert await told(world.show) == [("order.placed", {"buyer": "L**", "lines": [line]})]


async def told_studio(show: Show) -> list[tuple[str, dict[str, Any]]]:
    rows = LogEntry.objects.filter(topic=f"studio:{show.public_id}").order_by("seq")
    return await run_in_db(lambda: [(row.type, row.data) for row in rows])


def bought(world: World) -> Order:
    return place_order(
        buyer=world.li,
        key="first",
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": 2,
                "price_minor": 3590,
            }
        ],
        delivery={"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River St"},
    )


async def relay_twice_at_once() -> None:
    """As two relays that each had the same facts in hand."""
    rows = await run_in_db(lambda: list(OutboxFact.objects.order_by("id")))
    for row in rows:
        both = (run_in_db(outbox.wiring.handle, row) for _relay in range(2))
        await asyncio.gather(*both)


async def test_two_relays_tell_the_studio_each_order_and_move_once(
    runtime: Runtime, world: World
) -> None:
    order = await run_in_db(bought, world)
    await run_in_db(move_order, order.public_id, OrderState.PACKED, world.zhang)

    await relay_twice_at_once()

    told_there = await told_studio(world.show)
    assert [(kind, data["order"]["state"]) for kind, data in told_there] == [
        ("order.placed", "placed"),
        ("order.moved", "packed"),
    ]
    assert told_there[1][1]["by"] == "Zhang"
    assert (await run_in_db(figures, world.show)).orders == 1


async def test_little_stock_is_told_to_the_studio_once(runtime: Runtime, world: World) -> None:
    fact = StockChanged(variant_id=world.apples.public_id, available=5, version=9)
    await handle(studio_handlers.tell_low_stock, fact, times=3)
    await handle(studio_handlers.tell_low_stock, msgspec.structs.replace(fact, available=6))
    data = {
        "variant_id": str(world.apples.public_id),
        "title": "Huaniu apples, 5 kg box",
        "available": 5,
        "version": 9,
    }
    assert await told_studio(world.show) == [("stock.low", data)]


async def test_an_order_outside_a_show_is_told_nowhere(runtime: Runtime, world: World) -> None:
    await handle(handlers.tell_order, order_placed(world, None))
    assert not await run_in_db(LogEntry.objects.exists)


@pytest.mark.parametrize(
    ("state", "heard"),
    [(ShowState.SCHEDULED, True), (ShowState.LIVE, True), (ShowState.ENDED, False)],
)
async def test_stock_is_told_where_it_can_still_be_bought(
    runtime: Runtime, world: World, state: ShowState, heard: bool
) -> None:
    await run_in_db(lambda: Show.objects.update(state=state))
    fact = StockChanged(variant_id=world.apples.public_id, available=3, version=9)
    await handle(handlers.tell_stock, fact)
    data = {"variant_id": str(world.apples.public_id), "available": 3, "version": 9}
    assert await told(world.show) == ([("stock.changed", data)] if heard else [])


async def test_stock_of_what_no_show_offers_is_told_nowhere(runtime: Runtime, world: World) -> None:
    await run_in_db(world.pear_offer.delete)
    fact = StockChanged(variant_id=world.pears.public_id, available=3, version=9)
    await handle(handlers.tell_stock, fact)
    assert await told(world.show) == []


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (ShowStarted, "show.started"),
        (ShowInterrupted, "show.interrupted"),
        (ShowResumed, "show.resumed"),
    ],
)
async def test_the_room_hears_what_happens_to_its_show(
    runtime: Runtime, world: World, kind: Callable[..., Fact], event: str
) -> None:
    await handle(handlers.tell_show_changed, kind(show_id=world.show.public_id, at=now()), times=2)
    assert await told(world.show) == [(event, {})]


async def test_the_room_hears_whether_an_operator_ended_the_show(
    runtime: Runtime, world: World
) -> None:
    for is_stop in (False, True):
        fact = ShowEnded(show_id=world.show.public_id, at=now(), is_stop=is_stop)
        await handle(handlers.tell_ended, fact, times=2)
    assert await told(world.show) == [("show.ended", {}), ("show.ended", {"stopped": True})]


async def test_the_room_hears_that_the_replay_is_there(runtime: Runtime, world: World) -> None:
    fact = RecordingSealed(show_id=world.show.public_id, recording_id=uuid.uuid4(), duration_s=61.5)
    await handle(handlers.tell_replay_ready, fact)
    assert await told(world.show) == [("replay.ready", {"duration_s": 61.5})]


async def test_a_committed_fact_reaches_the_log_by_itself(runtime: Runtime, world: World) -> None:
    def stop_camera() -> None:
        with transaction.atomic():
            outbox.publish(ShowInterrupted(show_id=world.show.public_id, at=now()))

    seen: list[str] = []
    runtime.log.follow(lambda topic, epoch, entries: seen.extend(e.type for e in entries))
    await run_in_db(stop_camera)
    await until(lambda: seen == ["show.interrupted"])


def recorded(world: World) -> None:
    recording = Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY, duration_s=60.0
    )
    Take.objects.create(
        recording=recording,
        public_id=uuid.uuid4(),
        position=0,
        state=TakeState.SEALED,
        started_at=now() - timedelta(seconds=60),
        duration_s=60.0,
    )


async def test_the_replay_has_each_entry_at_its_second(runtime: Runtime, world: World) -> None:
    started = ShowStarted(show_id=world.show.public_id, at=now() - timedelta(seconds=90))
    paused = ShowInterrupted(show_id=world.show.public_id, at=now() - timedelta(seconds=30))
    await run_in_db(recorded, world)
    for fact in (started, paused):
        await handle(handlers.tell_show_changed, fact)
    before, during = await run_in_db(selectors.replay_entries, world.show)
    assert (before.type, before.media_s) == ("show.started", None)
    assert during.type == "show.interrupted"
    assert during.media_s == pytest.approx(30, abs=1.0)
