"""The room on stage: a server, perhaps a Redis, proxies between them, and two thousand viewers."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from core.models import OutboxFact
from core.realtime import tickets
from core.realtime.db import run_in_db
from tests.chaos import truth
from tests.chaos.actors import Actor, Goods, Traffic
from tests.chaos.people import People
from tests.chaos.proxy import ProxyProcess
from tests.chaos.viewer import Crowd, Rules, Viewer
from tests.livecommerce.command import migrate
from tests.redis_server import RedisServer, redis_server
from tests.server import Served, serving

COMING_AT_ONCE = 100
ALL_IN_WITHIN_S = 120.0
LEVEL_WITHIN_S = 60.0
SQL_COUNT = "livecommerce_sql_queries_total"
# So that every message can be checked. Facts are never thinned.
NO_THINNING = {"LIVECOMMERCE_CHAT_LINES_PER_S": "0"}


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a run is."""

    viewers: int = 2000
    speakers: int = 120
    buyers: int = 10
    chat_per_s: float = 50.0
    pins_per_s: float = 5.0
    orders_per_s: float = 2.0
    beat: int = 250
    """So many messages are said between the acts of a scene."""


def low_port() -> int:
    """A free port that no client is given as its own.

    Thousands who knock on a dead server's port would sooner or later be given just this port, and
    be connected with themselves.
    """
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Stage:
    """Everything that a scene can reach."""

    scale: Scale
    served: Served
    crowd: Crowd
    traffic: Traffic
    people: People
    proxy: ProxyProcess | None = None
    redis: RedisServer | None = None
    redis_proxy: ProxyProcess | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def topic(self) -> str:
        return f"show:{self.people.show}"

    async def fill(self) -> float:
        """Let everybody in, some at a time; the seconds that it took."""
        began = time.perf_counter()
        for viewer in self.crowd.viewers:
            if not viewer.has_come:
                await until(self._has_room, ALL_IN_WITHIN_S, "a place at the door")
                viewer.come_in()
        await until(self.all_in, ALL_IN_WITHIN_S, "everybody in", self.crowd)
        return time.perf_counter() - began

    def _has_room(self) -> bool:
        coming = sum(viewer.has_come and not viewer.is_in for viewer in self.crowd.viewers)
        return coming < COMING_AT_ONCE

    def all_in(self) -> bool:
        return self.crowd.inside == len(self.crowd.viewers)

    def show_goes_on(self) -> None:
        scale = self.scale
        self.traffic.begin(
            chat_per_s=scale.chat_per_s,
            pins_per_s=scale.pins_per_s,
            orders_per_s=scale.orders_per_s,
        )

    async def a_while(self, beats: float = 1.0, within_s: float = 60.0) -> None:
        """Until so many more messages were said and acknowledged."""
        goal = self._acknowledged() + int(beats * self.scale.beat)
        await until(lambda: self._acknowledged() >= goal, within_s, "the show to go on")

    def _acknowledged(self) -> int:
        return sum(len(actor.done) for actor in self.traffic.speakers)

    async def come_to_rest(self) -> bool:
        """Nobody begins anything; all that was begun is done, stored and told to everybody.

        `False` if that did not happen in time: then the verdict says who misses what.
        """
        self.traffic.pause()
        give_up_at = time.perf_counter() + LEVEL_WITHIN_S
        while time.perf_counter() < give_up_at:
            if self.all_in() and not self.traffic.unanswered and await run_in_db(self._is_level):
                return True
            await asyncio.sleep(0.2)
        return False

    def everybody_out(self) -> None:
        for viewer in self.crowd.viewers:
            viewer.leave()

    def _is_level(self) -> bool:
        if OutboxFact.objects.filter(sent_at=None).exists():
            return False
        places = {(viewer.epoch, viewer.seq) for viewer in self.crowd.viewers}
        if len(places) != 1:
            return False
        return truth.is_stored(self.topic, *places.pop())

    def why_not_level(self) -> str:
        places = sorted({(one.epoch[:6], one.seq) for one in self.crowd.viewers})
        waiting = OutboxFact.objects.filter(sent_at=None).count()
        last = max(self.crowd.viewers, key=lambda one: one.seq)
        return (
            f"in: {self.crowd.inside}, unanswered: {self.traffic.unanswered}, "
            f"facts waiting: {waiting}, "
            f"all stored: {truth.is_stored(self.topic, last.epoch, last.seq)}, "
            f"places: {places[:3]} to {places[-3:]} ({len(places)})"
        )

    async def sql(self) -> Counter[str]:
        """How many statements the server has run in the threads that ask for sockets, by the name
        of what asked."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{self.served.url}/metrics", timeout=10)).text
        return Counter(
            {
                sample.labels["by"]: int(sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == SQL_COUNT and sample.labels["thread"] == "db"
            }
        )

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.served.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


async def until(
    condition: Callable[[], object], within_s: float, what: str, crowd: object = ""
) -> None:
    give_up_at = time.perf_counter() + within_s
    while not condition():
        assert time.perf_counter() < give_up_at, f"waited {within_s:g} s in vain for {what} {crowd}"
        await asyncio.sleep(0.02)


@contextmanager
def house(data: Path, *, redis_url: str | None, server: str) -> Iterator[Served]:
    """A web process on this data."""
    environment = dict(NO_THINNING)
    if redis_url:
        environment["REDIS_URL"] = redis_url
    with serving(data, server=server, port=low_port(), env=environment) as served:
        yield served


def build_template(folder: Path, scale: Scale, environment: dict[str, str]) -> None:
    """An instance with everybody in it, to be copied for each scene."""
    run = {"env": environment, "check": True, "timeout": 120}
    migrate(folder)
    build = (
        "import django; django.setup(); from pathlib import Path; from tests.chaos import people; "
        f"people.build(Path({str(folder)!r}), speakers={scale.speakers}, buyers={scale.buyers})"
    )
    subprocess.run([sys.executable, "-c", build], **run)
    (folder / "world-built").touch()


@asynccontextmanager
async def on_stage(
    data: Path,
    scale: Scale,
    *,
    with_redis: str | None = None,
    with_proxy: bool = False,
    rules: Rules | None = None,
    server: str = "uvicorn",
) -> AsyncIterator[Stage]:
    """Everything runs, and nobody is there yet."""
    with ExitStack() as stack:
        redis = redis_proxy = proxy = None
        if with_redis is not None:
            redis = stack.enter_context(redis_server(with_redis))
            redis_proxy = await ProxyProcess.start(redis.port, low_port())
        redis_url = f"redis://127.0.0.1:{redis_proxy.port}/0" if redis_proxy else None
        served = stack.enter_context(house(data, redis_url=redis_url, server=server))
        people = People.read(data)
        port = int(served.address.rsplit(":", 1)[1])
        if with_proxy:
            proxy = await ProxyProcess.start(port, low_port())
        crowd = Crowd("127.0.0.1", proxy.port if proxy else port, people.show, _ticket)
        crowd.rules = rules or Rules()
        stage = Stage(
            scale,
            served,
            crowd,
            _cast(crowd, people, scale),
            people,
            proxy,
            redis,
            redis_proxy,
            stack,
        )
        watching = asyncio.ensure_future(crowd.watch_lines())
        try:
            yield stage
        finally:
            stage.traffic.pause()
            watching.cancel()
            stage.everybody_out()
            for one in (proxy, redis_proxy):
                if one is not None:
                    await one.stop()


def _ticket(person: str | None) -> str | None:
    return None if person is None else tickets.issue(uuid.UUID(person))


def _cast(crowd: Crowd, people: People, scale: Scale) -> Traffic:
    """The actors first, then those who only watch."""
    speakers = [Actor(crowd, person) for person in people.speakers]
    buyers = [Actor(crowd, person) for person in people.buyers]
    host = Actor(crowd, people.host)
    actors: list[Viewer] = [*speakers, *buyers, host]
    others = [Viewer(crowd) for _ in range(scale.viewers - len(actors))]
    crowd.viewers = [*actors, *others]
    return Traffic(speakers, buyers, host, Goods(list(people.offers), people.pickup))
