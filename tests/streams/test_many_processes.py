"""Two web processes behind one address: real processes on one data folder, one Redis between them.

Whatever is asked of either is seen by the viewers of both, in one order; when one is killed the
other has everything.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets.exceptions import InvalidHandshake

from streams.client import RoomClient, RoomClosed
from tests.nginx import nginx
from tests.postgres import postgres_url  # noqa: F401 - a fixture
from tests.redis_server import RedisServer, redis_server
from tests.server import ROOT, Served, serving
from tests.story.people import Person
from tests.streams.camera import camera

pytestmark = pytest.mark.process

TO_LI = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}
NO_LIMITS = {"LIVECOMMERCE_CHAT_EVERY_S": "0", "LIVECOMMERCE_CHAT_LINES_PER_S": "0"}
RUN_SCRIPTS = """
import django, json, sys; django.setup()
for line in sys.stdin:
    exec(json.loads(line))
    sys.stdout.flush()
"""
# A show of its own for each test, and tickets for everybody.
NEW_SHOW = """
from core.accounts.models import User
from core.realtime import tickets
from orders.models import Offer
from sellers.models import Seller
from tests import world
farm, host = Seller.objects.get(place="Lixian"), User.objects.get(username="zhang")
show = world.show_of(farm, host, "Apples and more apples")
apples = world.variant(farm, "Huaniu apples", "5 kg", price_minor=3590, on_hand=100)
offer = Offer.objects.create(show_id=show.public_id, variant=apples, price_minor=3590)
print(json.dumps({
    "show": str(show.public_id),
    "offer": str(offer.public_id),
    "tickets": {
        user.username: [tickets.issue(user.public_id) for _ in range(4)]
        for user in User.objects.all()
    },
}))
"""
COUNT = """
from core.models import OutboxFact
from core.realtime.models import LogEntry
from orders.models import Order
from streams.models import Show
show = Show.objects.order_by("pk").last()
print(json.dumps({
    "orders": Order.objects.filter(show_id=show.public_id).count(),
    "waiting": OutboxFact.objects.filter(sent_at=None).count(),
    "dead": OutboxFact.objects.exclude(dead_at=None).count(),
    "placed": LogEntry.objects.filter(topic=show.topic, type="order.placed").count(),
    "likes": show.likes,
}))
"""


@dataclass
class Processes:
    one: Served
    two: Served
    redis: RedisServer
    beside: Beside


@dataclass
class Site(Processes):
    """Two processes, their Redis, a show, and who may come in."""

    show: str
    offer: str
    tickets: dict[str, list[str]]

    def room(self, served: Served, name: str | None = None, **more: Any) -> RoomClient:
        ticket = self.tickets[name].pop() if name else None
        return RoomClient(f"ws://{served.address}", self.show, ticket=ticket, **more)

    def order(self, key: str, **more: Any) -> dict[str, Any]:
        line = {"offer_id": self.offer, "quantity": 1, "price_minor": 3590}
        return {"key": key, "lines": [line], "delivery": TO_LI} | more

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.beside.ask(COUNT)
        return found


class Beside:
    """A process beside the others, on their database, that runs the scripts it is given."""

    def __init__(self, served: Served) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN_SCRIPTS],
            env=served.instance.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)

    def ask(self, script: str) -> Any:
        """What the script prints, as JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(script), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    data = tmp_path_factory.mktemp("instance")
    with redis_server() as redis:
        env = {**NO_LIMITS, "REDIS_URL": redis.url}
        with serving(data, env=env) as one, serving(data, env=env) as two, Beside(one) as beside:
            yield Processes(one, two, redis, beside)


@pytest.fixture
def both(processes: Processes) -> Site:
    """Both of them running, and a show that nobody has been in."""
    for served in (processes.one, processes.two):
        if served.process.poll() is not None:
            served.start()
    found = processes.beside.ask(NEW_SHOW)
    return Site(processes.one, processes.two, processes.redis, processes.beside, **found)


def seen(room: RoomClient) -> list[tuple[int, str, str]]:
    return [(event["seq"], event["type"], json.dumps(event["data"])) for event in room.events]


async def until_same(*rooms: RoomClient) -> None:
    """Until all have been told as much as the one that was told most."""
    last = max(room.seq for room in rooms)
    for room in rooms:
        await room.until(lambda room=room: room.seq >= last)  # type: ignore[misc]


