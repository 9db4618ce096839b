"""The demo's camera and its viewers: a process that comes in through the public doors.

A show runs for ten minutes and starts anew. The camera is `livecommerce broadcast`'s, the viewers
are clients of the room protocol, like any other.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from django.conf import settings

from core.clock import now
from core.realtime import tickets
from core.realtime.db import run_in_db
from livecommerce.demo.past_show import home_of
from livecommerce.demo.practised import hold_practice
from livecommerce.demo.run import scene
from livecommerce.demo.script import HOST, Action, Buy, Pin, Say, script
from livecommerce.demo.sweep import sweep_shows
from livecommerce.demo.world import Orchard, ensure_orchard, fill_up
from streams.broadcast import BroadcastFailed, broadcast
from streams.client import Refused, RoomClient, RoomClosed
from streams.models import Show
from streams.services import ingest_keys
from streams.services.shows import end_show, schedule_show

log = logging.getLogger(__name__)

TITLE = "Apples straight from the tree 现摘现发"
SHOW_S = 600.0
EACH_PIN_S = 60.0
FIRST_PICTURE_WITHIN_S = 30.0
BREATH_S = 3.0
STOP_WITHIN_S = 2.0


def main() -> None:
    """Hold one show after the other until SIGTERM."""
    asyncio.run(_until_stopped())


async def _until_stopped() -> None:
    acting = asyncio.create_task(_hold_shows())
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({acting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if acting.done():
        acting.result()
    acting.cancel()
    # The camera would seal its take, but the server is stopping too: it does that by itself, and
    # whatever still waits for it then is cancelled with the event loop.
    await asyncio.wait({acting}, timeout=STOP_WITHIN_S)


async def _hold_shows() -> None:
    video = await run_in_db(scene)
    practising = asyncio.create_task(hold_practice(video, _server()))
    try:
        await _hold_one_by_one(video)
    finally:
        practising.cancel()


async def _hold_one_by_one(video: Path) -> None:
    while True:
        orchard, show = await run_in_db(_set_up)
        try:
            await _hold(orchard, show, video)
        except* (BroadcastFailed, RoomClosed, TimeoutError, OSError) as errors:
            log.warning("the demo's show broke off: %s", errors.exceptions)
        await run_in_db(end_show, show.public_id, orchard.zhang)
        await asyncio.sleep(BREATH_S)


def _set_up() -> tuple[Orchard, Show]:
    """Clear the last show away, fill the shelves, and announce the next one."""
    orchard = ensure_orchard()
    sweep_shows(orchard.farm, title=TITLE)
    fill_up(orchard)
    show = schedule_show(
        seller=orchard.farm,
        host=orchard.zhang,
        title=TITLE,
        scheduled_at=now(),
        offers=orchard.stalls,
    )
    return orchard, show


async def _hold(orchard: Orchard, show: Show, video: Path) -> None:
    """One show from its first picture to its last; raises what breaks it off."""
    server = _server()
    async with asyncio.TaskGroup() as group:
        camera = group.create_task(
            broadcast(
                video,
                show_id=show.public_id,
                key=ingest_keys.issue(show),
                url=f"http://{server}",
                loop=True,
                duration_s=SHOW_S,
            )
        )
        playing = group.create_task(_play(orchard, show, f"ws://{server}"))
        await camera
        playing.cancel()


def _server() -> str:
    return f"127.0.0.1:{settings.CONFIG.port}"


async def _play(orchard: Orchard, show: Show, server: str) -> None:
    async with AsyncExitStack() as room:
        people = {
            who: await room.enter_async_context(_client(server, show.public_id, user.public_id))
            for who, user in orchard.users.items()
            if who == HOST or who.startswith("demo-")
        }
        host = people[HOST]
        if host.snapshot["show"]["state"] != "live":
            await host.event("show.started", patience_s=FIRST_PICTURE_WITHIN_S)
        await _act(people, script(SHOW_S, each_pin_s=EACH_PIN_S, seed=random.getrandbits(32)))


def _client(server: str, show_id: UUID, user_id: UUID) -> RoomClient:
    return RoomClient(server, show_id, ticket=tickets.issue(user_id))


async def _act(people: dict[str, RoomClient], actions: list[Action]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for action in actions:
        await asyncio.sleep(began + action.at_s - loop.time())
        try:
            await _do(people, action)
        except Refused as refusal:  # sold out, or too fast: what happens to people in a real show
            log.info("%s: %s", action, refusal)


async def _do(people: dict[str, RoomClient], action: Action) -> None:
    match action:
        case Pin(_, good):
            offer = _offer(people[HOST], good.title)
            await people[HOST].command("product.pin", offer_id=offer["id"])
        case Say(_, who, text):
            await people[who].command("chat.send", text=text)
        case Buy(_, who, good, quantity):
            offer = _offer(people[who], good.title)
            await people[who].command(
                "order.place",
                key=str(uuid.uuid4()),
                lines=[
                    {
                        "offer_id": offer["id"],
                        "quantity": quantity,
                        "price_minor": offer["price_minor"],
                    }
                ],
                delivery=home_of(who),
            )


def _offer(room: RoomClient, title: str) -> dict[str, str]:
    offers: list[dict[str, str]] = room.snapshot["offers"]
    return next(offer for offer in offers if offer["title"].startswith(title))
