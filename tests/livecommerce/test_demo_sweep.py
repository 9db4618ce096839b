from __future__ import annotations

import logging
import uuid
from datetime import timedelta

import pytest

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.models import OutboxFact
from core.realtime.db import run_in_db
from core.realtime.runtime import Runtime
from livecommerce.demo.people import VIEWERS
from livecommerce.demo.sweep import sweep_shows
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order
from streams.models import Show, ShowState
from tests import books
from tests.realtime import until_in_db
from tests.world import World

TITLE = "Every ten minutes"


def ended_show(world: World, minutes_ago: int) -> Show:
    ended_at = now() - timedelta(minutes=minutes_ago)
    return Show.objects.create(
        seller=world.farm,
        host=world.zhang,
        title=TITLE,
        scheduled_at=ended_at,
        ended_at=ended_at,
        state=ShowState.ENDED,
    )


def bought(world: World, show: Show, buyer: User) -> Order:
    world.apple_offer.show_id = show.public_id
    world.apple_offer.save()
    return place_order(
        buyer=buyer,
        key=str(uuid.uuid4()),
        show_id=show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": 2,
                "price_minor": world.apple_offer.price_minor,
            }
        ],
        delivery={"kind": "courier", "name": "Li", "phone": "13800001111", "address": "Lanzhou"},
    )


def test_the_newest_show_stays_and_older_ones_go(world: World) -> None:
    newest, older = ended_show(world, 1), ended_show(world, 11)
    assert sweep_shows(world.farm, title=TITLE) == 1
    assert set(Show.objects.filter(title=TITLE)) == {newest}
    assert not Show.objects.filter(pk=older.pk).exists()


def test_scripted_orders_go_with_their_show_and_the_books_stay_right(world: World) -> None:
    viewer = User.objects.create_user(VIEWERS[0][0])
    ended_show(world, 1)
    bought(world, ended_show(world, 11), viewer)
    sweep_shows(world.farm, title=TITLE)
    assert not Order.objects.exists()
    world.apples.stock.refresh_from_db()
    assert (world.apples.stock.on_hand, world.apples.stock.reserved) == (38, 0)
    assert books.faults_in_books() == []


def test_a_show_in_which_a_visitor_bought_is_kept(world: World) -> None:
    ended_show(world, 1)
    older = ended_show(world, 11)
    order = bought(world, older, world.li)
    assert sweep_shows(world.farm, title=TITLE) == 0
    assert Order.objects.get(pk=order.pk).show_id == older.public_id


async def test_nobody_is_told_of_orders_that_were_swept_away(
    runtime: Runtime, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by a fact that still waited, nor by one that a relay had in hand already."""

    def sweep() -> list[OutboxFact]:
        viewer = User.objects.create_user(VIEWERS[0][0])
        ended_show(world, 1)
        older = ended_show(world, 11)
        order = bought(world, older, viewer)
        bought(world, older, viewer)
        move_order(order.public_id, OrderState.PACKED, world.zhang)
        in_hand = list(OutboxFact.objects.filter(topic__startswith="order:"))
        assert sweep_shows(world.farm, title=TITLE) == 1
        return in_hand

    in_hand = await run_in_db(sweep)
    assert {fact.type for fact in in_hand} == {"orders.OrderPlaced", "orders.OrderMoved"}
    assert not await OutboxFact.objects.filter(topic__startswith="order:").aexists()
    for fact in in_hand:
        await run_in_db(outbox.wiring.handle, fact)
    await until_in_db(lambda: not OutboxFact.objects.filter(sent_at=None).exists())
    assert [entry for entry in caplog.records if entry.levelno >= logging.ERROR] == []
