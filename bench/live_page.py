"""The live picture's part of docs/benchmarks.md, from what one run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.report import put_between, table
from bench.room_page import PAGE, goals

WAYS = {
    "mse": "WebSocket and MSE",
    "hls": "plain HLS, segments of 1 s",
    "mse_slow_line": "WebSocket and MSE, both over the slow line",
}


def update(found: Mapping[str, Any]) -> None:
    """Rewrite the tables."""
    PAGE.write_text(put_between(PAGE.read_text(), "live", tables(found)))


def tables(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}. Load of the machine before it began: "
        f"{found['load_before']}."
    )
    return "\n\n".join([where, goals(found), late(found["peers"]["late"]), cost(found)])


def late(found: Mapping[str, Any]) -> str:
    head = ["from camera to screen", "p50 ms", "p95 ms", "the page says, ms", "readings"]
    head += ["not readable", "that way, %"]
    shown = ("p50_ms", "p95_ms", "told_ms", "readings", "unreadable", "by_the_way_pct")
    return table(
        head, [[label, *(found[way][one] for one in shown)] for way, label in WAYS.items()]
    )


def cost(found: Mapping[str, Any]) -> str:
    figures, crowds = found["figures"], found["peers"]["cost"]
    rows = [
        ["a show, source only", figures["cpu_per_show_pct"], None],
        ["a show with a 360p beside it", figures["cpu_per_show_pct_with_360p"], None],
        *(
            [
                f"100 viewers more, {WAYS[way]}",
                figures[f"cpu_per_100_viewers_pct_{way}"],
                crowds[way]["client_cpu_pct"],
            ]
            for way in ("mse", "hls")
        ),
    ]
    return table(["the server with its programs", "% of a core", "their client, % of a core"], rows)
