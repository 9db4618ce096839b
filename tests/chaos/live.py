"""`make chaos-live`: the line is cut, encoder and server are killed, and the replay is read.

    python -m tests.chaos.live [--short] [--out FILE] [--keep FOLDER]

The film's pictures say their number. The replay is fetched as a player does, decoded, and the
numbers are read back from its pixels. The figures go to `build/chaos/live.json`; the last line is
for people.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.chaos.room import MODE, ROOT, machine

OUT = ROOT / "build/chaos/live.json"
WITHIN_S, CLEARED_WITHIN_S = 330, 90
GOALS = {
    "acknowledged_frames_missing": ("== 0", lambda value: value == 0),
    "frames_out_of_order": ("== 0", lambda value: value == 0),
    "frames_twice": ("== 0", lambda value: value == 0),
    "frames_unreadable": ("== 0", lambda value: value == 0),
    "times_backwards": ("== 0", lambda value: value == 0),
    "gaps_without_cut": ("== 0", lambda value: value == 0),
    "pin_error_ms_max": ("<= 100", lambda value: value is not None and value <= 100),
    "pins_without_place": ("== 0", lambda value: value == 0),
    "recordings": ("== 1", lambda value: value == 1),
    "replay_ready_s": ("<= 3", lambda value: value is not None and value <= 3),
    "acts_left_out": ("== 0", lambda value: value == 0),
    "negative_control_caught": ("== true", lambda value: value is True),
}


def played(data: Path, script: str) -> dict[str, Any]:
    """The figures of one show on this folder, or why there are none, as `error`."""
    environment = {**os.environ, **MODE, "LIVECOMMERCE_DATA": str(data)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)
    data.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.live_play", str(data), script],
        env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # so that it stops what it has started
        out, err = process.communicate(timeout=CLEARED_WITHIN_S)
    lines = out.strip().splitlines()
    if process.returncode == 0 and lines:
        found: dict[str, Any] = json.loads(lines[-1])
        return found
    return {"error": err.strip()[-4000:] or f"ended with {process.returncode}"}


def report(figures: dict[str, Any], script: str) -> dict[str, Any]:
    goals = [
        {"figure": name, "goal": goal, "value": value, "met": "error" not in figures and met(value)}
        for name, (goal, met) in GOALS.items()
        for value in [figures.get(name)]
    ]
    return {
        "machine": machine(),
        "peers": {"ours": {"server": "uvicorn", "script": script}},
        "figures": figures,
        "goals": goals,
    }


def last_line(found: dict[str, Any], took_s: float) -> str:
    figures = found["figures"]
    if "error" in figures:
        return f"chaos-live: broke off after {took_s:.0f} s: {figures['error'].splitlines()[-1]}"
    unmet = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    return (
        f"chaos-live: {figures['frames_acknowledged']} frames acknowledged over "
        f"{figures['connections_cut']} cuts, {figures['encoders_killed']} killed encoders and "
        f"{figures['servers_killed']} killed server, {took_s:.0f} s: "
        f"{figures['acknowledged_frames_missing']} missing, {figures['frames_out_of_order']} out "
        f"of order, {figures['frames_twice']} twice, pins off by {figures['pin_error_ms_max']} ms "
        f"at most, {figures['takes']} takes in {figures['recordings']} recording, replay after "
        f"{figures['replay_ready_s']} s; controls "
        f"{'caught' if figures['negative_control_caught'] else 'MISSED'}; "
        f"{'all goals met' if not unmet else 'not met: ' + ', '.join(unmet)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="16 s, as in `make test`")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", type=Path, help="play in this folder, and leave it")
    asked = parser.parse_args()
    script = "short" if asked.short else "full"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lc-chaos-live-") as folder:
        found = report(played(asked.keep or Path(folder), script), script)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n")
    if "error" in found["figures"]:
        print(found["figures"]["error"], file=sys.stderr)
    print(last_line(found, time.monotonic() - began))


if __name__ == "__main__":
    main()
