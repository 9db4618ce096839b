"""`make bench-orders`: acknowledged, durable orders a second of one hot variant.

Against pgbench with the bare SQL of one order per transaction, on the same PostgreSQL; then through
HTTP and the room's socket, with a hundred variants, on SQLite, and against pretix. Writes
build/bench/orders.json and the tables in docs/benchmarks.md. `--quick` is for trying it out: short,
without pretix.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from bench import orders_page
from bench.orders_run import MANY, PRETIX, Scale, on_postgres, on_sqlite
from bench.processes import BenchError, temporary_folder
from bench.report import Goal, ratio, result, write

FULL = Scale(warm_s=2, for_s=10, pretix_s=20)
QUICK = Scale(warm_s=1, for_s=3, pretix_s=5)

GOALS = [
    Goal("group_commit_vs_bare_sql", ">= 1.5", "in process, 64 clients, one hot variant"),
    Goal("socket_vs_bare_sql", ">= 1", "through the room's socket, one web process"),
    Goal("http_vs_bare_sql", ">= 0.5", "through HTTP, one web process"),
    Goal("idle_latency_ratio", "<= 1.1", "one client's median wait, group commit on : off"),
    Goal("p99_ms_half_rate", "<= 250", "through the socket at half its best rate, ms"),
    Goal("vs_pretix", ">= 10", "in process against pretix's own order creation"),
]


def figures(found: dict[str, Any]) -> dict[str, float | None]:
    """By their names; `None` for what was not measured."""
    one = found["postgres"]["one"]
    limit = _best(one["bare_sql"])
    grouped, alone = one["grouped"], one["one_by_one"]
    return {
        "group_commit_vs_bare_sql": ratio(grouped[str(MANY)]["per_s"], limit),
        "socket_vs_bare_sql": ratio(_best(one["socket"]), limit),
        "http_vs_bare_sql": ratio(_best(one["http"]), limit),
        "idle_latency_ratio": ratio(grouped["1"]["p50_ms"], alone["1"]["p50_ms"]),
        "p99_ms_half_rate": one["socket"]["half"]["p99_ms"],
        "vs_pretix": ratio(grouped[str(MANY)]["per_s"], _best(found["postgres"].get("pretix", {}))),
        "bare_sql_per_s": limit,
    }


def _best(by_clients: dict[str, Any]) -> float | None:
    """The best of all numbers of clients."""
    rates = [told["per_s"] for clients, told in by_clients.items() if clients != "half"]
    return max(rates, default=None)


def measure(scale: Scale, *, with_pretix: bool) -> dict[str, Any]:
    began, load = time.monotonic(), os.getloadavg()[0]
    with temporary_folder() as folder:
        found = {
            "postgres": on_postgres(folder, scale, with_pretix=with_pretix),
            "sqlite": on_sqlite(folder, scale),
        }
    return result(
        peers=found,
        figures=figures(found),
        goals=GOALS,
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
    quick = parser.parse_args().quick
    if not quick and not PRETIX.exists():
        print(f"bench-orders: pretix is not in {PRETIX.name}; see docs/benchmarks.md")
        return 1
    try:
        found = measure(QUICK if quick else FULL, with_pretix=not quick)
    except BenchError as error:
        print(f"bench-orders: {error}", file=sys.stderr)
        return 1
    write("orders-quick" if quick else "orders", found)
    if not quick:
        orders_page.update(found)
    print(last_line(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
