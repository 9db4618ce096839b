"""Who signs out, gets another password or loses their part: what their sockets may still do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from core.realtime import runtime as running
from core.realtime.db import run_in_db
from orders.models import Order
from sellers.models import Member, MemberRole
from streams import door as door_module
from streams import doors as doors_module
from streams.client import Refused, RoomClient, RoomClosed
from streams.door import Door
from streams.models import Audience
from streams.watch import chats_of
from tests.streams.test_room import apples, change, room
from tests.world import PASSWORD, World


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def browser(site: str, world: World, client: Client) -> RoomClient:
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    return room(site, world, cookie=cookie, origin=f"http://{site}")


def new_password(user: User) -> None:
    """As from another process: nothing here hears of it."""
    changed = User.objects.get(pk=user.pk)
    changed.set_password("another-one-for-li")
    User.objects.filter(pk=user.pk).update(password=changed.password)


def end_sessions(user: User) -> None:
    """As from another process."""
    Session.objects.all().delete()


async def refused(client: RoomClient, do: str, **data: Any) -> str:
    with pytest.raises(Refused) as error:
        await client.command(do, **data)
    return error.value.code


# Signing out, and a new password


@pytest.mark.parametrize("elsewhere", [new_password, end_sessions])
@pytest.mark.parametrize("do", ["chat.send", "order.place"])
async def test_what_ends_a_page_elsewhere_ends_what_its_open_socket_may_do(
    site: str, world: World, elsewhere: Any, do: str
) -> None:
    async with browser(site, world, await run_in_db(signed_in, world.li)) as li:
        assert li.hello["you"]["name"] == "Li"
        await li.command("chat.send", text="hello")
        await run_in_db(elsewhere, world.li)
        chats_of(running.current()).at(world.show.topic, world.show.public_id).changed()
        data = apples(world) if do == "order.place" else {"text": "still here"}
        assert await refused(li, do, **data) == "sign_in_required"
        await li.until(lambda: li.close_code is not None)
        assert li.close_code == 4401
        assert not await run_in_db(Order.objects.exists)


@pytest.mark.parametrize("elsewhere", [new_password, end_sessions])
@pytest.mark.parametrize("do", ["chat.send", "order.place"])
async def test_a_token_is_no_way_around_it_nor_the_token_that_renews_it(
    site: str, world: World, elsewhere: Any, do: str
) -> None:
    async with browser(site, world, await run_in_db(signed_in, world.li)) as li:
        await run_in_db(elsewhere, world.li)
        await li.resume()
        await li.resume()
        data = apples(world) if do == "order.place" else {"text": "still here"}
        assert await refused(li, do, **data) == "sign_in_required"
        assert not await run_in_db(Order.objects.exists)


async def test_a_token_with_a_ticket_ends_with_the_password(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        await run_in_db(new_password, world.li)
        await li.resume()
        assert await refused(li, "order.place", **apples(world)) == "sign_in_required"


async def test_the_token_of_a_browser_is_of_no_use_without_its_origin(
    site: str, world: World
) -> None:
    """A cookie that no browser vouches for is not looked at, so neither is its session."""
    async with browser(site, world, await run_in_db(signed_in, world.li)) as li:
        li._origin = None
        await li.resume()
        assert li.hello["you"]["signed_in"] is False


async def test_signing_out_closes_the_sockets_of_that_session_at_once(
    site: str, world: World
) -> None:
    here, there = await run_in_db(signed_in, world.li), await run_in_db(signed_in, world.li)
    async with (
        browser(site, world, here) as li,
        browser(site, world, there) as elsewhere,
        room(site, world, world.wang) as wang,
    ):
        await run_in_db(here.post, reverse("account_logout"))
        await li.until(lambda: li.close_code is not None)
        assert li.close_code == 4401
        assert await elsewhere.command("chat.send", text="still signed in here")
        assert await wang.command("chat.send", text="me too")


async def test_a_new_password_closes_all_sockets_of_that_person_at_once(
    site: str, world: World
) -> None:
    client = await run_in_db(signed_in, world.li)
    new = {"oldpassword": PASSWORD, "password1": "quince-and-medlar", "password2": ""}
    new["password2"] = new["password1"]
    async with (
        browser(site, world, client) as li,
        room(site, world, world.li) as phone,
        room(site, world, world.wang) as wang,
    ):
        await run_in_db(client.post, reverse("account_change_password"), new)
        for one in (li, phone):
            assert await closed(one) == 4401
        assert "at_ms" in await wang.command("ping")


async def test_signing_in_elsewhere_closes_nothing(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        await run_in_db(Client().login, username="li", password=PASSWORD)
        assert await li.command("chat.send", text="still here")


# Losing one's part


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Door, "recheck_s", 0.05)


async def helps(world: World) -> Member:
    return await run_in_db(
        Member.objects.create, seller=world.farm, user=world.wang, role=MemberRole.PACKER
    )


async def closed(client: RoomClient) -> int | None:
    await client.until(lambda: client.close_code is not None)
    return client.close_code


async def test_who_no_longer_helps_hears_no_more_as_one_who_does(
    site: str, world: World, soon: None
) -> None:
    member = await helps(world)
    async with room(site, world, world.wang) as wang, room(site, world, world.zhang) as host:
        assert wang.hello["you"]["role"] == "moderator"
        await run_in_db(member.delete)
        assert await closed(wang) == 4403
        assert "at_ms" in await host.command("ping")


async def test_a_closed_account_hears_no_more_as_a_helper(
    site: str, world: World, soon: None
) -> None:
    await helps(world)
    async with room(site, world, world.wang) as wang:
        await change(world.wang, is_active=False)
        assert await closed(wang) == 4403


async def test_a_show_that_becomes_one_by_invitation_empties(
    site: str, world: World, soon: None
) -> None:
    async with (
        room(site, world, world.zhang) as host,
        room(site, world, world.li) as li,
        room(site, world) as stranger,
    ):
        await change(world.show, audience=Audience.INVITED)
        codes = await asyncio.gather(closed(li), closed(stranger))
        assert list(codes) == [4403, 4401]
        assert "at_ms" in await host.command("ping")
        for one, code in ((li, 4403), (stranger, 4401)):
            with pytest.raises(RoomClosed) as refusal:
                await one.resume()
            assert refusal.value.code == code


async def test_in_a_show_for_everybody_all_stay(site: str, world: World, soon: None) -> None:
    async with room(site, world, world.li) as li, room(site, world) as stranger:
        before = doors_module.doors_of(running.current()).at(Door, world.show.public_id).facts
        assert before is not None
        first = before.looked_at
        await li.until(lambda: before.looked_at > first)
        assert (li.close_code, stranger.close_code) == (None, None)


async def test_the_token_of_who_no_longer_helps_is_a_viewers(site: str, world: World) -> None:
    member = await helps(world)
    async with room(site, world, world.wang) as wang:
        await run_in_db(member.delete)
        await wang.resume()
        assert wang.hello["you"]["role"] == "viewer"


async def test_a_helpers_token_is_enough_as_long_as_they_help(site: str, world: World) -> None:
    await helps(world)
    async with room(site, world, world.wang) as wang:
        await wang.resume()
        assert wang.hello["you"]["role"] == "moderator"
        assert await wang.command("room.slow_mode", every_s=5) == {}


@pytest.mark.parametrize("name", [None, "li", "wang"])
async def test_no_token_opens_a_show_by_invitation(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    """Also in a process that has not heard of the show before."""
    member = await helps(world)
    client = room(site, world, getattr(world, name) if name else None)
    await client.open()
    await client.close()
    await run_in_db(member.delete)
    await change(world.show, audience=Audience.INVITED)
    monkeypatch.setattr(doors_module, "_doors", None)
    with pytest.raises(RoomClosed) as refusal:
        await client.resume()
    assert refusal.value.code == (4403 if name else 4401)


async def test_a_room_that_was_empty_is_looked_at_again(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = room(site, world, world.li)
    await client.open()
    await client.close()
    await change(world.show, audience=Audience.INVITED)
    monkeypatch.setattr(door_module, "KNOWN_FOR_S", 0.0)
    with pytest.raises(RoomClosed) as refusal:
        await client.resume()
    assert refusal.value.code == 4403
