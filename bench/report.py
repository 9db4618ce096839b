"""What a benchmark writes down: one JSON object, a table in a page, and a line for people."""

from __future__ import annotations

import json
import operator
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}
Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, what it should be (`>= 5`), and what that says to a reader."""

    figure: str
    goal: str
    says: str

    def judged(self, figures: Figures) -> dict[str, Any]:
        """The goal with the figure's value; one that was not measured is not met."""
        value = figures.get(self.figure)
        sign, _, bound = self.goal.partition(" ")
        met = value is not None and COMPARE[sign](value, float(bound))
        return {"figure": self.figure, "goal": self.goal, "value": value, "met": met}


def result(
    *, peers: Mapping[str, Any], figures: Figures, goals: Sequence[Goal], **more: Any
) -> dict[str, Any]:
    """The object of `build/bench/<name>.json`."""
    return {
        "machine": machine(),
        "peers": dict(peers),
        "figures": dict(figures),
        "goals": [goal.judged(figures) for goal in goals],
        **more,
    }


def machine() -> dict[str, Any]:
    """What it ran on, in words that say nothing of whose it is."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def write(name: str, found: Mapping[str, Any]) -> Path:
    path = ROOT / f"build/bench/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def put_between(page: str, mark: str, text: str) -> str:
    """The page with the text between its two marks; raises `ValueError` if they are not there."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
    before, found, rest = page.partition(begin)
    _, also, after = rest.partition(end)
    if not (found and also):
        raise ValueError(f"the page has no marks for {mark}")
    return f"{before}{begin}\n{text.strip()}\n\n{end}{after}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; `None` is a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(shown, line)) + " |" for line in lines)


def shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def ratio(part: float | None, whole: float | None) -> float | None:
    """One over the other, to three figures; `None` where one is missing."""
    if part is None or not whole:
        return None
    return float(f"{part / whole:.3g}")
