"""The room's part of docs/benchmarks.md, and its picture, from what one run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.picture import Axis, Line, draw
from bench.report import ROOT, put_between, table

PAGE = ROOT / "docs/benchmarks.md"
PICTURE = ROOT / "docs/images/bench-room.svg"
OURS, THEIRS = "#0b6e4f", "#b4540a"


def update(found: Mapping[str, Any]) -> None:
    """Rewrite the table and the picture."""
    PAGE.write_text(put_between(PAGE.read_text(), "room", tables(found)))
    PICTURE.write_text(picture(found["curve"]))


def tables(found: Mapping[str, Any]) -> str:
    machine, scale = found["machine"], found["scale"]
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}. "
        f"{scale['flooded']} sockets in the first load, {scale['crowd']:,} in the second."
    )
    parts = [where, goals(found), peers(found), client(found), points(found)]
    return "\n\n".join(part for part in parts if part)


def goals(found: Mapping[str, Any]) -> str:
    rows = [[f"`{g['figure']}`", g["goal"], g["value"], g["met"]] for g in found["goals"]]
    return table(["figure", "goal", "measured", "met"], rows)


def peers(found: Mapping[str, Any]) -> str:
    head = [
        "who",
        "delivered/s",
        "p50 ms",
        "p99 ms",
        "arrived",
        "facts missing",
        "KB per idle viewer",
        "server CPU %",
        "client CPU %",
    ]
    return table(head, [peer_row(peer) for peer in found["peers"].values()])


def peer_row(peer: Mapping[str, Any]) -> list[object]:
    flood, load = peer["flood"], peer["load"]
    limited = flood["limited_by_client"] or load["limited_by_client"]
    return [
        peer["label"],
        flood["delivered_per_s"],
        load["p50_ms"],
        load["p99_ms"],
        percent(load["delivered_share"]),
        load["facts_missing"],
        load["kb_per_viewer"],
        f"{flood['server_cpu_pct']:.0f} / {load['server_cpu_pct']:.0f}",
        f"{flood['client_cpu_pct']:.0f} / {load['client_cpu_pct']:.0f}"
        + (" (the client was the limit)" if limited else ""),
    ]


def client(found: Mapping[str, Any]) -> str:
    rows = [
        [shape, one["frames_per_s"], one["delivered_per_s"], one["client_cpu_pct"]]
        for shape, one in found["client"].items()
    ]
    return table(["the load client alone", "frames/s", "messages/s", "client CPU %"], rows)


def points(found: Mapping[str, Any]) -> str:
    """The curve as a table, for whoever cannot see the picture."""
    rows = [
        [peer, at["viewers"], at["p50_ms"], at["p99_ms"], at["facts_missing"], at["client_cpu_pct"]]
        for peer, line in found["curve"].items()
        for at in line
    ]
    head = ["the curve", "viewers", "p50 ms", "p99 ms", "facts missing", "client CPU %"]
    return table(head, rows) if rows else ""


def percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.4g} %"


def picture(curve: Mapping[str, list[dict[str, Any]]]) -> str:
    """Time from send to receive over the number of viewers: half of all, and all but 1 %."""
    lines = [
        Line(f"{name}, {says}", colour, series(curve.get(key, []), figure), dashed=dashed)
        for key, name, colour in (
            ("uvicorn", "livecommerce", OURS),
            ("node_batched", "Node.js ws, batched", THEIRS),
        )
        for figure, says, dashed in (("p99_ms", "99 %", False), ("p50_ms", "50 %", True))
    ]
    return draw(
        "How long a message is on its way",
        "100 chat messages and 10 facts a second, to every viewer, one server core",
        Axis("viewers", (500, 1000, 2000, 5000, 10_000, 15_000)),
        Axis("milliseconds, from send to receive", (20, 50, 100, 200, 500, 1000, 2000, 5000)),
        lines,
    )


def series(points: list[dict[str, Any]], figure: str) -> list[tuple[float, float]]:
    return [(at["viewers"], at[figure]) for at in points if at[figure] is not None]
