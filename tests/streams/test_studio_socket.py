"""The socket of a show's own people: who hears it, and what it tells."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from core.accounts.models import Role, RoleGrant, User
from core.realtime import tickets
from core.realtime.db import run_in_db
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from orders.services.place import place_order
from sellers.models import Member, MemberRole
from streams.client import Refused, RoomClient, RoomClosed
from streams.models import Ban
from streams.studio_consumer import StudioDoor
from tests.world import World

TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}


def studio(site: str, world: World, user: User | None, show_id: object = None) -> RoomClient:
    ticket = tickets.issue(user.public_id) if user else None
    client = RoomClient(f"ws://{site}", str(show_id or world.show.public_id), ticket=ticket)
    client.url = client.url.replace("/ws/shows/", "/ws/studio/")
    return client


def room(site: str, world: World, user: User) -> RoomClient:
    ticket = tickets.issue(user.public_id)
    return RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)


async def refusal(client: RoomClient) -> int:
    with pytest.raises(RoomClosed) as refused:
        await client.open()
    await client.close()
    return refused.value.code


def bought(world: World, quantity: int = 2, **more: Any) -> Order:
    return place_order(
        buyer=world.li,
        key=str(uuid4()),
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.apple_offer.public_id,
                "quantity": quantity,
                "price_minor": 3590,
            }
        ],
        delivery=more.pop("delivery", TO_LI),
        **more,
    )


# Who comes in


async def test_a_stranger_is_asked_to_sign_in(site: str, world: World) -> None:
    assert await refusal(studio(site, world, None)) == 4401


async def test_a_stranger_is_kept_out_also_while_the_host_is_in(site: str, world: World) -> None:
    async with studio(site, world, world.zhang):
        assert await refusal(studio(site, world, None)) == 4401


@pytest.mark.parametrize("name", ["li", "gao", "wang", "chen"])
async def test_viewers_and_other_sellers_are_kept_out(site: str, world: World, name: str) -> None:
    assert await refusal(studio(site, world, getattr(world, name))) == 4403


async def test_a_show_that_is_not_there_is_not_found(site: str, world: World) -> None:
    assert await refusal(studio(site, world, world.zhang, uuid4())) == 4404


@pytest.mark.parametrize(("name", "role"), [("zhang", "host"), ("zhao", "operator")])
async def test_host_and_operator_come_in(site: str, world: World, name: str, role: str) -> None:
    async with studio(site, world, getattr(world, name)) as console:
        assert console.hello["you"]["role"] == role
        assert console.snapshot["orders"] == []


async def test_a_member_who_keeps_order_comes_in(site: str, world: World) -> None:
    await run_in_db(
        Member.objects.create, seller=world.farm, user=world.wang, role=MemberRole.PACKER
    )
    async with studio(site, world, world.wang) as console:
        assert console.hello["you"]["role"] == "moderator"


async def test_the_token_of_a_viewer_opens_no_studio(site: str, world: World) -> None:
    async with room(site, world, world.li) as viewer:
        token = viewer.hello["resume"]
    li = studio(site, world, world.li)
    li._first["resume"] = token
    assert await refusal(li) == 4403


async def test_who_loses_their_part_is_sent_away(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StudioDoor, "recheck_s", 0.05)
    member = await run_in_db(
        Member.objects.create, seller=world.farm, user=world.wang, role=MemberRole.PACKER
    )
    async with studio(site, world, world.zhang) as host, studio(site, world, world.wang) as helper:
        await run_in_db(member.delete)
        await helper.until(lambda: helper.close_code is not None)
        assert (helper.close_code, host.close_code) == (4403, None)
    assert await refusal(studio(site, world, world.wang)) == 4403


async def test_who_is_banned_and_then_helps_comes_in(site: str, world: World) -> None:
    await run_in_db(Ban.objects.create, show=world.show, user=world.wang)
    assert await refusal(studio(site, world, world.wang)) == 4403
    await run_in_db(RoleGrant.objects.create, user=world.wang, role=Role.OPERATOR)
    async with studio(site, world, world.wang) as console:
        assert console.hello["you"]["role"] == "operator"


# What it tells


async def test_an_order_is_told_in_full_to_the_studio_and_masked_to_the_room(
    site: str, world: World
) -> None:
    async with studio(site, world, world.zhang) as console, room(site, world, world.wang) as wang:
        order = await run_in_db(bought, world, note="ripe ones, please")
        told = await console.event("order.placed")
        assert told["data"]["order"] | {"placed_at": ""} == {
            "id": str(order.public_id),
            "number": order.number,
            "state": "placed",
            "buyer": "Li",
            "lines": [{"title": "Huaniu apples, 5 kg box", "quantity": 2}],
            "total_minor": 7180,
            "currency": "CNY",
            "delivery": "courier",
            "place": "",
            "note": "ripe ones, please",
            "placed_at": "",
        }
        masked = await wang.event("order.placed")
        assert masked["data"]["buyer"] == "L**"
        assert "8 River Street" not in str(told)


async def test_each_move_is_told_with_who_made_it(site: str, world: World) -> None:
    order = await run_in_db(bought, world)
    async with studio(site, world, world.zhang) as console:
        for state in (OrderState.PACKED, OrderState.SENT):
            await run_in_db(move_order, order.public_id, state, world.zhao)
        packed = await console.event("order.moved")
        sent = await console.event("order.moved", after=packed["seq"])
    assert [one["data"]["order"]["state"] for one in (packed, sent)] == ["packed", "sent"]
    assert [one["data"]["by"] for one in (packed, sent)] == ["Zhao", "Zhao"]


async def test_the_snapshot_has_what_was_told_before(site: str, world: World) -> None:
    order = await run_in_db(bought, world, delivery=pickup(world))
    async with room(site, world, world.zhang) as host, room(site, world, world.wang) as wang:
        await wang.command("chat.send", text="buy elsewhere")
        await host.command("viewer.mute", user_id=str(world.wang.public_id), reason="spam")
        await host.event("viewer.muted")

    async with studio(site, world, world.zhao) as console:
        await console.until(lambda: told_of_mute(console))
        snapshot = console.snapshot
    [seen] = snapshot["orders"]
    assert (seen["number"], seen["delivery"], seen["place"]) == (
        order.number,
        "pickup",
        "Village shop",
    )
    assert snapshot["figures"]["orders"] == 1
    [muted] = snapshot["muted"]
    assert (muted["name"], muted["by"], muted["reason"]) == ("Wang", "Zhang", "spam")


def pickup(world: World) -> dict[str, str]:
    point = str(world.pickup.public_id)
    return {"kind": "pickup", "point_id": point, "name": "Li", "phone": "13800138000"}


def told_of_mute(console: RoomClient) -> bool:
    """By the snapshot or, if the relay came later, by an event."""
    done = [*console.snapshot["moderation"], *console.events]
    return any(one["data"].get("action") == "mute" for one in done)


async def test_who_did_what_to_whom_is_told(site: str, world: World) -> None:
    async with (
        studio(site, world, world.zhao) as console,
        room(site, world, world.zhang) as host,
    ):
        await host.command("viewer.mute", user_id=str(world.li.public_id), reason="shouting")
        done = (await console.event("moderation.done"))["data"]
    assert (done["action"], done["actor"], done["viewer"]) == ("mute", "Zhang", "Li")
    assert (done["reason"], done["user_id"]) == ("shouting", str(world.li.public_id))


@pytest.mark.parametrize(("quantity", "low"), [(34, False), (35, True), (40, True)])
async def test_little_stock_is_told_and_enough_is_not(
    site: str, world: World, quantity: int, low: bool
) -> None:
    async with studio(site, world, world.zhang) as console:
        await run_in_db(bought, world, quantity)
        await run_in_db(bought_pears, world)  # nine of twelve: three are left
        await console.until(lambda: events(console, "stock.low", world.pears.public_id))
        told = events(console, "stock.low", world.apples.public_id)
    assert [one["available"] for one in told] == ([40 - quantity] if low else [])


def bought_pears(world: World) -> None:
    place_order(
        buyer=world.li,
        key="pears",
        show_id=world.show.public_id,
        lines=[
            {
                "offer_id": world.pear_offer.public_id,
                "quantity": 9,
                "price_minor": 2590,
            }
        ],
        delivery=TO_LI,
    )


def events(console: RoomClient, kind: str, variant_id: object) -> list[dict[str, Any]]:
    data = [event["data"] for event in console.events if event["type"] == kind]
    return [one for one in data if one["variant_id"] == str(variant_id)]


async def test_who_was_away_hears_what_was_missed(site: str, world: World) -> None:
    console = studio(site, world, world.zhang)
    await console.open()
    await run_in_db(bought, world)
    await console.event("order.placed")
    await console.close()
    second = await run_in_db(bought, world)
    await console.resume(tickets.issue(world.zhang.public_id))
    assert console.hello["recovered"] is True
    await console.until(lambda: numbers(console)[-1:] == [second.number])
    await console.close()


def numbers(console: RoomClient) -> list[str]:
    placed = [event for event in console.events if event["type"] == "order.placed"]
    return [event["data"]["order"]["number"] for event in placed]


@pytest.mark.parametrize(
    ("do", "data"),
    [
        ("chat.send", {"text": "hello"}),
        ("react", {"kind": "like"}),
        ("viewer.mute", {"user_id": str(uuid4())}),
    ],
)
async def test_nothing_is_done_here(
    site: str, world: World, do: str, data: dict[str, object]
) -> None:
    async with studio(site, world, world.zhang) as console:
        with pytest.raises(Refused) as refused:
            await console.command(do, **data)
        assert refused.value.code == "not_allowed"
        assert "at_ms" in await console.command("ping")


async def test_the_host_is_no_viewer_and_the_room_does_not_hear_the_studio(
    site: str, world: World
) -> None:
    async with studio(site, world, world.zhang), room(site, world, world.wang) as wang:
        await run_in_db(bought, world)
        await wang.event("order.placed")
        assert not [event for event in wang.events if "order" in event["data"]]
