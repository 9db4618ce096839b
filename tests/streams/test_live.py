"""The live picture over real sockets: who may watch, where they begin, and when it ends."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.accounts.models import User
from core.realtime import tickets
from core.realtime.db import run_in_db
from media_pipeline.live.feed import Feed, feeds
from media_pipeline.live.parts import Part
from streams.models import Audience
from streams.services import moderation
from tests.realtime import until
from tests.streams.test_room import change
from tests.world import World

MIME = 'video/mp4; codecs="avc1.42C00D"'


class Player:
    """A viewer's socket. `seen` is what it was given: frames, and (kind, payload) of parts."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self) -> Any:
        async with asyncio.timeout(10):
            message = await self.socket.recv()
        if isinstance(message, str):
            return json.loads(message)
        kind, _wall_ms = struct.unpack_from(">Bd", message)
        return kind, message[9:]

    async def until(self, wanted: Any) -> list[Any]:
        """All up to the wanted message."""
        seen = [await self.next()]
        while seen[-1] != wanted and not (isinstance(wanted, str) and wanted in seen[-1]):
            seen.append(await self.next())
        return seen

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def close_code(self) -> int:
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def player(
    site: str, show_id: uuid.UUID, user: User | None = None, *, rendition: str = "source"
) -> AsyncIterator[Player]:
    """A program that watches, with a ticket of this person."""
    url = f"ws://{site}/ws/live/{show_id}/?rendition={rendition}"
    ticket = await run_in_db(tickets.issue, user.public_id) if user else None
    async with connect(url, proxy=None, max_size=None) as socket:
        await socket.send(json.dumps({"ticket": ticket}))
        yield Player(socket)


@asynccontextmanager
async def page(site: str, show_id: uuid.UUID, **headers: str) -> AsyncIterator[Player]:
    """As a browser: an Origin, and perhaps a cookie."""
    headers = {"Origin": f"http://{site}"} | {name.title(): text for name, text in headers.items()}
    url = f"ws://{site}/ws/live/{show_id}/"
    async with connect(url, proxy=None, additional_headers=headers) as socket:
        yield Player(socket)


def part(number: int, *, key_every: int = 5, payload: bytes = b"") -> Part:
    return Part(payload or b"part %d" % number, number * 0.1, 0.1, number % key_every == 0)


def on_air(feed: Feed) -> None:
    feed.begin(uuid.uuid4(), b"init", MIME, datetime.now(UTC))


@pytest.fixture
def source(world: World) -> Iterator[Feed]:
    feed = feeds.feed(world.show.public_id)
    yield feed
    feed.end()


async def test_a_late_joiner_begins_at_the_last_key_frame_and_goes_on_live(
    site: str, world: World, source: Feed
) -> None:
    on_air(source)
    for number in range(8):
        source.push(part(number))
    async with player(site, world.show.public_id) as late, httpx.AsyncClient() as machine:
        hello, take, init, *group = await late.until((2, b"part 7"))
        assert hello["hello"]["renditions"] == ["source"]
        assert take["take"]["mime"] == MIME
        assert init == (0, b"init")
        assert group == [(1, b"part 5"), (2, b"part 6"), (2, b"part 7")]
        source.push(part(8))
        assert await late.next() == (2, b"part 8")
        figures = (await machine.get(f"http://{site}/metrics")).text
        assert 'livecommerce_live_viewers{rendition="source"} 1.0' in figures
        await late.say(ping=7)
        assert (await late.next())["pong"] == 7
        source.end()
        assert await late.until("off")


async def test_a_new_take_begins_with_its_own_header(site: str, world: World, source: Feed) -> None:
    on_air(source)
    async with player(site, world.show.public_id) as viewer:
        await viewer.until((0, b"init"))
        source.begin(uuid.uuid4(), b"another", MIME, datetime.now(UTC))
        source.push(part(1))  # no key frame: nothing that a player could begin with
        source.push(part(5))
        take, init, first = await viewer.until((1, b"part 5"))
        assert take["take"]["id"]
        assert init == (0, b"another")
        assert first == (1, b"part 5")


async def test_another_rendition_begins_at_its_key_frame_and_until_then_the_old_goes_on(
    site: str, world: World, source: Feed
) -> None:
    on_air(source)
    source.push(part(0))
    async with player(site, world.show.public_id) as viewer:
        await viewer.until((1, b"part 0"))
        low = feeds.feed(world.show.public_id, "low")
        low.begin(uuid.uuid4(), b"small", MIME, datetime.now(UTC))
        assert (await viewer.until("renditions"))[-1]["renditions"] == ["source", "low"]
        await viewer.say(rendition="low")
        await viewer.say(ping=1)
        await viewer.until("pong")
        low.push(part(1, payload=b"low 1"))
        source.push(part(1))
        low.push(part(5, payload=b"low 5"))
        source.push(part(2))
        low.push(part(6, payload=b"low 6"))
        old, take, *rest = await viewer.until((2, b"low 6"))
        assert old == (2, b"part 1")
        assert take["take"]["rendition"] == "low"
        assert rest == [(0, b"small"), (1, b"low 5"), (2, b"low 6")]
        low.end()


# Who may watch


async def test_a_page_is_let_in_by_its_origin(site: str, world: World, source: Feed) -> None:
    async with page(site, world.show.public_id) as stranger:
        assert "hello" in await stranger.next()
        assert await stranger.next() == {"off": {}}
    async with page(site, world.show.public_id, origin="https://elsewhere.example") as foreign:
        assert await foreign.close_code() == 4403
    async with page(site, uuid.uuid4()) as lost:
        assert await lost.close_code() == 4404


async def test_a_show_by_invitation_is_for_its_own_people(site: str, world: World) -> None:
    await change(world.show, audience=Audience.INVITED)
    async with player(site, world.show.public_id) as stranger:
        assert await stranger.close_code() == 4401
    async with player(site, world.show.public_id, world.li) as li:
        assert await li.close_code() == 4403
    async with player(site, world.show.public_id, world.zhang) as host:
        assert "hello" in await host.next()


async def test_who_is_banned_loses_the_picture_within_two_seconds_and_gets_none_again(
    site: str, world: World, source: Feed
) -> None:
    on_air(source)
    async with (
        player(site, world.show.public_id, world.li) as li,
        player(site, world.show.public_id, world.wang) as wang,
    ):
        for viewer in (li, wang):
            await viewer.until((0, b"init"))
        await run_in_db(
            lambda: moderation.ban(show=world.show, actor=world.zhang, user_id=world.li.public_id)
        )
        async with asyncio.timeout(10):
            assert await li.close_code() == 4403
        source.push(part(0))
        assert await wang.until((1, b"part 0"))
    async with player(site, world.show.public_id, world.li) as again:
        assert await again.close_code() == 4403


async def test_signing_out_ends_the_picture_that_was_seen_as_that_person(
    site: str, world: World
) -> None:
    client = Client()
    await run_in_db(client.force_login, world.li)
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    async with page(site, world.show.public_id, cookie=cookie) as li:
        assert "hello" in await li.next()
        await run_in_db(client.post, reverse("account_logout"))
        assert await li.close_code() == 4401


async def test_who_leaves_is_forgotten(site: str, world: World, source: Feed) -> None:
    async with player(site, world.show.public_id) as viewer:
        await viewer.until("off")
        assert source.audience.is_wanted
    await until(lambda: not source.audience.is_wanted)


async def test_who_asks_too_often_is_closed(site: str, world: World) -> None:
    async with player(site, world.show.public_id) as hasty:
        for number in range(60):
            await hasty.say(ping=number)
        assert await hasty.close_code() == 4429
