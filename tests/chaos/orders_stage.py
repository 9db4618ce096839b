"""Where the orders are fought for: a database, web processes, keepers, the bank, and who kills."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos.orders_buyers import Buyer, Crowd, Habits
from tests.chaos.orders_lines import Json
from tests.chaos.orders_till import Till
from tests.chaos.room import MODE, ROOT
from tests.server import free_port
from tests.stripe_server import KEY
from tests.stripe_wire import WEBHOOK_SECRET

STARTED_WITHIN_S = 60.0
ROLE_WITHIN_S = 120.0
RESTS_WITHIN_S = 90.0
BROKEN_RESTS_WITHIN_S = 2.0
LOOK_EVERY_S = 0.1
KEEPERS = 2
PLACING = (
    "orders.after_insert",
    "orders.before_commit",
    "orders.after_commit",
    "orders.before_ack",
)
WEB_POINTS = (
    *PLACING,
    *PLACING,
    "orders.after_cancelled",
    "orders.after_paid",
    "payments.after_open",
    "payments.after_start",
    "payments.before_settle",
    "payments.after_settle",
)
KEEPER_POINTS = ("orders.after_expired", "orders.after_paid", "refunds.after_asked")
ANY_MOMENT = "any moment"
AT_ANY_MOMENT = 0.25
PASSES = (2, 6)
LIVES = {True: (0.1, 1.0), False: (1.0, 2.5)}
"""How long processes live that are shot, and that shall reach a point: as a share of the usual."""
KEEPER_LIVES_S = (2.0, 12.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it; `kills` is what the web processes' lives are cut for, `seed` the buyers'."""

    buyers: int
    attempts: int
    kills: int
    seed: int = 1
    hasty: bool = False
    """Whether a commit need not wait for the disk: no machine loses its power here."""


