"""The socket of one person: who is let in, and that each hears of what is theirs alone."""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts.models import User
from core.realtime import tickets
from core.realtime.db import run_in_db
from orders.models import OrderState
from orders.services.claims import answer_claim, ask_refund
from orders.services.fulfil import move_order
from streams.client import Refused, RoomClient, RoomClosed
from streams.me_consumer import MyDoor
from tests.orders.shop import li_orders
from tests.world import World


def mine(site: str, user: User | None, **more: Any) -> RoomClient:
    ticket = tickets.issue(user.public_id) if user else None
    client = RoomClient(f"ws://{site}", "", ticket=ticket, **more)
    client.url = f"ws://{site}/ws/me/"
    return client


async def refusal(client: RoomClient) -> int:
    with pytest.raises(RoomClosed) as refused:
        await client.open()
    await client.close()
    return refused.value.code


async def test_strangers_are_asked_to_sign_in(site: str, world: World) -> None:
    async with mine(site, world.li):
        assert await refusal(mine(site, None)) == 4401


async def test_a_page_of_another_site_hears_nothing(site: str, world: World) -> None:
    client = mine(site, None, cookie="sessionid=x", origin="https://elsewhere.example")
    assert await refusal(client) == 4403


async def test_each_hears_of_their_own_orders_alone(site: str, world: World) -> None:
    before = await run_in_db(li_orders, world)
    async with mine(site, world.li) as li, mine(site, world.wang) as wang:
        [known] = li.snapshot["orders"]
        assert (known["order_id"], known["state"]) == (str(before.public_id), "placed")
        assert wang.snapshot["orders"] == []
        theirs = await run_in_db(lambda: li_orders(world, buyer=world.wang, quantity=1))
        for order in (before, theirs):
            await run_in_db(move_order, order.public_id, OrderState.PACKED, world.zhang)
        told = await li.event("order.changed")
        assert told["data"] == {
            "order_id": str(before.public_id),
            "number": before.number,
            "state": "packed",
        }
        told = await wang.event("order.changed")
        assert told["data"]["order_id"] == str(theirs.public_id)
        assert (len(li.events), len(wang.events)) == (1, 1)


async def test_money_asked_back_and_paid_back_is_told(site: str, world: World) -> None:
    order = await run_in_db(li_orders, world)
    for to in (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED):
        await run_in_db(move_order, order.public_id, to, world.zhang)
    async with mine(site, world.li) as li:
        claim = await run_in_db(ask_refund, order.public_id, world.li, "One was bruised.", 1000)
        await run_in_db(answer_claim, claim.public_id, world.zhang, accept=True)
        await li.until(lambda: any(one["type"] == "refund.changed" for one in li.events))
        told = [(event["type"], event["data"]["state"]) for event in li.events]
        assert ("claim.changed", "open") in told
        assert ("claim.changed", "accepted") in told
        refund = next(event for event in li.events if event["type"] == "refund.changed")
        assert (refund["data"]["amount_minor"], refund["data"]["number"]) == (1000, order.number)


async def test_what_happened_meanwhile_is_told_to_who_comes_back(site: str, world: World) -> None:
    order = await run_in_db(li_orders, world)
    async with mine(site, world.li) as li:
        await li.close()
        await run_in_db(move_order, order.public_id, OrderState.PACKED, world.zhang)
        li._first = {"ticket": tickets.issue(world.li.public_id)}
        await li.resume()
        assert li.hello["recovered"]
        assert (await li.event("order.changed"))["data"]["state"] == "packed"


async def test_nothing_is_done_here_and_nobody_is_counted(site: str, world: World) -> None:
    async with mine(site, world.li) as li:
        with pytest.raises(Refused) as refused:
            await li.command("react", kind="like")
        assert refused.value.code == "not_allowed"
        assert li.now == {"viewers": 0}


async def test_who_signs_out_hears_no_more(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MyDoor, "recheck_s", 0.05)
    async with mine(site, world.li) as li:
        await run_in_db(lambda: User.objects.filter(pk=world.li.pk).update(is_active=False))
        await li.until(lambda: li.close_code is not None)
        assert li.close_code == 4401
