"""`make bench-live`: how late the live picture is, by each way, and what it costs the server.

A real Chromium films a clock in the real studio, another one watches in the real room, and the
time is read from the pixels that it shows. Then what a show and a hundred viewers use of the CPU,
with the Python broadcaster. Writes build/bench/live.json and the tables in docs/benchmarks.md.
`--quick` is for trying it out: short.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench import live_page
from bench.processes import ROOT, BenchError, temporary_folder
from bench.report import Goal, result, write

FULL = {"settle_s": 8.0, "read_s": 30.0, "cost_s": 12.0}
QUICK = {"settle_s": 3.0, "read_s": 6.0, "cost_s": 4.0}
WITHIN_S, CLEARED_WITHIN_S = 600, 90
PARTS = ("direct", "slow", "cost", "360p")

GOALS = [
    Goal("mse_p50_ms", "<= 500", "from camera to screen over WebSocket and MSE, the median, ms"),
    Goal("mse_p95_ms", "<= 700", "the same, 95th percentile"),
    Goal("replay_ready_s", "<= 3", "from the end of the show to the whole replay, s"),
]


def figures(found: dict[str, Any]) -> dict[str, float | None]:
    """By their names; `None` for what was not measured."""

    def told(*path: str) -> float | None:
        value: Any = found
        for step in path:
            value = value.get(step, {}) if isinstance(value, dict) else {}
        return value if isinstance(value, int | float) else None

    alone = told("cost", "show_cpu_pct")
    crowds = {way: told("cost", way, "cpu_pct") for way in ("mse", "hls")}
    more = {
        f"cpu_per_100_viewers_pct_{way}": round(used - alone, 1) if used and alone else None
        for way, used in crowds.items()
    }
    return {
        "mse_p50_ms": told("late", "mse", "p50_ms"),
        "mse_p95_ms": told("late", "mse", "p95_ms"),
        "hls_p50_ms": told("late", "hls", "p50_ms"),
        "mse_p50_ms_100rtt_stalls": told("late", "mse_slow_line", "p50_ms"),
        "mse_p95_ms_100rtt_stalls": told("late", "mse_slow_line", "p95_ms"),
        "replay_ready_s": told("late", "replay_ready_s"),
        "cpu_per_show_pct": alone,
        "cpu_per_show_pct_with_360p": told("cost_with_360p", "show_cpu_pct"),
        **more,
    }


def measured(scale: dict[str, float], parts: Sequence[str]) -> dict[str, Any]:
    """What `bench.live_run` finds; raises `BenchError`. Its own words go to standard error."""
    with temporary_folder() as folder:
        settings = {
            "LIVECOMMERCE_MODE": "up",
            "LIVECOMMERCE_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        }
        environment = {**os.environ, **settings}
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.pop(name, None)
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.live_run", json.dumps(scale), *parts],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            told, _ = process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired as error:
            process.send_signal(signal.SIGINT)  # so that it stops what it has started
            process.communicate(timeout=CLEARED_WITHIN_S)
            raise BenchError(f"it did not end within {WITHIN_S} s") from error
    if process.returncode != 0:
        raise BenchError("it broke off; the reason is above")
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def measure(scale: dict[str, float], parts: Sequence[str]) -> dict[str, Any]:
    began, load = time.monotonic(), os.getloadavg()[0]
    found = measured(scale, parts)
    return result(
        peers=found,
        figures=figures(found),
        goals=GOALS,
        scale=scale,
        load_before=round(load, 2),
        took_s=round(time.monotonic() - began),
    )


def last_line(found: dict[str, Any]) -> str:
    missed = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    told = ", ".join(f"{name} {value}" for name, value in found["figures"].items())
    verdict = f"{len(GOALS) - len(missed)} of {len(GOALS)} goals met"
    return f"{verdict}{': not ' + ', '.join(missed) if missed else ''}. {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short, to try it out")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    is_whole = not asked.quick and set(asked.only) == set(PARTS)
    try:
        found = measure(QUICK if asked.quick else FULL, asked.only)
    except BenchError as error:
        print(f"bench-live: {error}", file=sys.stderr)
        return 1
    write("live" if is_whole else "live-quick", found)
    if is_whole:
        live_page.update(found)
    print(last_line(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
