"""`make bench-pages`: the pages on a slow phone, as Lighthouse sees them, and as axe reads them.

The demo is what is measured: a show that is on, a replay, a course of it, and people. Every load is
cold. Writes build/bench/pages.json and the tables in docs/benchmarks.md; `--quick` is for trying it
out, and `--url` measures a demo that already runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from statistics import median
from typing import Any

from bench import pages_page
from bench.pages_axe import Violations, looked_at
from bench.pages_cold import Visit, feed_visit, room_visit
from bench.pages_demo import Demo, demo
from bench.pages_lighthouse import scores
from bench.processes import BenchError
from bench.report import Goal, result, write

PARTS = ("cold", "lighthouse", "axe")

GOALS = [
    Goal("feed_start_s_400kbit", "<= 3", "from navigation to the first picture of the feed, s"),
    Goal("feed_kb_before_video", "<= 60", "KB on the wire before it, beside the film itself"),
    Goal("room_kb_before_video", "<= 60", "KB before the room chats and sells"),
    Goal("lighthouse_a11y_min", ">= 100", "the least accessibility of four pages"),
    Goal("lighthouse_perf_min", ">= 95", "the least performance of four pages"),
    Goal("axe_violations", "== 0", "faults that axe finds on any page, in both languages"),
]


def measure(parts: Sequence[str], *, runs: int, url: str | None) -> dict[str, Any]:
    began, load = time.monotonic(), os.getloadavg()[0]
    found: dict[str, Any] = {}
    with nullcontext(Demo(url)) if url else demo() as place:
        place.warm_up()
        if "cold" in parts:
            found["feed"] = cold([feed_visit(place) for _ in range(runs)])
            found["room"] = cold([room_visit(place) for _ in range(runs)])
        if "lighthouse" in parts:
            found["lighthouse"] = scores(place, runs)
        if "axe" in parts:
            found["axe"] = as_told(looked_at(place))
    return result(
        peers=found,
        figures=figures(found),
        goals=GOALS,
        runs=runs,
        load_before=round(load, 2),
        took_s=round(time.monotonic() - began),
    )


def cold(visits: Sequence[Visit]) -> dict[str, Any]:
    """The median of several visits; what came before, of the one with the most."""
    heaviest = max(visits, key=lambda one: one.kb)
    starts = [one.start_s for one in visits if one.start_s is not None]
    return {
        "start_s": round(median(starts), 2) if len(starts) == len(visits) else None,
        "starts_s": starts,
        "kb": heaviest.kb,
        "film_kb": heaviest.film_kb,
        "answers": heaviest.answers,
    }


def as_told(found: Violations) -> dict[str, Any]:
    return {**asdict(found), "pages": len(found.pages), "addresses": found.pages}


def figures(found: dict[str, Any]) -> dict[str, float | None]:
    """By their names; `None` for what was not measured."""
    feed, room = found.get("feed", {}), found.get("room", {})
    pages = found.get("lighthouse", {}).values()
    return {
        "feed_start_s_400kbit": feed.get("start_s"),
        "feed_kb_before_video": feed.get("kb") if feed.get("start_s") is not None else None,
        "room_kb_before_video": room.get("kb") if room.get("start_s") is not None else None,
        "room_start_s_400kbit": room.get("start_s"),
        "lighthouse_a11y_min": min((one["accessibility"] for one in pages), default=None),
        "lighthouse_perf_min": min((one["performance"] for one in pages), default=None),
        "axe_violations": len(found["axe"]["faults"]) if "axe" in found else None,
        "axe_pages": found.get("axe", {}).get("pages"),
        "axe_rules": found.get("axe", {}).get("rules"),
    }


def last_line(found: dict[str, Any]) -> str:
    missed = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    told = ", ".join(f"{name} {value}" for name, value in found["figures"].items())
    verdict = f"{len(GOALS) - len(missed)} of {len(GOALS)} goals met"
    return f"{verdict}{': not ' + ', '.join(missed) if missed else ''}. {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each once, to try it out")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--url", help="a demo that already runs, like http://localhost:8000")
    asked = parser.parse_args()
    is_whole = not asked.quick and set(asked.only) == set(PARTS) and not asked.url
    try:
        found = measure(asked.only, runs=1 if asked.quick else 5, url=asked.url)
    except BenchError as error:
        print(f"bench-pages: {error}", file=sys.stderr)
        return 1
    write("pages" if is_whole else "pages-quick", found)
    if is_whole:
        pages_page.update(found)
    print(last_line(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