async def chatter(room: RoomClient, name: str, messages: int) -> None:
    for number in range(messages):
        await room.command("chat.send", text=f"{name} {number}", key=f"{name}-{number}")


async def until_counts(site: Site, **expected: int) -> None:
    give_up_at = time.monotonic() + 30
    while (found := await asyncio.to_thread(site.counts)) != found | expected:
        assert time.monotonic() < give_up_at, found
        await asyncio.sleep(0.05)


async def test_any_process_takes_any_command_and_both_tell_the_same_in_one_order(
    both: Site,
) -> None:
    await everybody_does_everything(both)


async def test_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:  # noqa: F811
    with redis_server() as redis:
        env = {**NO_LIMITS, "REDIS_URL": redis.url, "DATABASE_URL": postgres_url}
        with (
            serving(tmp_path, env=env) as one,
            serving(tmp_path, env=env) as two,
            Beside(one) as beside,
        ):
            found = await asyncio.to_thread(beside.ask, NEW_SHOW)
            await everybody_does_everything(Site(one, two, redis, beside, **found))


async def everybody_does_everything(both: Site) -> None:
    async with AsyncExitStack() as stack:
        zhang = await stack.enter_async_context(both.room(both.one, "zhang"))
        li = await stack.enter_async_context(both.room(both.one, "li"))
        wang = await stack.enter_async_context(both.room(both.two, "wang"))
        watching = await stack.enter_async_context(both.room(both.two))

        async def buy(room: RoomClient, name: str) -> None:
            for number in range(5):
                await room.command("order.place", **both.order(f"{name}-{number}"))

        async def pin() -> None:
            for _ in range(3):
                await zhang.command("product.pin", offer_id=both.offer)
                await zhang.command("product.unpin")

        await asyncio.gather(
            chatter(li, "li", 30), chatter(wang, "wang", 30), buy(li, "li"), buy(wang, "w"), pin()
        )
        everywhere = (zhang, li, wang, watching)

        def has_all(room: RoomClient) -> bool:
            kinds = [event["type"] for event in room.events]
            sold, said, pinned = map(
                kinds.count, ("order.placed", "chat.message", "product.pinned")
            )
            return (sold, said, pinned) == (10, 60, 3)

        for room in everywhere:
            await room.until(lambda room=room: has_all(room))  # type: ignore[misc]
        await until_same(*everywhere)
        assert seen(zhang) == seen(li) == seen(wang) == seen(watching)
        assert [event["seq"] for event in li.events] == list(range(1, len(li.events) + 1))
    await until_counts(both, orders=10, waiting=0, dead=0, placed=10)


async def test_an_order_that_is_sent_again_to_the_other_process_is_the_same_order(
    both: Site,
) -> None:
    async with both.room(both.one, "li") as here, both.room(both.two, "li") as there:
        first, again = await asyncio.gather(
            here.command("order.place", **both.order("the same click")),
            there.command("order.place", **both.order("the same click")),
        )
        assert first["order"]["id"] == again["order"]["id"]
        said, repeated = await asyncio.gather(
            here.command("chat.send", text="hello", key="the same message"),
            there.command("chat.send", text="hello", key="the same message"),
        )
        assert said["seq"] == repeated["seq"]


async def test_people_are_counted_over_both_until_a_process_is_killed(both: Site) -> None:
    async with AsyncExitStack() as stack:
        li = await stack.enter_async_context(both.room(both.one, "li"))
        for served in (both.one, both.two):  # the same person in two more tabs
            await stack.enter_async_context(both.room(served, "li"))
        wang = await stack.enter_async_context(both.room(both.two, "wang"))
        await li.until(lambda: li.now.get("viewers") == 2)
        await wang.until(lambda: wang.now.get("viewers") == 2)
        both.two.kill()
        await asyncio.wait_for(li.until(lambda: li.now["viewers"] == 1), 10)


async def test_likes_are_one_number_and_outlive_the_processes(both: Site) -> None:
    async with both.room(both.one, "li") as li, both.room(both.two, "wang") as wang:
        await asyncio.gather(*(room.command("react", kind="like") for room in [li, wang] * 5))
        for room in (li, wang):
            await room.until(lambda room=room: room.now.get("likes") == 10)  # type: ignore[misc]
        both.two.kill()  # its likes are with the other
    both.one.stop()
    assert both.counts()["likes"] == 10
    both.redis.flush()
    both.one.start()
    async with both.room(both.one, "li") as li:
        await li.until(lambda: li.now.get("likes") == 10)


