"""The pages' part of docs/benchmarks.md, from what one run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.report import put_between, table
from bench.room_page import PAGE, goals

NAMES = {"feed": "feed", "lesson": "lesson", "room": "live room", "front": "front page"}


def update(found: Mapping[str, Any]) -> None:
    """Rewrite the tables."""
    PAGE.write_text(put_between(PAGE.read_text(), "pages", tables(found)))


def tables(found: Mapping[str, Any]) -> str:
    machine, peers = found["machine"], found["peers"]
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}. Load of the machine before it began: "
        f"{found['load_before']}."
    )
    axe = f"axe: {peers['axe']['pages']} pages, {peers['axe']['rules']} rules."
    return "\n\n".join([where, goals(found), cold(peers), lighthouse(peers["lighthouse"]), axe])


def cold(peers: Mapping[str, Any]) -> str:
    head = ["400 kbit/s and 400 ms, nothing cached", "s, median", "s, each", "KB", "answers"]
    rows = [
        [
            f"{NAMES[one]}: {until}",
            peers[one]["start_s"],
            ", ".join(f"{start:.2f}" for start in peers[one]["starts_s"]),
            peers[one]["kb"],
            len(peers[one]["answers"]),
        ]
        for one, until in (("feed", "the first picture"), ("room", "chat and buying"))
    ]
    return table(head, rows)


def lighthouse(pages: Mapping[str, Any]) -> str:
    head = ["Lighthouse, mobile, medians", "performance", "accessibility", "LCP ms", "TBT ms"]
    shown = ("performance", "accessibility", "lcp_ms", "tbt_ms")
    return table(
        head, [[NAMES[name], *(page[one] for one in shown)] for name, page in pages.items()]
    )
