"""The room as its clients see it, over real sockets with the real database."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from core.accounts.models import User
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.sockets import AsgiSocket
from orders.models import Order
from orders.services.offers import put_on_sale
from streams import consumers, resume
from streams.client import Refused, RoomClient, RoomClosed
from streams.door import Door
from streams.models import Audience, Mute, ShowState
from tests.realtime import until
from tests.world import World

TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}


def room(site: str, world: World, user: User | None = None, **more: Any) -> RoomClient:
    ticket = tickets.issue(user.public_id) if user else None
    return RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket, **more)


async def change(row: Any, **values: Any) -> None:
    await run_in_db(lambda: type(row).objects.filter(pk=row.pk).update(**values))


def apples(world: World, **more: Any) -> dict[str, Any]:
    line = {"offer_id": str(world.apple_offer.public_id), "quantity": 2, "price_minor": 3590}
    of_line = {name: more.pop(name) for name in line.keys() & more.keys()}
    usual = {"key": "first-click", "lines": [line | of_line], "delivery": TO_LI}
    return usual | more


# Coming in


async def test_a_stranger_sees_the_room_as_it_is(site: str, world: World) -> None:
    async with room(site, world) as viewer:
        assert viewer.hello["recovered"] is False
        assert viewer.hello["you"] == {
            "signed_in": False,
            "id": None,
            "name": None,
            "role": "viewer",
            "muted": False,
            "muted_until": None,
        }
        assert viewer.snapshot["show"]["title"] == world.show.title
        assert viewer.snapshot["show"]["host"] == "Zhang"
        assert [offer["available"] for offer in viewer.snapshot["offers"]] == [40, 12]
        assert viewer.snapshot["pinned"] is None
        assert viewer.snapshot["viewers"] == 1


@pytest.mark.parametrize(
    ("name", "role"), [("li", "viewer"), ("zhang", "host"), ("zhao", "operator"), ("gao", "viewer")]
)
async def test_a_ticket_tells_who_comes(site: str, world: World, name: str, role: str) -> None:
    user: User = getattr(world, name)
    async with room(site, world, user) as viewer:
        assert viewer.hello["you"]["id"] == str(user.public_id)
        assert viewer.hello["you"]["role"] == role


async def test_a_ticket_works_once(site: str, world: World) -> None:
    first = room(site, world, world.li)
    async with first:
        pass
    with pytest.raises(RoomClosed) as refused:
        await (
            room(site, world, None)
            .__class__(f"ws://{site}", world.show.public_id, ticket=first.ticket)
            .open()
        )
    assert refused.value.code == 4401


@pytest.mark.parametrize("ticket", ["", "made-up", "a:b:c"])
async def test_a_ticket_that_is_none_is_refused(site: str, world: World, ticket: str) -> None:
    client = RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)
    with pytest.raises(RoomClosed) as refused:
        await client.open()
    assert refused.value.code == 4401


async def test_a_browser_comes_by_its_cookie(site: str, world: World) -> None:
    cookie = await run_in_db(session_cookie, world.li)
    async with room(site, world, cookie=cookie, origin=f"http://{site}") as viewer:
        assert viewer.hello["you"]["name"] == "Li"


async def test_a_page_of_another_site_cannot_use_the_cookie(site: str, world: World) -> None:
    cookie = await run_in_db(session_cookie, world.li)
    with pytest.raises(RoomClosed) as refused:
        await room(site, world, cookie=cookie, origin="https://evil.example").open()
    assert refused.value.code == 4403


async def test_an_origin_that_cannot_be_read_is_another_site(site: str, world: World) -> None:
    with pytest.raises(RoomClosed) as refused:
        await room(site, world, origin="http://[").open()
    assert refused.value.code == 4403


async def test_no_cookie_can_be_read_in_a_token_or_in_the_counting_of_viewers(
    site: str, world: World
) -> None:
    cookie = f"{settings.CSRF_COOKIE_NAME}=a-secret-of-the-browser"
    async with room(site, world, cookie=cookie, origin=f"http://{site}") as viewer:
        token = resume.read(viewer.hello["resume"], show_id=world.show.public_id, session="")
        [key] = running.current().hub.viewer_keys(world.show.topic)
        assert key == token.viewer_key
        assert "secret" not in key
        async with room(site, world, cookie=cookie, origin=f"http://{site}"):
            assert list(running.current().hub.viewer_keys(world.show.topic)) == [key]


async def test_a_cookie_without_an_origin_is_not_looked_at(site: str, world: World) -> None:
    cookie = await run_in_db(session_cookie, world.li)
    async with room(site, world, cookie=cookie) as viewer:
        assert viewer.hello["you"]["signed_in"] is False


def session_cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def test_an_unknown_show_closes_with_4404(site: str, world: World) -> None:
    client = RoomClient(f"ws://{site}", world.li.public_id)
    with pytest.raises(RoomClosed) as refused:
        await client.open()
    assert refused.value.code == 4404


@pytest.mark.parametrize(("name", "code"), [(None, 4401), ("li", 4403)])
async def test_a_show_by_invitation_is_closed_to_others(
    site: str, world: World, name: str | None, code: int
) -> None:
    await change(world.show, audience=Audience.INVITED)
    with pytest.raises(RoomClosed) as refused:
        await room(site, world, getattr(world, name) if name else None).open()
    assert refused.value.code == code


async def test_a_show_by_invitation_is_open_to_its_host(site: str, world: World) -> None:
    await change(world.show, audience=Audience.INVITED)
    async with room(site, world, world.zhang) as host:
        assert host.hello["you"]["role"] == "host"


# Chat


async def test_what_one_says_all_hear(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world) as stranger:
        answer = await li.command("chat.send", text="how heavy is a box?")
        heard = await stranger.event("chat.message")
        assert heard["seq"] == answer["seq"]
        assert heard["data"] == {
            "text": "how heavy is a box?",
            "name": "Li",
            "user_id": str(world.li.public_id),
            "role": "viewer",
            "question": True,
        }
        assert await li.event("chat.message") == heard


async def test_a_newcomer_finds_what_was_said(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        await host.command("chat.send", text="welcome")
    async with room(site, world) as viewer:
        [said] = viewer.snapshot["chat"]
        assert (said["data"]["text"], said["data"]["role"]) == ("welcome", "host")
        assert said["seq"] == viewer.hello["seq"]


@pytest.mark.parametrize(
    ("do", "data"),
    [
        ("chat.send", {"text": "hello"}),
        ("chat.remove", {"seq": 1}),
        ("product.unpin", {}),
    ],
)
async def test_a_stranger_is_asked_to_sign_in(
    site: str, world: World, do: str, data: dict[str, Any]
) -> None:
    async with room(site, world) as stranger:
        with pytest.raises(Refused) as refused:
            await stranger.command(do, **data)
        assert refused.value.code == "sign_in_required"
        assert stranger.seq == 0


async def test_a_removed_message_is_gone_for_newcomers_and_returners(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        away = room(site, world)
        await away.open()
        await away.close()
        said = await li.command("chat.send", text="buy at my shop instead")
        await host.command("chat.remove", seq=said["seq"])
        assert (await li.event("chat.removed"))["data"] == said
        await away.resume()
        await away.event("chat.removed")
        assert [event["type"] for event in away.events] == ["tombstone", "chat.removed"]
        await away.close()
        async with room(site, world) as newcomer:
            assert newcomer.snapshot["chat"] == []


@pytest.mark.parametrize(
    ("do", "data"),
    [("chat.remove", {"seq": 1}), ("product.unpin", {})],
)
async def test_a_viewer_cannot_do_what_the_host_does(
    site: str, world: World, do: str, data: dict[str, Any]
) -> None:
    async with room(site, world, world.gao) as viewer:
        await viewer.command("chat.send", text="hello")
        with pytest.raises(Refused) as refused:
            await viewer.command(do, **data)
        assert refused.value.code == "not_allowed"
        await viewer.command("chat.send", text="bye")
        await viewer.until(lambda: viewer.seq == 2)
        assert [event["data"]["text"] for event in viewer.events] == ["hello", "bye"]


async def test_a_muted_viewer_stays_quiet_and_may_still_watch(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        await host.command("viewer.mute", user_id=str(world.li.public_id))
        with pytest.raises(Refused) as refused:
            await li.command("chat.send", text="hello")
        assert refused.value.code == "muted"
        await li.event("viewer.muted")
    async with room(site, world, world.li) as again:
        assert again.hello["you"]["muted"] is True


async def test_a_viewer_cannot_mute_the_host(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        with pytest.raises(Refused) as refused:
            await li.command("viewer.mute", user_id=str(world.zhang.public_id))
        assert refused.value.code == "not_allowed"
    assert not await run_in_db(Mute.objects.exists)


async def test_chat_is_slowed_down_and_says_for_how_long(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.li) as other_tab:
        for number in range(5):
            await (li if number % 2 else other_tab).command("chat.send", text=f"first {number}")
        with pytest.raises(Refused) as refused:
            await li.command("chat.send", text="first!")
        assert refused.value.code == "too_many"
        assert 0 < refused.value.error["retry_after"] <= 2


class ClosedSocket(AsgiSocket):
    """Only remembers with what it was closed."""

    def __init__(self) -> None:
        super().__init__(self._nowhere)

    async def _nowhere(self, message: Any) -> None:
        raise AssertionError("nothing is sent here")

    def answer(self, text: str) -> bool:
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.code = code


def test_haste_is_forgiven_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host's page that is refused a few times a minute stays; one that never stops does not."""
    scope = {
        "url_route": {"kwargs": {"show_id": uuid4()}},
        "headers": [],
        "query_string": b"",
    }
    patient, hasty = (consumers.Visit(Door, scope, ClosedSocket()) for _ in range(2))
    seconds = iter(range(0, 10**6, 10))
    with monkeypatch.context() as slowly:
        slowly.setattr(time, "monotonic", lambda: next(seconds))
        for _ in range(2 * consumers.REFUSALS_AT_MOST):
            patient._slow_down(1.0)
    assert patient._socket.code is None
    with monkeypatch.context() as at_once:
        at_once.setattr(time, "monotonic", lambda: 0.0)
        for _ in range(consumers.REFUSALS_AT_MOST + 1):
            hasty._slow_down(1.0)
    assert hasty._socket.code == 4429


