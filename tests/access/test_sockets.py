"""Every socket and every command against the table of who may what."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.accounts.models import User
from core.realtime import tickets
from core.realtime.db import run_in_db
from livecommerce.asgi import sockets
from sellers.models import MemberRole
from sellers.services import people
from streams.client import Refused, RoomClient, RoomClosed
from streams.models import Audience, Show
from streams.protocol import COMMANDS
from tests.access import table
from tests.access.routes import session_of
from tests.streams.test_room import TO_LI
from tests.world import World, person

WHO = table.IN_ROOMS
LET_IN = 0
NOT_ALLOWED, SIGN_IN = "not_allowed", "sign_in_required"


def crew(world: World) -> dict[str, User | None]:
    """As in the estate: a show of a host who was removed, kept by another and by a packer."""
    removed, packer = person("hu", "Hu"), person("pan", "Pan")
    people.add_member(world.farm, removed, MemberRole.OWNER)
    world.show.host = removed
    world.show.save()
    people.remove_member(world.farm, removed)
    people.add_member(world.farm, packer, MemberRole.PACKER)
    found = (None, world.li, world.gao, removed, packer, world.zhang, world.zhao)
    return dict(zip(WHO, found, strict=True))


def test_every_socket_is_in_the_table() -> None:
    assert isinstance(sockets, URLRouter)
    patterns = [str(one.pattern) for one in sockets.routes]
    assert [one for one in patterns if one] == [f"ws/{name}" for name in table.SOCKETS]


async def came_in(site: str, path: str, user: User | None) -> int:
    """0, or the code with which the socket was closed."""
    ticket = tickets.issue(user.public_id) if user else None
    client = RoomClient(f"ws://{site}", "", ticket=ticket)
    client.url = f"ws://{site}/ws/{path}"
    try:
        await client.open()
    except RoomClosed as closed:
        return closed.code or -1
    finally:
        await client.close()
    return LET_IN


async def watches(site: str, show: Show, user: User | None) -> int:
    """At the socket of the picture."""
    ticket = tickets.issue(user.public_id) if user else None
    async with connect(f"ws://{site}/ws/live/{show.public_id}/", proxy=None) as socket:
        return await _told(socket, {"ticket": ticket})


async def films(site: str, show: Show, user: User | None) -> int:
    """At the socket of cameras, from a page: it tries its uplink."""
    session = await run_in_db(session_of, user) if user else ""
    headers = {"Origin": f"http://{site}", "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
    url = f"ws://{site}/ws/ingest/{show.public_id}/"
    async with connect(url, proxy=None, additional_headers=headers) as socket:
        return await _told(socket, {"probe": {"key": None}})


async def _told(socket: ClientConnection, first: dict[str, Any]) -> int:
    await socket.send(json.dumps(first))
    try:
        while "error" in json.loads(await socket.recv()):
            pass  # and the close follows
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else -1
    return LET_IN


async def test_each_socket_lets_in_whom_the_table_says(site: str, world: World) -> None:
    everyone = await run_in_db(crew, world)
    found = {}
    for audience in (Audience.PUBLIC, Audience.INVITED):
        await run_in_db(Show.objects.filter(pk=world.show.pk).update, audience=audience)
        for name in ("shows/<id>/", "studio/<id>/", "me/"):
            path = name.replace("<id>", str(world.show.public_id))
            codes = [await came_in(site, path, user) for user in everyone.values()]
            found[name.partition("/")[0], str(audience)] = [str(code) for code in codes]
        for name, come in (("live", watches), ("ingest", films)):
            codes = [await come(site, world.show, user) for user in everyone.values()]
            found[name.partition("/")[0], str(audience)] = [str(code) for code in codes]
    assert found == table.who_comes_in()


def asked(world: World, message: str) -> dict[str, dict[str, Any]]:
    """Each command, with what it needs to be understood."""
    named = {"id": message}
    nobody = {"user_id": str(world.wang.public_id)}
    offer = {"offer_id": str(world.apple_offer.public_id)}
    line = {**offer, "quantity": 1, "price_minor": 3590}
    data: dict[str, dict[str, Any]] = {
        "chat.send": {"text": "Are they sweet?"},
        "chat.pin": named,
        "chat.answer": named,
        "chat.unanswer": named,
        "chat.remove": named,
        "chat.restore": named,
        "viewer.mute": nobody,
        "viewer.unmute": nobody,
        "viewer.ban": nobody,
        "viewer.unban": nobody,
        "room.slow_mode": {"every_s": 0},
        "product.pin": offer,
        "offer.open": offer,
        "offer.close": offer,
        "react": {"kind": "like"},
        "host.voice": {"is_heard": True},
        "order.place": {"key": "once", "lines": [line], "delivery": TO_LI},
    }
    return {do: data.get(do, {}) for do in COMMANDS}


async def tried(client: RoomClient, do: str, data: dict[str, Any]) -> str:
    """Whether they may: what cannot be done just now is told to who may."""
    try:
        await client.command(do, **data)
    except Refused as refused:
        answer = refused.code
    else:
        answer = ""
    assert answer != "invalid_input", do
    return {NOT_ALLOWED: "-", SIGN_IN: "?"}.get(answer, "+")


async def test_each_command_is_done_for_whom_the_table_says(site: str, world: World) -> None:
    everyone = await run_in_db(crew, world)
    found: dict[str, list[str]] = {do: [] for do in COMMANDS}
    async with AsyncExitStack() as stack:
        clients = {}
        for who, user in everyone.items():
            ticket = tickets.issue(user.public_id) if user else None
            room = RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)
            clients[who] = await stack.enter_async_context(room)
        said = await clients["host"].command("chat.send", text="Ask away")
        for do, data in asked(world, said["id"]).items():
            for who in WHO:
                found[do].append(await tried(clients[who], do, data))
    assert found == table.commands()


async def test_where_one_only_listens_nothing_is_done(site: str, world: World) -> None:
    """In the studio and in one's own topic, also for who may do all of it in the room."""
    for path in (f"studio/{world.show.public_id}/", "me/"):
        client = RoomClient(f"ws://{site}", "", ticket=tickets.issue(world.zhang.public_id))
        client.url = f"ws://{site}/ws/{path}"
        async with client:
            for do, data in asked(world, str(world.show.public_id)).items():
                assert (await tried(client, do, data) == "-") == (do != "ping"), do
