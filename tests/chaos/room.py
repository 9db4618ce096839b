"""`make chaos-room`: everything that can go wrong in a room of two thousand, and what they missed.

    python -m tests.chaos.room [--viewers N] [--only SCENE …] [--out FILE]

Each scene is played in a process of its own, on data of its own. The figures go to
`build/chaos/room.json`; the last line is for people.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "build/chaos/room.json"
CONTROL_VIEWERS = 300
SCENE_WITHIN_S = 240
MODE = {
    "LIVECOMMERCE_MODE": "up",
    "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
    "LIVECOMMERCE_LOG_LEVEL": "INFO",
}
GOALS = {
    "undetected_gaps": ("== 0", lambda value: value == 0),
    "duplicates": ("== 0", lambda value: value == 0),
    "back_within_s": ("<= 10", lambda value: value is not None and value <= 10),
    "sql_per_recovery": ("== 0", lambda value: value == 0),
    "p99_change_stalled_pct": ("< 10", lambda value: value is not None and value < 10),
    "stalled_closed_s": ("<= 10", lambda value: value is not None and value <= 10),
    "negative_control_caught": ("== true", lambda value: value is True),
    "conflicts": ("== 0", lambda value: value == 0),
    "chat_lost": ("== 0", lambda value: value == 0),
    "order_faults": ("== 0", lambda value: value == 0),
    "scenes_failed": ("== 0", lambda value: value == 0),
    "scenes_without_rest": ("== 0", lambda value: value == 0),
}


def play_one(name: str, data: Path, scale: dict[str, Any], server: str) -> Any:
    """One scene, in this process. Django is set up on the scene's own data."""
    import django
    import uvloop

    django.setup()
    from tests.chaos.stage import Scale, on_stage

    async def on_its_stage() -> Any:
        from tests.chaos import scenes

        control, scene = scenes.CONTROLS.get(name), scenes.SCENES.get(name)
        async with on_stage(
            data,
            Scale(**scale),
            with_redis=scene.redis if scene else None,
            with_proxy=control is not None or (scene is not None and scene.proxy),
            server=server,
        ) as stage:
            if control is not None:
                return await scenes.play_control(stage, control)
            if scene is None:
                return await scenes.play_stalled(stage)
            return await scenes.play(scene, stage)

    return uvloop.run(on_its_stage())


def all_scenes() -> list[str]:
    return [
        "server_killed",
        "half_open",
        "stalled",
        "redis_server_killed",
        "redis_killed",
        "redis_empty",
        "redis_stale",
        "redis_replica",
        "redis_half_open",
        "redis_viewers_half_open",
        *CONTROLS,
    ]


CONTROLS = {"without_recovery": "undetected_gaps", "without_ids": "duplicates"}
"""By the name of its scene, what a checker finds who does without a rule of the protocol."""


def play_all(names: list[str], scale: dict[str, Any], server: str, keep: Path | None) -> Any:
    """Every scene's figures; a scene that broke off has an `error`."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lc-chaos-") as folder:
        template = Path(folder) / "template"
        make_template(template, scale)
        for name in names:
            began = time.monotonic()
            data = Path(folder) / name
            shutil.copytree(template, data)
            results[name] = in_own_process(name, data, size_of(name, scale), server)
            results[name]["took_s"] = round(time.monotonic() - began, 1)
            print(summary(name, results[name]), flush=True)
            if keep is not None:
                keep_logs(Path(folder) / name, keep / name)
            shutil.rmtree(Path(folder) / name, ignore_errors=True)
    return results


def size_of(name: str, scale: dict[str, Any]) -> dict[str, Any]:
    """A control needs no crowd: it has to fail for each of them."""
    if name in CONTROLS:
        return scale | {"viewers": min(scale["viewers"], CONTROL_VIEWERS)}
    return scale


def keep_logs(data: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for log in data.glob("*.log"):
        shutil.copy(log, kept)


def make_template(template: Path, scale: dict[str, Any]) -> None:
    environment = {**os.environ, **MODE, "LIVECOMMERCE_DATA": str(template)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)
    code = (
        "import os, sys, json, django; django.setup(); from pathlib import Path; "
        "from tests.chaos.stage import Scale, build_template; "
        "build_template(Path(sys.argv[1]), Scale(**json.loads(sys.argv[2])), dict(os.environ))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(template), json.dumps(scale)],
        env=environment, cwd=ROOT, check=True, timeout=200,
    )  # fmt: skip


def in_own_process(name: str, data: Path, scale: dict[str, Any], server: str) -> dict[str, Any]:
    environment = {**os.environ, **MODE, "LIVECOMMERCE_DATA": str(data)}
    for variable in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(variable, None)
    arguments = ["--play", name, str(data), json.dumps(scale), server]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.room", *arguments],
        env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=SCENE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # it stops what it has started
        out, err = process.communicate(timeout=30)
    lines = out.strip().splitlines()
    if process.returncode == 0 and lines:
        found: dict[str, Any] = json.loads(lines[-1])
        return found
    return {"error": err.strip()[-3000:] or f"ended with {process.returncode}"}


def summary(name: str, found: dict[str, Any]) -> str:
    if "error" in found:
        return f"{name:24} broke off: {found['error'].splitlines()[-1]}"
    shown = ("came_to_rest", "undetected_gaps", "duplicates", "conflicts", "chat_lost",
             "chat_lost_with_redis", "back_within_s", "sql_per_recovery", "p99_change_stalled_pct",
             "stalled_closed_s", "took_s")  # fmt: skip
    return f"{name:24} " + ", ".join(f"{key} {found[key]}" for key in shown if key in found)


def figures_of(scenes: dict[str, Any]) -> dict[str, Any]:
    """The whole run's figures: sums of faults, the worst of times."""
    faults = {name: one for name, one in scenes.items() if name not in CONTROLS}
    played = [one for one in faults.values() if "error" not in one]
    backs = [one["back_within_s"] for one in played if "back_within_s" in one]
    sqls = [one["sql_per_recovery"] for one in played if "sql_per_recovery" in one]
    stalled = scenes.get("stalled", {})
    return {
        "undetected_gaps": sum(one["undetected_gaps"] for one in played),
        "duplicates": sum(one["duplicates"] for one in played),
        "conflicts": sum(one["conflicts"] for one in played),
        "chat_lost": sum(one["chat_lost"] for one in played),
        "chat_lost_with_redis": sum(one["chat_lost_with_redis"] for one in played),
        "order_faults": sum(len(one["order_faults"]) for one in played),
        "back_within_s": None if None in backs or not backs else max(backs),
        "sql_per_recovery": max(sqls, default=None),
        "p99_change_stalled_pct": stalled.get("p99_change_stalled_pct"),
        "stalled_closed_s": stalled.get("stalled_closed_s"),
        "stalled_server_grew_mb": max(stalled.get("server_grew_mb", [None])),
        "controls": controls_of(scenes),
        "negative_control_caught": all(one["caught"] for one in controls_of(scenes).values()),
        "scenes_failed": sum("error" in one for one in scenes.values()),
        "scenes_without_rest": sum(not one["came_to_rest"] for one in played),
    }