class Nursery:
    """The process that forks the others, and what has become of them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._asking = asyncio.Lock()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def open(
        cls, environment: dict[str, str], log: Path, *, hasty: bool
    ) -> AsyncIterator[Nursery]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.orders_nursery", str(log), *["--hasty"] * hasty,
            env=environment, cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        nursery = cls(process)
        try:
            yield nursery
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
            await nursery._reader

    async def start(
        self, role: str, *, failpoints: str = "", broken: str = "", **how: Any
    ) -> tuple[int, asyncio.Future[int]]:
        """The new process and its end, which is its exit code."""
        async with self._asking:
            asked = {"role": role, "how": how, "failpoints": failpoints, "broken": broken}
            self._say({"do": "start", **asked})
            pid = await asyncio.wait_for(self._started.get(), STARTED_WITHIN_S)
        return pid, self._end_of(pid)

    async def run(self, role: str, **how: Any) -> None:
        """Run it to its end; raises `RuntimeError` if that was not a good one."""
        pid, ended = await self.start(role, **how)
        if code := await asyncio.wait_for(ended, ROLE_WITHIN_S):
            raise RuntimeError(f"{role} ({pid}) ended with {code}")

    def kill(self, pid: int) -> None:
        """SIGKILL, if it still runs."""
        self._say({"do": "kill", "pid": pid})

    def _say(self, what: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def _end_of(self, pid: int) -> asyncio.Future[int]:
        return self._ended.setdefault(pid, asyncio.get_running_loop().create_future())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "started" in said:
                self._ended.pop(said["started"], None)  # the system uses numbers again
                self._end_of(said["started"])
                self._started.put_nowait(said["started"])
            else:
                self._end_of(said["ended"]).set_result(said["code"])


@dataclass
class Killer:
    """Lets processes live for a while: until they reach a point at which they die, or are shot."""

    nursery: Nursery
    crowd: Crowd
    luck: random.Random
    broken: str
    each: float
    """So many attempts are answered in the life of a web process, as a rule; inf: none dies."""
    kills: Counter[str] = field(default_factory=Counter)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def webs(self, port: int) -> None:
        points = ("orders.before_commit",) if self.broken else WEB_POINTS
        while not self.stopped.is_set():
            point = self._point(points)
            lives = self.each * self.luck.uniform(*LIVES[point == ANY_MOMENT])
            await self._live("web", point, self._has_answered(lives), port=port)

    async def keepers(self) -> None:
        while not self.stopped.is_set():
            lives_s = self.luck.uniform(*KEEPER_LIVES_S) if self.each < math.inf else math.inf
            point = self._point(KEEPER_POINTS)
            await self._live("keeper", point, partial(_is_past, time.monotonic() + lives_s))

    def _point(self, points: tuple[str, ...]) -> str:
        """Where the next life shall end, if it comes there in time."""
        if self.each == math.inf or self.luck.random() < AT_ANY_MOMENT:
            return ANY_MOMENT
        return self.luck.choice(points)

    def _has_answered(self, attempts: float) -> Callable[[], bool]:
        """Whether so many more have been answered by then."""
        until = self.crowd.answered + attempts
        return lambda: self.crowd.answered >= until

    async def _live(self, role: str, point: str, is_over: Callable[[], bool], **how: Any) -> None:
        failpoints = "" if point == ANY_MOMENT else f"{point}=#{self.luck.randint(*PASSES)}"
        pid, ended = await self.nursery.start(
            role, failpoints=failpoints, broken=self.broken, **how
        )
        shot = False
        while not ended.done():
            await asyncio.wait({ended}, timeout=LOOK_EVERY_S)
            if not ended.done() and (is_over() or self.stopped.is_set()) and not shot:
                await asyncio.sleep(self.luck.uniform(0, LOOK_EVERY_S))
                self.nursery.kill(pid)
                shot = True
        if ended.result() != -signal.SIGKILL:
            raise RuntimeError(f"a {role} ended by itself with {ended.result()}")
        if not (shot and self.stopped.is_set()):
            self.kills[f"{role}: {ANY_MOMENT if shot else point}"] += 1


def _is_past(moment_s: float) -> bool:
    return time.monotonic() >= moment_s


@dataclass
class Stage:
    """One database with everything around it; several plays can be given on it, one by one."""

    folder: Path
    nursery: Nursery
    till: Till
    ports: list[int]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def play(self, scale: Scale, habits: Habits, broken: str = "") -> Json:
        """Everybody buys while processes die; then everything comes to rest, and is judged."""
        began = time.monotonic()
        self.till.forget()
        journal = self.folder / f"journal-{next(self.numbers)}.jsonl"
        scene = json.loads((self.folder / "scene.json").read_text())
        crowd = Crowd.open(scene, self.ports, journal, self.till, scale.attempts, habits)
        luck = random.Random(scale.seed)
        each = 0.8 * scale.attempts * len(self.ports) / scale.kills if scale.kills else math.inf
        killer = Killer(self.nursery, crowd, luck, broken, each)
        buyers = [Buyer(number, crowd, scale.seed) for number in range(scale.buyers)]
        async with self._dying(killer):
            await asyncio.gather(*(buyer.live() for buyer in buyers))
        bought_s = time.monotonic() - began
        async with self._living(broken):
            # What is broken may never come to rest.
            rested = await self._come_to_rest(BROKEN_RESTS_WITHIN_S if broken else RESTS_WITHIN_S)
            if not broken:
                await sell_the_rest(buyers)
        crowd.journal.close()
        found = await self._judge(journal)
        return {
            **found,
            "attempts": crowd.begun,
            "kills": killer.kills.total(),
            "kills_at": dict(killer.kills),
            "came_to_rest": rested,
            "told_to_wait": crowd.counts,
            "webhooks": self.till.told,
            "bought_s": round(bought_s, 1),
            "took_s": round(time.monotonic() - began, 1),
        }

    @asynccontextmanager
    async def _dying(self, killer: Killer) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as lives:
            for port in self.ports:
                lives.create_task(killer.webs(port))
            for _keeper in range(KEEPERS):
                lives.create_task(killer.keepers())
            try:
                yield
            finally:
                killer.stopped.set()

    @asynccontextmanager
    async def _living(self, broken: str) -> AsyncIterator[None]:
        """Nobody is killed any more."""
        started = [await self.nursery.start("web", port=port, broken=broken) for port in self.ports]
        for _keeper in range(KEEPERS):
            started.append(await self.nursery.start("keeper", hurries=False, broken=broken))
        try:
            yield
        finally:
            for pid, _ended in started:
                self.nursery.kill(pid)
            await asyncio.wait([ended for _pid, ended in started])

    async def _come_to_rest(self, within_s: float) -> bool:
        """Whether holds have ended, money went back, payments are known, and news were heard."""
        deadline = time.monotonic() + within_s
        told = self.folder / "waiting.json"
        await self.nursery.run("end_all_holds")
        while time.monotonic() < deadline:
            await self.nursery.run("waiting", out=str(told))
            if self.till.is_done and not any(json.loads(told.read_text()).values()):
                return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False

    async def _judge(self, journal: Path) -> Json:
        book, out = self.folder / "book.json", self.folder / "judged.json"
        self.till.write(book)
        await self.nursery.run("check", journal=str(journal), book=str(book), out=str(out))
        judged: Json = json.loads(out.read_text())
        return judged


async def sell_the_rest(buyers: list[Buyer]) -> None:
    """Everybody who wants tries again, until they are refused."""

    async def try_again(buyer: Buyer) -> None:
        for goods in ("apples", "pears", "pears_variant"):
            while await buyer.buy_what_is_left(buyer.wish_of([buyer.one_of(goods)])):
                continue
        for line in buyer.lines:
            line.drop()

    await asyncio.gather(*(try_again(buyer) for buyer in buyers))


@asynccontextmanager
async def on_stage(
    folder: Path, urls: dict[str, str], webs: int, buyers: int, hasty: bool
) -> AsyncIterator[Stage]:
    """`urls`: DATABASE_URL and REDIS_URL of an empty database, or nothing for SQLite."""
    ports = [free_port() for _ in range(webs)]
    till = Till(lambda: f"http://127.0.0.1:{random.choice(ports)}/api/v1/payments/stripe/webhook")
    till.start()
    environment = {
        **os.environ,
        **MODE,
        "LIVECOMMERCE_LOG_LEVEL": "WARNING",
        "LIVECOMMERCE_DATA": str(folder / "data"),
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": till.url,
        "DATABASE_URL": "",
        "REDIS_URL": "",
        **urls,
    }
    try:
        async with Nursery.open(environment, folder / "log.txt", hasty=hasty) as nursery:
            await nursery.run("migrate")
            await nursery.run("world", out=str(folder / "scene.json"), buyers=buyers)
            yield Stage(folder, nursery, till, ports)
    finally:
        till.stop()


@contextmanager
def as_before(data: Path) -> Iterator[None]:
    """Put the folder of an SQLite instance back to how it is now; nothing runs at either end."""
    kept = data.with_name("kept")
    shutil.copytree(data, kept)
    try:
        yield
    finally:
        shutil.rmtree(data)
        kept.rename(data)
