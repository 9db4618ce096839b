"""What Lighthouse says of four pages on a phone: the medians of several runs, from 0 to 100."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from statistics import median
from typing import Any

from bench.pages_demo import Demo, chromium_path
from bench.processes import ROOT, BenchError, temporary_folder

LIGHTHOUSE = ROOT / "node_modules/lighthouse/cli/index.js"
KINDS = ("performance", "accessibility")
WITHIN_S = 180
TRIES = 3
TIMES = {
    "fcp_ms": "first-contentful-paint",
    "lcp_ms": "largest-contentful-paint",
    "tbt_ms": "total-blocking-time",
    "speed_ms": "speed-index",
    "shift": "cumulative-layout-shift",
}


def scores(demo: Demo, runs: int) -> dict[str, dict[str, Any]]:
    """By page: both scores, the times behind them, and the audits that did not pass."""
    pages = {"feed": ("/learn/", "wang"), "lesson": (demo.lesson(), "wang"), "front": ("/", "")}
    found = {}
    for name, (path, who) in pages.items():
        found[name] = _page(demo, path, who, runs)
    found["room"] = _page(demo, demo.room(), "li", runs)
    return found


def _page(demo: Demo, path: str, who: str, runs: int) -> dict[str, Any]:
    reports = [_run(demo.url + path, demo.cookies(who) if who else {}) for _ in range(runs)]
    told: dict[str, Any] = {
        kind: round(median(_score(one, kind) for one in reports)) for kind in KINDS
    }
    for name, audit in TIMES.items():
        values = [one["audits"][audit].get("numericValue", 0) for one in reports]
        told[name] = round(median(values), 3 if name == "shift" else 0)
    told["failed"] = sorted({audit for one in reports for audit in _failed(one)})
    told["runs"] = [
        round(100 * (one["categories"]["performance"]["score"] or 0)) for one in reports
    ]
    return told


def _score(report: dict[str, Any], kind: str) -> float:
    return 100 * float(report["categories"][kind]["score"] or 0)


def _failed(report: dict[str, Any]) -> list[str]:
    refs = [ref for kind in KINDS for ref in report["categories"][kind]["auditRefs"]]
    audits = [report["audits"][ref["id"]] for ref in refs if ref["weight"] or ref.get("group")]
    return [one["id"] for one in audits if one["score"] is not None and one["score"] < 0.9]


def _run(url: str, cookies: dict[str, str]) -> dict[str, Any]:
    """One report; asked for again where Lighthouse itself says that it lost its trace."""
    for left in reversed(range(TRIES)):
        try:
            return _report(url, cookies)
        except BenchError as error:
            if "NO_NAVSTART" not in str(error) or not left:
                raise
    raise AssertionError


def _report(url: str, cookies: dict[str, str]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        raise BenchError("Lighthouse needs Node.js")
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    with temporary_folder() as folder:
        said = folder / "report.json"
        told = subprocess.run(
            [
                node,
                str(LIGHTHOUSE),
                url,
                "--output=json",
                f"--output-path={said}",
                f"--only-categories={','.join(KINDS)}",
                "--quiet",
                f"--chrome-flags=--headless=new --no-sandbox --user-data-dir={folder}/profile",
                *([f"--extra-headers={json.dumps(headers)}"] if cookies else []),
            ],
            cwd=ROOT,
            env={**os.environ, "CHROME_PATH": chromium_path()},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        if told.returncode:
            raise BenchError(f"Lighthouse failed on {url}:\n{told.stderr[-2000:]}")
        report: dict[str, Any] = json.loads(said.read_text())
    if fault := report.get("runtimeError"):
        raise BenchError(f"Lighthouse failed on {url}: {fault['message']}")
    return report