def controls_of(scenes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the checker found where there is something to find, by the name of the control."""
    return {
        name: {
            fault: scenes.get(name, {}).get(fault),
            "caught": bool(scenes.get(name, {}).get(fault)),
        }
        for name, fault in CONTROLS.items()
    }


def report(scenes: dict[str, Any], scale: dict[str, Any], server: str) -> dict[str, Any]:
    figures = figures_of(scenes)
    goals = [
        {"figure": name, "goal": goal, "value": figures[name], "met": met(figures[name])}
        for name, (goal, met) in GOALS.items()
    ]
    return {
        "machine": machine(),
        "peers": {"ours": {"server": server, **scale}},
        "figures": figures,
        "scenes": scenes,
        "goals": goals,
    }


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def told(control: dict[str, Any]) -> str:
    return "caught" if control["caught"] else "MISSED"


def last_line(found: dict[str, Any], scale: dict[str, Any], took_s: float) -> str:
    figures = found["figures"]
    unmet = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    return (
        f"chaos-room: {scale['viewers']} viewers, {len(found['scenes'])} scenes, {took_s:.0f} s: "
        f"{figures['undetected_gaps']} undetected gaps, {figures['duplicates']} duplicates, "
        f"back within {figures['back_within_s']} s, "
        f"{figures['sql_per_recovery']} SQL per recovery, "
        f"p99 {figures['p99_change_stalled_pct']} % with stalled readers, who were closed after "
        f"{figures['stalled_closed_s']} s; controls: "
        f"{', '.join(f'{name} {told(one)}' for name, one in figures['controls'].items())}; "
        f"{'all goals met' if not unmet else 'not met: ' + ', '.join(unmet)}"
    )


def main() -> None:
    if sys.argv[1:2] == ["--play"]:
        name, data, scale, server = sys.argv[2:]
        found = play_one(name, Path(data), json.loads(scale), server)
        print(json.dumps(found))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=2000)
    parser.add_argument("--speakers", type=int, default=120)
    parser.add_argument("--chat", type=float, default=50.0, help="messages a second")
    parser.add_argument("--beat", type=int, default=250, help="messages between the acts")
    parser.add_argument("--server", default="uvicorn", choices=("uvicorn", "daphne"))
    parser.add_argument("--only", nargs="*", metavar="SCENE")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--logs", type=Path, help="keep the servers' logs here")
    asked = parser.parse_args()
    scale = {
        "viewers": asked.viewers,
        "speakers": asked.speakers,
        "chat_per_s": asked.chat,
        "beat": asked.beat,
    }
    began = time.monotonic()
    scenes = play_all(asked.only or all_scenes(), scale, asked.server, asked.logs)
    found = report(scenes, scale, asked.server)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(last_line(found, scale, time.monotonic() - began))


if __name__ == "__main__":
    main()
