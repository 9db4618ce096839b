"""The orders' part of docs/benchmarks.md, from what one run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.report import put_between, table
from bench.room_page import PAGE, goals

WAYS = {
    "bare_sql": "pgbench, bare SQL",
    "one_by_one": "the service, group commit off",
    "grouped": "the service, group commit on",
    "http": "HTTP, one web process",
    "socket": "the room's socket, one web process",
}


def update(found: Mapping[str, Any]) -> None:
    """Rewrite the tables."""
    PAGE.write_text(put_between(PAGE.read_text(), "orders", tables(found)))


def tables(found: Mapping[str, Any]) -> str:
    machine, peers = found["machine"], found["peers"]
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}. Load of the machine before it began: "
        f"{found['load_before']}."
    )
    parts = [
        where,
        goals(found),
        rates("PostgreSQL, one hot variant", peers["postgres"]["one"]),
        rates("PostgreSQL, a hundred variants", peers["postgres"]["hundred"]),
        rates("SQLite, one hot variant", peers["sqlite"]),
        half(peers),
        pretix(peers["postgres"].get("pretix", {})),
    ]
    return "\n\n".join(parts)


def rates(title: str, by_way: Mapping[str, Any]) -> str:
    """Orders a second by clients, and how long one and 64 clients waited."""
    clients = ["1", "8", "64"]
    head = [title, *(f"{one} clients, /s" for one in clients), "1: p50 ms", "64: p99 ms"]
    rows = [
        [
            label,
            *(by_way[way][one]["per_s"] for one in clients),
            by_way[way]["1"].get("p50_ms"),
            by_way[way]["64"].get("p99_ms"),
        ]
        for way, label in WAYS.items()
        if way in by_way
    ]
    return table(head, rows)


def half(peers: Mapping[str, Any]) -> str:
    """How long 64 clients wait at half of what the way can do at best."""
    head = ["at half its best rate", "/s", "p50 ms", "p99 ms", "the client, % of a core"]
    runs = {
        "PostgreSQL, one variant": peers["postgres"]["one"],
        "PostgreSQL, a hundred": peers["postgres"]["hundred"],
        "SQLite": peers["sqlite"],
    }
    rows = [
        [f"{label}, {WAYS[way]}", *(found[way]["half"][key] for key in HALF)]
        for label, found in runs.items()
        for way in ("http", "socket")
    ]
    return table(head, rows)


HALF = ("per_s", "p50_ms", "p99_ms", "client_cpu_pct")


def pretix(found: Mapping[str, Any]) -> str:
    rows = [[f"{clients} clients", told["per_s"]] for clients, told in found.items()]
    return table(["pretix, its own order creation", "/s"], rows)
