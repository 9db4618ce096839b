"""The figures of a show: right, whoever counts them and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from core.accounts.models import User
from core.clock import iso_ms
from core.realtime.db import run_in_db
from core.realtime.runtime import Runtime
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order
from streams.models import ShowState, ViewersSample
from streams.studio.figures import Figures, figures, minute_of
from streams.studio.sampling import Sampler, note_viewers
from tests.world import World

NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bought(world: World, buyer: User, boxes: int, at: datetime) -> Order:
    order = place_order(
        buyer=buyer,
        key=str(uuid4()),
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": boxes,
                "price_minor": world.apple_offer.price_minor,
            }
        ],
        delivery={"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River St"},
    )
    Order.objects.filter(pk=order.pk).update(placed_at=at)
    return order


def per_minute(found: Figures) -> dict[str, tuple[int | None, int]]:
    """What is there of each minute in which anything is."""
    return {
        one.at[11:16]: (one.viewers, one.orders)
        for one in found.minutes
        if one.orders or one.viewers is not None
    }


def test_a_show_that_nobody_saw_has_thirty_empty_minutes(world: World) -> None:
    found = figures(world.show, NOON)

    assert [found.minutes[0].at, found.minutes[-1].at] == [
        "2026-11-22T11:31:00.000Z",
        "2026-11-22T12:00:00.000Z",
    ]
    assert len(found.minutes) == 30
    assert per_minute(found) == {}
    assert (found.orders, found.boxes, found.total_minor, found.currency) == (0, 0, 0, "CNY")


def test_orders_count_in_their_own_minute_and_in_the_sums(world: World) -> None:
    bought(world, world.li, 2, NOON)
    bought(world, world.wang, 1, NOON - 3 * MINUTE)
    bought(world, world.wang, 3, NOON - 3 * MINUTE)

    found = figures(world.show, NOON)

    assert per_minute(found) == {"11:57": (None, 2), "12:00": (None, 1)}
    assert (found.orders, found.boxes, found.total_minor) == (3, 6, 6 * 3590)
    assert (found.waiting, found.cancelled) == (3, 0)


def test_an_order_before_the_window_counts_in_the_sums_alone(world: World) -> None:
    bought(world, world.li, 2, NOON - 31 * MINUTE)

    found = figures(world.show, NOON)

    assert per_minute(found) == {}
    assert (found.orders, found.boxes) == (1, 2)


def test_a_cancelled_order_is_no_sale(world: World) -> None:
    bought(world, world.li, 2, NOON)
    taken_back = bought(world, world.wang, 5, NOON)
    move_order(taken_back.public_id, OrderState.CANCELLED, world.zhang)

    found = figures(world.show, NOON)

    assert per_minute(found) == {"12:00": (None, 1)}
    assert (found.orders, found.boxes, found.total_minor) == (1, 2, 2 * 3590)
    assert (found.waiting, found.cancelled) == (1, 1)


def test_a_packed_order_no_longer_waits(world: World) -> None:
    order = bought(world, world.li, 2, NOON)
    move_order(order.public_id, OrderState.PACKED, world.zhang)

    assert (figures(world.show, NOON).orders, figures(world.show, NOON).waiting) == (1, 0)


def test_orders_of_another_show_are_not_counted(world: World) -> None:
    order = bought(world, world.li, 2, NOON)
    Order.objects.filter(pk=order.pk).update(show_id=uuid4())

    assert figures(world.show, NOON).orders == 0


def test_viewers_of_a_minute_are_noted_once_whoever_says_so(world: World) -> None:
    for viewers in (12, 12, 700):
        note_viewers(minute_of(NOON), {world.show.public_id: viewers})

    assert per_minute(figures(world.show, NOON)) == {"12:00": (12, 0)}
    assert ViewersSample.objects.count() == 1


def test_nobody_watching_is_a_figure_too(world: World) -> None:
    note_viewers(minute_of(NOON), {world.show.public_id: 0})

    assert per_minute(figures(world.show, NOON)) == {"12:00": (0, 0)}


def test_viewers_of_a_replay_and_of_no_show_are_not_noted(world: World) -> None:
    type(world.show).objects.update(state=ShowState.ENDED)

    note_viewers(minute_of(NOON), {world.show.public_id: 3, uuid4(): 4})

    assert not ViewersSample.objects.exists()


class Watcher:
    """A socket of somebody who watches."""

    def __init__(self, key: str) -> None:
        self.viewer_key = self.person = key
        self.hears_all = False

    def offer(self, frame: object) -> bool:
        return True

    def close(self, code: int, reason: str = "") -> None:
        pass


async def test_the_sampler_notes_the_rooms_of_its_process_and_no_studio(
    runtime: Runtime, world: World
) -> None:
    hub = runtime.hub
    for topic in (world.show.topic, f"studio:{world.show.public_id}"):
        await hub.join(topic, Watcher("user:li"))  # type: ignore[arg-type]
    hub.set_now(world.show.topic, viewers=41)

    await Sampler(hub).sample(NOON)
    await Sampler(hub).sample(NOON + timedelta(seconds=20))

    rows = await run_in_db(lambda: list(ViewersSample.objects.values_list("minute", "viewers")))
    assert rows == [(minute_of(NOON), 41)]


@pytest.mark.parametrize("second", [0, 59])
def test_a_minute_begins_with_its_first_second(second: int) -> None:
    assert iso_ms(minute_of(NOON.replace(second=second))) == "2026-11-22T12:00:00.000Z"
