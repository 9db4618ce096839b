"""What a live show costs the server: its process and all the programs that it has started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.processes import ROOT, BenchError, end
from tests.server import Served

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
FIRST_SEGMENT_WITHIN_S = 30.0
LOW_WITHIN_S = 40.0
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Show:
    """Where a show is, and the key with which a camera may film it."""

    id: str
    key: str


@contextmanager
def filmed(served: Served, show: Show) -> Iterator[None]:
    """The film over and over from the Python broadcaster, while the block lasts."""
    film = served.instance.data / "film.mp4"
    line = served.instance.command("broadcast", str(film), "--show", show.id, "--loop")
    process = subprocess.Popen(
        [*line, "--url", served.url, "--key", show.key],
        env=served.instance.environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for_segments(served, show, process)
        yield
    finally:
        end(process)


def _wait_for_segments(served: Served, show: Show, camera: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + FIRST_SEGMENT_WITHIN_S
    while time.monotonic() < give_up_at and camera.poll() is None:
        if httpx.get(f"{served.url}/shows/{show.id}/playback/").json()["live_url"]:
            return
        time.sleep(LOOK_EVERY_S)
    raise BenchError("the camera's picture did not come")


def has_low(served: Served, show: Show) -> bool:
    """Whether a 360p is made too, within the time that the server takes to decide."""
    give_up_at = time.monotonic() + LOW_WITHIN_S
    while time.monotonic() < give_up_at:
        url = httpx.get(f"{served.url}/shows/{show.id}/playback/").json()["live_url"] or ""
        if "x360" in httpx.get(f"{served.url}{url}").text:
            return True
        time.sleep(LOOK_EVERY_S)
    return False


def cpu_pct(served: Served, for_s: float) -> float:
    """Per cent of a core over this time."""
    before, began = cpu_s(served.process.pid), time.monotonic()
    time.sleep(for_s)
    spent_s = cpu_s(served.process.pid) - before
    return round(100 * spent_s / (time.monotonic() - began), 1)


def cpu_s(pid: int) -> float:
    """What a process and its children have used, those that have ended included (`man 5 proc`)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = Path(f"/proc/{pid}/task").iterdir()
        children = [one for task in threads for one in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it has ended: its parent has the sum by now
        return 0.0
    own = sum(map(int, fields[11:15])) / TICKS_PER_S
    return own + sum(cpu_s(int(child)) for child in children)


def crowd_cost(served: Served, show: Show, way: str, count: int, for_s: float) -> dict[str, Any]:
    """The server's use of the CPU with so many viewers, and what they had."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.live_crowd", way, served.url, show.id, str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise BenchError(f"the viewers by {way} did not get the picture")
        before = cpu_s(process.pid)
        used = cpu_pct(served, for_s)
        theirs = cpu_s(process.pid) - before
        process.stdin.close()
        told: dict[str, Any] = json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
    return {
        **told,
        "cpu_pct": used,
        "viewers": count,
        "client_cpu_pct": round(100 * theirs / for_s),
    }
