"""Readers who stop reading: what it costs the others, and how soon the server lets them go."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.chaos.stage import Stage, until
from tests.chaos.viewer import Viewer

ROUNDS = 2
WINDOW_S = 12.0
LOOK_EVERY_S = 0.5
ONE_IN = 100
BACK_WITHIN_S = 30.0
ESTABLISHED = "01"


async def compare(stage: Stage) -> dict[str, object]:
    """The others' p99 with everybody reading and with one in a hundred not, in turn."""
    some = [viewer for viewer in stage.crowd.viewers if viewer.person is None][::-1]
    some = some[: max(1, len(stage.crowd.viewers) // ONE_IN)]
    memory_mb, reading, stalling, closed = [stage.memory_mb()], [], [], []
    others = set(stage.crowd.viewers) - set(some)
    stage.crowd.measuring = True
    for _ in range(ROUNDS):
        reading.append(await window(stage, [], closed))
        reading_mb = stage.memory_mb()
        for viewer in some:
            viewer.stall()
        stalling.append(await window(stage, some, closed))
        memory_mb.append(stage.memory_mb() - reading_mb)
        for viewer in some:
            viewer.read_on()
        await wait_for(stage)
    stage.crowd.measuring = False
    stage.crowd.library.read_all()
    calm, disturbed = p99_ms(stage, reading), p99_ms(stage, stalling)
    expected = ROUNDS * len(some)
    return {
        "stalled": len(some),
        "others": len(others),
        "p99_ms_reading": calm,
        "p99_ms_stalled": disturbed,
        "p99_change_stalled_pct": round(100 * (disturbed - calm) / calm, 1),
        "stalled_closed": len(closed),
        "stalled_closed_s": round(max(closed), 2) if len(closed) == expected else None,
        "server_mb": round(memory_mb[0], 1),
        "server_grew_mb": [round(grown, 1) for grown in memory_mb[1:]],
    }


async def wait_for(stage: Stage) -> None:
    """Everybody is back in the room, also those who were closed."""
    await until(stage.all_in, BACK_WITHIN_S, "those who were closed", stage.crowd)
    await stage.a_while(0.5)


async def window(stage: Stage, some: list[Viewer], closed: list[float]) -> tuple[float, float]:
    """Let the show go on for a while; when the server has closed which of the stalled ones."""
    began = time.perf_counter()
    server_port = int(stage.served.address.rsplit(":", 1)[1])
    open_ports = {port for viewer in some if (port := viewer.local_port) is not None}
    while (now := time.perf_counter()) - began < WINDOW_S:
        alive = established(server_port)  # also when nobody stalls: looking costs the same
        closed += [now - began for port in open_ports if port not in alive]
        open_ports &= alive
        await asyncio.sleep(LOOK_EVERY_S)
    return began, time.perf_counter()


def established(server_port: int) -> set[int]:
    """The clients' ports of the connections that the server has open, by the kernel's table."""
    found = set()
    own = f":{server_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split(maxsplit=4)
        if state == ESTABLISHED and local.endswith(own):
            found.add(int(remote.rsplit(":", 1)[1], 16))
    return found


def p99_ms(stage: Stage, windows: list[tuple[float, float]]) -> float:
    """From a sender's send to each receiver's receive, over all deliveries in these windows."""
    sent_at = stage.traffic.sent_at
    found = sorted(
        arrival - sent_at[text]
        for frame in stage.crowd.library.frames()
        for arrival in frame.arrivals
        if any(began <= arrival <= ended for began, ended in windows)
        for text in frame.chat
        if text in sent_at
    )
    return round(1000 * found[int(len(found) * 0.99)], 1) if found else 0.0
