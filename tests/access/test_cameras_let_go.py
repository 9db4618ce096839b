"""Who may not film any more stops filming: phones within two seconds, encoders at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed

from core.accounts import changes, services
from core.accounts.devices import sign_out_everywhere
from core.accounts.models import Role, RoleGrant
from core.realtime.db import run_in_db
from sellers.models import Member, MemberRole
from sellers.services import people
from streams.models import EncoderStream
from streams.services import encoders, stream_keys
from streams.services.encoders import EncoderRefused
from tests.streams.camera import Camera, camera, chunks
from tests.streams.test_signing_out import signed_in
from tests.world import World

LIMIT_S = 2.0
Change = Callable[[World], Any]


@asynccontextmanager
async def filming(site: str, world: World) -> AsyncIterator[Camera]:
    """Zhang's phone, let in by the session of its browser; Gao owns the shop, too."""
    await run_in_db(people.add_member, world.farm, world.gao, MemberRole.OWNER)
    browser = await run_in_db(signed_in, world.zhang)
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={browser.cookies[name].value}"
    async with camera(site, world.show.public_id, cookie=cookie, origin=f"http://{site}") as phone:
        assert "ready" in await phone.hello(world.show, uuid.uuid4(), key=None)
        yield phone


def removed(world: World) -> None:
    people.remove_member(world.farm, world.zhang)


def made_a_packer(world: World) -> None:
    """Still one of the shop's people; a show's host films it in any role of theirs."""
    people.set_role(world.farm, world.zhang, MemberRole.PACKER)
    world.show.host = world.gao
    world.show.save()
    changes.note([world.zhang.pk])


def removed_by_another_process(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sellers_member WHERE user_id = %s", [world.zhang.pk])
    listeners, changes.listeners[:] = list(changes.listeners), []
    changes.note([world.zhang.pk])
    changes.listeners[:] = listeners


def signed_out(world: World) -> None:
    sign_out_everywhere(world.zhang)


def locked_out(world: World) -> None:
    world.zhang.is_active = False
    world.zhang.save()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (removed, 4403),
        (removed_by_another_process, 4403),
        (signed_out, 4401),
        (locked_out, 4401),
    ],
)
async def test_a_phone_is_told_and_let_go(site: str, world: World, how: Change, code: int) -> None:
    async with filming(site, world) as phone:
        began = time.monotonic()
        await run_in_db(how, world)
        assert "error" in await phone.answer()
        assert time.monotonic() - began < LIMIT_S
        assert await phone.close_code() == code


async def test_a_phone_that_never_stops_sending_is_let_go_as_well(
    site: str, world: World, recorder_film: Path
) -> None:
    number, again = next(chunks(recorder_film))

    async def send() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await phone.send(number, again)
                await asyncio.sleep(0.002)

    async with filming(site, world) as phone:
        sending = asyncio.create_task(send())
        began = time.monotonic()
        await run_in_db(removed, world)
        assert await phone.close_code() == 4403
        assert time.monotonic() - began < LIMIT_S
        await sending


async def test_another_one_of_the_shop_goes_on(site: str, world: World) -> None:
    await run_in_db(people.add_member, world.farm, world.wang, MemberRole.HOST)
    async with filming(site, world) as phone:
        await run_in_db(people.remove_member, world.farm, world.wang)
        await run_in_db(changes.note, [world.zhang.pk])
        await asyncio.sleep(1.2)  # a look has come by
        await phone.send(0, b"still here")
        assert "ack" in await phone.answer()


# Encoders, which come by a key


@pytest.fixture
def stream(world: World) -> str:
    """What Zhang's encoder sends, as the media server calls it."""
    people.add_member(world.farm, world.gao, MemberRole.OWNER)
    key = stream_keys.make_key(world.farm, world.zhang, "Studio PC")
    encoders.admit(key, name="7-abc", protocol="rtmp")
    return key


@pytest.mark.parametrize("how", [removed, locked_out, made_a_packer])
def test_an_encoder_ends_with_its_hosts_part(world: World, stream: str, how: Change) -> None:
    how(world)
    assert EncoderStream.objects.get().reason == "not_host"
    for asked in (lambda: encoders.check(stream), lambda: encoders.check_goes_on("7-abc")):
        with pytest.raises(EncoderRefused, match="not_host"):
            asked()


def test_an_operators_encoder_ends_with_the_role(world: World) -> None:
    key = stream_keys.make_key(world.farm, world.zhao, "County PC")
    world.show.host = world.zhao
    world.show.save()
    encoders.admit(key, name="8-abc", protocol="rtmp")
    services.revoke(world.zhao, Role.OPERATOR)
    assert not RoleGrant.objects.filter(user=world.zhao).exists()
    assert EncoderStream.objects.get().reason == "not_host"


def test_another_role_that_may_host_lets_it_go_on(world: World, stream: str) -> None:
    people.set_role(world.farm, world.zhang, MemberRole.HOST)
    assert Member.objects.filter(user=world.zhang).count() == 1
    encoders.check_goes_on("7-abc")
