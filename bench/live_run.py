"""The measurements of `make bench-live`, in a process of their own: `python -m bench.live_run`.

The settings are in its environment, the scale is its argument. The last line that it prints is
what was found.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django
from playwright.async_api import Playwright, async_playwright

django.setup()

from bench.live_cost import Show, cpu_pct, crowd_cost, filmed, has_low  # noqa: E402 - with models
from bench.live_pages import Lateness, browser, go_live, read_clock, watch  # noqa: E402
from bench.processes import ROOT  # noqa: E402
from tests.chaos.live_end import end_and_wait  # noqa: E402
from tests.chaos.proxy import ProxyProcess  # noqa: E402
from tests.server import Served, serving  # noqa: E402
from tests.story.people import Person  # noqa: E402

SLOW_LINE = "slow 50 1 300"
"""100 ms round trip; each 1,400 bytes have a chance of 1 % to be held up for 300 ms."""
BEGAN = time.monotonic()
VIEWERS = 100
SHOWS = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """How long, in seconds: before it is measured, each reading of the clock, each of the CPU."""

    settle_s: float
    read_s: float
    cost_s: float


@contextmanager
def house(folder: Path, *, renditions: str) -> Iterator[tuple[Served, list[Show]]]:
    """A server with shows to be filmed."""
    with serving(folder, server="uvicorn", env={"LIVECOMMERCE_LIVE_RENDITIONS": renditions}) as on:
        told = subprocess.run(
            [sys.executable, "-m", "bench.live_world", str(SHOWS)],
            env=on.instance.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        yield on, [Show(**one) for one in json.loads(told)]


async def lateness(
    served: Served, shows: list[Show], scale: Scale, parts: Collection[str]
) -> dict[str, Any]:
    """By each way over loopback, then over the slow line."""
    found: dict[str, Any] = {}
    zhang = await asyncio.to_thread(Person, served.url, "zhang")
    async with async_playwright() as playwright:
        if "direct" in parts:
            found |= await _direct(playwright, served, shows[0], zhang, scale)
        if "slow" in parts:
            slow = await _over_slow_line(playwright, served, shows[1], zhang, scale)
            found["mse_slow_line"] = slow
    return found


async def _direct(
    playwright: Playwright, served: Served, show: Show, zhang: Person, scale: Scale
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with browser(playwright, cookies=_cookies(zhang)) as farm:
        await go_live(farm, served.url, show.id)
        for way in ("mse", "hls"):
            found[way] = asdict(await _watched(playwright, served.url, show, way, scale))
        ready_s = await asyncio.to_thread(end_and_wait, zhang, uuid.UUID(show.id))
        return {**found, "replay_ready_s": ready_s}


async def _over_slow_line(
    playwright: Playwright, served: Served, show: Show, zhang: Person, scale: Scale
) -> dict[str, Any]:
    """Both browsers have lines of that kind, whose lost packets are not the same."""
    async with AsyncExitStack() as stack:
        lines = []
        for _ in range(2):
            line = await ProxyProcess.start(int(served.address.rpartition(":")[2]))
            stack.push_async_callback(line.stop)
            await line.tell(SLOW_LINE)
            lines.append(f"http://127.0.0.1:{line.port}")
        farm = await stack.enter_async_context(browser(playwright, cookies=_cookies(zhang)))
        await go_live(farm, lines[0], show.id)
        found = asdict(await _watched(playwright, lines[1], show, "mse", scale))
        await asyncio.to_thread(end_and_wait, zhang, uuid.UUID(show.id))
        return found


async def _watched(
    playwright: Playwright, url: str, show: Show, way: str, scale: Scale
) -> Lateness:
    async with browser(playwright) as phone:
        page, warnings = await watch(phone, url, show.id, delivery=way)
        await asyncio.sleep(scale.settle_s)
        found = await read_clock(page, delivery=way, for_s=scale.read_s)
        say(f"{way}: {found} {warnings}")
        return found


def _cookies(person: Person) -> list[dict[str, Any]]:
    """A browser takes them for every port."""
    return [
        {"name": one.name, "value": one.value, "domain": "127.0.0.1", "path": "/"}
        for one in person.cookies.jar
    ]


def cost(served: Served, show: Show, scale: Scale) -> dict[str, Any]:
    """A show alone, then with a hundred viewers by each way, in per cent of a core."""
    idle = cpu_pct(served, scale.cost_s / 2)
    with filmed(served, show):
        time.sleep(scale.settle_s / 2)
        alone = cpu_pct(served, scale.cost_s)
        crowds = {
            way: crowd_cost(served, show, way, VIEWERS, scale.cost_s) for way in ("mse", "hls")
        }
        after = cpu_pct(served, scale.cost_s / 2)
    found = {"idle_cpu_pct": idle, "show_cpu_pct": alone, "show_cpu_pct_after": after, **crowds}
    say(f"cost: {found}")
    return found


def cost_with_low(served: Served, show: Show, scale: Scale) -> dict[str, Any]:
    """A show with a 360p beside it; nothing where the machine has no room for one."""
    with filmed(served, show):
        low = has_low(served, show)
        found = {"has_low": low, "show_cpu_pct": cpu_pct(served, scale.cost_s) if low else None}
    say(f"cost with 360p: {found}")
    return found


def measure(folder: Path, scale: Scale, parts: Collection[str]) -> dict[str, Any]:
    """What was found, part by part; a part that was not asked for is empty."""
    found: dict[str, Any] = {"late": {}, "cost": {}, "cost_with_360p": {}}
    with house(folder / "source", renditions="source") as (served, shows):
        if {"direct", "slow"} & set(parts):
            found["late"] = asyncio.run(lateness(served, shows, scale, parts))
        if "cost" in parts:
            found["cost"] = cost(served, shows[2], scale)
    if "360p" in parts:
        with house(folder / "auto", renditions="auto") as (served, shows):
            found["cost_with_360p"] = cost_with_low(served, shows[0], scale)
    return found


def say(line: str) -> None:
    passed_s, load = time.monotonic() - BEGAN, os.getloadavg()[0]
    print(f"bench-live: {passed_s:.0f} s, load {load:.1f}: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    asked_scale, asked_parts = json.loads(sys.argv[1]), sys.argv[2:]
    data = Path(os.environ["LIVECOMMERCE_DATA"])
    print(json.dumps(measure(data, Scale(**asked_scale), asked_parts)))