async def test_a_message_sent_again_with_its_key_is_one_message(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.li) as other_tab:
        answers = [
            await tab.command("chat.send", text="how heavy?", key="first")
            for tab in (li, other_tab) * 4
        ]
        assert len({answer["seq"] for answer in answers}) == 1
        other = await li.command("chat.send", text="how heavy?", key="second")
        await li.until(lambda: li.seq >= other["seq"])
        assert len([event for event in li.events if event["type"] == "chat.message"]) == 2


async def test_nobody_can_use_up_the_keys_of_another(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.gao) as gao:
        first = await li.command("chat.send", text="mine", key="first")
        assert (await gao.command("chat.send", text="mine", key="first"))["seq"] != first["seq"]


@pytest.mark.parametrize("key", ["", "k" * 65, 7])
async def test_a_key_is_short_text(site: str, world: World, key: object) -> None:
    async with room(site, world, world.li) as li:
        with pytest.raises(Refused) as refused:
            await li.command("chat.send", text="hello", key=key)
        assert refused.value.error["field"] == "key"


async def test_an_ended_show_takes_no_chat(site: str, world: World) -> None:
    await change(world.show, state=ShowState.ENDED)
    async with room(site, world, world.li) as li:
        with pytest.raises(Refused) as refused:
            await li.command("chat.send", text="too late?")
        assert refused.value.code == "show_not_live"