async def test_the_rest_goes_on_when_one_process_is_killed_in_the_middle_of_orders(
    both: Site,
) -> None:
    async with both.room(both.one, "zhang") as zhang, both.room(both.two, "li") as li:
        await chatter(zhang, "zhang", 3)

        bought = 0
        with suppress(RoomClosed):
            while bought < 30:
                await li.command("order.place", **both.order(f"click {bought}"))
                bought += 1
                if bought == 5:
                    both.two.process.send_signal(signal.SIGKILL)
        assert bought >= 5
        # Every order that was answered is told, also by the process that did not take it.
        await zhang.until(
            lambda: [e["type"] for e in zhang.events].count("order.placed") >= bought, 15
        )
        both.two.kill()
        await asyncio.to_thread(both.two.start)  # zhang goes on listening
        async with both.room(both.two, "li") as back:
            await back.command("order.place", **both.order("click 0"))  # a repeat
            await back.command("order.place", **both.order("after all that"))
            await zhang.until(lambda: zhang.seq >= back.seq)
    sold = both.counts()["orders"]
    assert sold in {bought + 1, bought + 2}
    await until_counts(both, waiting=0, dead=0, placed=sold)


async def test_facts_wait_for_redis_and_are_told_when_it_is_back(both: Site) -> None:
    async with both.room(both.one, "li", comes_back=True) as li:
        both.redis.kill()
        async with httpx.AsyncClient() as web:
            answer = await web.get(f"{both.two.url}/readyz")
        assert answer.status_code == 503
        assert "Redis does not answer" in answer.json()["missing"][0]
        both.redis.start_empty()
        await li.until(lambda: li.hellos > 1, 15)
        await li.command("order.place", **both.order("after the outage"))
        await li.event("order.placed", patience_s=15)
    await until_counts(both, orders=1, waiting=0, dead=0, placed=1)


async def until_let_in(room: RoomClient) -> None:
    """Come in as soon as the proxy listens, or has found out which process lives."""
    async with asyncio.timeout(15):
        while True:
            with suppress(OSError, InvalidHandshake):
                return await room.open()
            await asyncio.sleep(0.05)


async def test_a_show_is_stopped_at_the_process_that_has_not_its_camera(
    both: Site, recorder_film: Path
) -> None:
    key = both.beside.ask(
        "from streams.models import Show; from streams.services import ingest_keys\n"
        f"print(json.dumps(ingest_keys.issue(Show.objects.get(public_id='{both.show}'))))"
    )
    form = {"kind": "other", "words": "Call the county centre first."}
    zhao = await asyncio.to_thread(Person, both.two.url, "zhao")
    phone_at_one = camera(both.one.address, UUID(both.show))
    with closing(zhao):
        async with phone_at_one as phone, both.room(both.two) as viewer:
            await phone.hello(None, uuid4(), key=key, mime="video/x-matroska")
            await phone.film(recorder_film)
            await viewer.event("show.started")
            begun = time.monotonic()
            stop = f"/operator/shows/{both.show}/stop/"
            answer = await asyncio.to_thread(zhao.post, stop, data=form)
            assert answer.status_code == httpx.codes.FOUND
            error = (await phone.answer())["error"]
            assert error["code"] == "stopped"
            assert form["words"] in error["message"]
            assert (await viewer.event("show.ended"))["data"] == {"stopped": True}
            assert time.monotonic() - begun < 4  # half of it where little else runs


async def test_behind_nginx_viewers_of_a_killed_process_go_on_at_the_other(
    both: Site, tmp_path: Path
) -> None:
    with nginx(tmp_path, [both.one.address, both.two.address]) as address:

        def room(name: str | None = None) -> RoomClient:
            ticket = both.tickets[name].pop() if name else None
            return RoomClient(f"ws://{address}", both.show, ticket=ticket, comes_back=True)

        people = [room("li"), room("wang"), *(room() for _ in range(6))]
        for one in people:
            await until_let_in(one)
        await chatter(people[0], "before", 3)
        both.two.kill()
        async with both.room(both.one, "zhang") as zhang:
            await chatter(zhang, "after", 3)
        for one in people:
            await one.until(lambda one=one: one.seq >= 6, 20)  # type: ignore[misc]
        assert all(seen(one) == seen(people[0]) for one in people)
        assert [one.hellos for one in people].count(2) in range(1, 8)
        for one in people:
            await one.close()
