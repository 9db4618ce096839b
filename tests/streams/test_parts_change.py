"""Who loses a role, a session or the account loses their sockets within two seconds, anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from core.accounts import changes, services
from core.accounts.models import Device, Role, RoleGrant
from core.realtime.db import run_in_db
from sellers.models import Member, MemberRole
from sellers.services import people
from streams.client import RoomClient
from tests.streams.test_me_socket import mine
from tests.streams.test_room import room
from tests.streams.test_signing_out import browser, closed, signed_in
from tests.streams.test_studio_socket import studio
from tests.world import PASSWORD, World

LIMIT_S = 2.0
Change = Callable[[World], Any]


def packer(world: World) -> None:
    people.add_member(world.farm, world.wang, MemberRole.PACKER)


def removed(world: World) -> None:
    people.remove_member(world.farm, world.wang)


def removed_in_the_admin(world: World) -> None:
    Member.objects.get(user=world.wang).delete()


def removed_by_another_process(world: World) -> None:
    """Nothing in this process is told; the row of the change is all there is."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sellers_member WHERE user_id = %s", [world.wang.pk])
    listeners, changes.listeners[:] = list(changes.listeners), []
    changes.note([world.wang.pk])
    changes.listeners[:] = listeners


async def gone_in_time(clients: list[RoomClient], began: float) -> set[int | None]:
    codes = {await closed(client) for client in clients}
    assert time.monotonic() - began < LIMIT_S
    return codes


@pytest.mark.parametrize("how", [removed, removed_in_the_admin, removed_by_another_process])
async def test_who_is_removed_is_out_of_the_studio_and_no_helper_any_more(
    site: str, world: World, how: Change
) -> None:
    await run_in_db(packer, world)
    async with AsyncExitStack() as stack:
        wang = await stack.enter_async_context(room(site, world, world.wang))
        console = await stack.enter_async_context(studio(site, world, world.wang))
        host = await stack.enter_async_context(studio(site, world, world.zhang))
        began = time.monotonic()
        await run_in_db(how, world)
        assert await gone_in_time([wang, console], began) == {4403}
        assert "at_ms" in await host.command("ping")


async def test_the_host_of_a_show_who_is_removed_hosts_it_no_more(site: str, world: World) -> None:
    await run_in_db(people.add_member, world.farm, world.gao, MemberRole.OWNER)
    async with studio(site, world, world.zhang) as zhang:
        began = time.monotonic()
        await run_in_db(people.remove_member, world.farm, world.zhang)
        assert await gone_in_time([zhang], began) == {4403}
    client = await run_in_db(signed_in, world.zhang)
    ended = await run_in_db(client.post, f"/api/v1/shows/{world.show.public_id}/end")
    assert ended.status_code == 403


async def test_another_role_is_what_one_comes_back_as(site: str, world: World) -> None:
    await run_in_db(people.add_member, world.farm, world.wang, MemberRole.HOST)
    async with room(site, world, world.wang) as wang:
        assert wang.hello["you"]["role"] == "host"
        began = time.monotonic()
        await run_in_db(people.set_role, world.farm, world.wang, MemberRole.PACKER)
        assert await gone_in_time([wang], began) == {4503}
        await wang.resume()
        assert wang.hello["you"]["role"] == "moderator"


async def test_who_is_no_operator_any_more_is_out(site: str, world: World) -> None:
    async with studio(site, world, world.zhao) as zhao:
        began = time.monotonic()
        await run_in_db(services.revoke, world.zhao, Role.OPERATOR)
        assert await gone_in_time([zhao], began) == {4403}
    assert not await run_in_db(RoleGrant.objects.filter(user=world.zhao).exists)


def noted(client: Client) -> Client:
    """A browser that has opened a page."""
    client.get("/me/")
    return client


async def test_a_device_that_is_signed_out_elsewhere_is_out_at_once(
    site: str, world: World
) -> None:
    here = await run_in_db(noted, await run_in_db(signed_in, world.li))
    lost = await run_in_db(noted, await run_in_db(signed_in, world.li))
    lost_key = lost.session.session_key
    device = await run_in_db(Device.objects.get, session_key=lost_key)
    async with browser(site, world, here) as stays, browser(site, world, lost) as goes:
        began = time.monotonic()
        await run_in_db(here.post, reverse("my_device_end", args=[device.public_id]))
        assert await gone_in_time([goes], began) == {4401}
        assert "at_ms" in await stays.command("ping")
    assert not await run_in_db(Session.objects.filter(session_key=lost_key).exists)


async def test_everywhere_is_everywhere_else_also_where_no_page_was_seen(
    site: str, world: World
) -> None:
    here = await run_in_db(noted, await run_in_db(signed_in, world.li))
    unseen = await run_in_db(signed_in, world.li)
    async with (
        browser(site, world, unseen) as one,
        room(site, world, world.li) as other,
        mine(site, world.li) as own,
        room(site, world, world.gao) as gao,
    ):
        began = time.monotonic()
        await run_in_db(here.post, reverse("my_devices_end"))
        assert await gone_in_time([one, other, own], began) == {4401}
        assert "at_ms" in await gao.command("ping")
    assert (await run_in_db(here.get, "/me/")).status_code == 200
    assert (await run_in_db(unseen.get, "/me/")).status_code == 302


async def test_who_deletes_the_account_is_out_at_once(site: str, world: World) -> None:
    client = await run_in_db(signed_in, world.li)
    async with room(site, world, world.li) as li:
        began = time.monotonic()
        await run_in_db(client.post, reverse("my_leave"), {"sure": "on", "password": PASSWORD})
        assert await gone_in_time([li], began) == {4401}