async def test_a_closed_account_cannot_speak_through_an_open_socket(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li:
        await change(world.li, is_active=False)
        with pytest.raises(Refused) as refused:
            await li.command("chat.send", text="still here")
        assert refused.value.code == "sign_in_required"


# Pins, orders, stock


async def test_a_pinned_product_is_seen_by_all_and_by_newcomers(site: str, world: World) -> None:
    offer_id = str(world.apple_offer.public_id)
    async with room(site, world, world.zhang) as host, room(site, world) as viewer:
        await host.command("product.pin", offer_id=offer_id)
        pinned = await viewer.event("product.pinned")
        assert pinned["data"]["offer"]["id"] == offer_id
        assert pinned["data"]["offer"]["available"] == 40
    async with room(site, world) as newcomer:
        assert newcomer.snapshot["pinned"]["id"] == offer_id


async def test_pinning_twice_is_told_once(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        await host.command("product.pin", offer_id=str(world.apple_offer.public_id))
        await host.command("product.pin", offer_id=str(world.apple_offer.public_id))
        await host.command("product.unpin")
        await host.event("product.unpinned")
        assert [event["type"] for event in host.events] == ["product.pinned", "product.unpinned"]


async def test_an_offer_of_nobody_cannot_be_pinned(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        with pytest.raises(Refused) as refused:
            await host.command("product.pin", offer_id=str(world.show.public_id))
        assert (refused.value.code, refused.value.error["field"]) == ("not_found", "offer_id")


async def test_an_order_is_seen_by_all_with_the_new_stock(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world) as stranger:
        placed = (await li.command("order.place", **apples(world)))["order"]
        assert (placed["total_minor"], placed["state"]) == (7180, "placed")
        told = await stranger.event("order.placed")
        assert told["data"]["buyer"] == "L**"
        assert [line["quantity"] for line in told["data"]["lines"]] == [2]
        stock = await stranger.event("stock.changed")
        assert stock["data"]["variant_id"] == str(world.apples.public_id)
        assert stock["data"]["available"] == 38
        assert "River Street" not in repr(stranger.events)


async def test_a_repeated_click_gives_the_same_order(site: str, world: World) -> None:
    async with room(site, world, world.li) as li, room(site, world, world.li) as other_tab:
        answers = await asyncio.gather(
            *(tab.command("order.place", **apples(world)) for tab in (li, other_tab, li))
        )
        assert len({answer["order"]["id"] for answer in answers}) == 1
    assert await run_in_db(Order.objects.count) == 1


@pytest.mark.parametrize(
    ("change_it", "code", "field"),
    [
        ({"quantity": 41}, "sold_out", None),
        ({"quantity": 0}, "invalid_input", "lines.0.quantity"),
        ({"quantity": "2"}, "invalid_input", "lines.0.quantity"),
        ({"price_minor": 1}, "price_changed", "lines.0.price_minor"),
        ({"colour": "red"}, "invalid_input", "colour"),
        ({"delivery": {"kind": "drone"}}, "invalid_input", "delivery.kind"),
        ({"delivery": TO_LI | {"floor": 3}}, "invalid_input", "delivery.floor"),
        ({"delivery": TO_LI | {"phone": "none"}}, "invalid_input", "delivery.phone"),
    ],
)
async def test_an_order_that_cannot_be_says_why(
    site: str, world: World, change_it: dict[str, Any], code: str, field: str | None
) -> None:
    async with room(site, world, world.li) as li:
        with pytest.raises(Refused) as refused:
            await li.command("order.place", **apples(world, **change_it))
        assert refused.value.code == code
        assert field is None or refused.value.error["field"] == field
    assert not await run_in_db(Order.objects.exists)


async def test_a_drop_opens_for_everybody_on_the_hosts_tap(site: str, world: World) -> None:
    offer = await run_in_db(
        lambda: put_on_sale(
            world.show.public_id, world.apples, price_minor=3590, on_tap=True, lasts_s=60
        )
    )
    name = str(offer.public_id)
    async with room(site, world, world.zhang) as zhang, room(site, world) as stranger:
        with pytest.raises(Refused, match="sign_in_required"):
            await stranger.command("offer.open", offer_id=name)
        with pytest.raises(Refused, match="offer_not_open"):
            await zhang.command("order.place", **apples(world))
        opened = await zhang.command("offer.open", offer_id=name)
        assert opened["closes_at_ms"] == opened["opens_at_ms"] + 60_000
        assert await zhang.command("offer.open", offer_id=name) == opened
        await stranger.until(lambda: 2 in versions_of_offers(stranger))
        closed = await zhang.command("offer.close", offer_id=name)
        assert closed["closes_at_ms"] < opened["closes_at_ms"]


def versions_of_offers(client: RoomClient) -> list[int]:
    changed = [event for event in client.events if event["type"] == "offer.changed"]
    return [event["data"]["offer"]["version"] for event in changed]


# Viewers and likes


async def test_three_tabs_of_one_person_are_one_viewer(site: str, world: World) -> None:
    async with room(site, world, world.li), room(site, world, world.li) as tab:
        async with room(site, world) as stranger:
            await stranger.until(lambda: stranger.now.get("viewers") == 2)
        await tab.until(lambda: tab.now.get("viewers") == 1)


async def test_the_host_is_no_viewer(site: str, world: World) -> None:
    async with room(site, world, world.zhang), room(site, world) as viewer:
        assert viewer.snapshot["viewers"] == 1


async def test_likes_are_counted_and_not_logged(site: str, world: World) -> None:
    async with room(site, world) as one, room(site, world) as other:
        for _ in range(3):
            await one.command("react", kind="like")
        await other.until(lambda: other.now.get("likes") == 3)
        assert one.seq == 0


# Coming back


async def test_who_comes_back_gets_what_was_missed(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host, room(site, world) as viewer:
        await host.command("chat.send", text="before")
        await viewer.event("chat.message")
        await viewer.close()
        for number in range(3):
            await host.command("chat.send", text=f"missed {number}")
        await viewer.resume()
        assert viewer.hello["recovered"] is True
        await host.command("chat.send", text="after")
        await viewer.until(lambda: viewer.seq == 5)
        texts = [event["data"]["text"] for event in viewer.events]
        assert texts == ["before", "missed 0", "missed 1", "missed 2", "after"]


@pytest.mark.parametrize(
    "position", ["epoch=old&seq=1", "epoch=&seq=", "seq=-1", "epoch=x&seq=9e9"]
)
async def test_an_unknown_position_begins_anew(site: str, world: World, position: str) -> None:
    client = room(site, world)
    client.url += "?" + position
    async with client:
        assert client.hello["recovered"] is False
        assert client.snapshot["chat"] == []


async def test_nobody_misses_or_doubles_an_entry_while_coming_and_going(
    site: str, world: World
) -> None:
    """The race that the order of joining, position and snapshot guards."""
    texts = [f"line {number}" for number in range(60)]

    async def talk(host: RoomClient) -> None:
        for text in texts:
            await host.command("chat.send", text=text)

    async def come_and_go(viewer: RoomClient) -> list[str]:
        known: list[str] = []
        while len(known) < len(texts):
            await viewer.resume()
            if not viewer.hello["recovered"]:
                known = [event["data"]["text"] for event in viewer.snapshot["chat"]]
            await viewer.until(lambda: viewer.events or viewer.seq >= len(texts))
            known += [event["data"]["text"] for event in viewer.events]
            viewer.events = []
        return known

    viewers = [room(site, world) for _ in range(4)]
    async with room(site, world, world.zhang) as host:
        known = await asyncio.gather(talk(host), *(come_and_go(viewer) for viewer in viewers))
    for seen in known[1:]:
        assert seen == texts
    for viewer in viewers:
        await viewer.close()


async def test_a_stopping_server_asks_everybody_to_come_back(site: str, world: World) -> None:
    from core.realtime import runtime

    client = room(site, world)
    await client.open()
    await runtime.current().hub.stop()
    await until(lambda: client.close_code)
    assert client.close_code == 4503
