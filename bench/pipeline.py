"""`make bench-pipeline`: what renditions cost and are worth, beside others on the same films.

Each system works in a process of its own, one after the other, on films that are made first: as a
phone and as a browser write them, a minute and ten minutes. Processor time, wall time, bytes, and
VMAF as the mean over renditions scaled to the source. Writes build/bench/pipeline.json and the
tables in docs/benchmarks.md. `--quick` is for trying it out: films of some seconds.

`--half-hour` is all figures in half an hour: systems work beside each other on a minute and not
also on ten, since each second costs them the same; what was left out is printed. `--only` runs some
systems, or a measurement alone: two_workers, clip_cost. `--seconds` has another film than a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import django

from bench.processes import ROOT, BenchError
from bench.report import Goal, put_between, ratio, result, table, write

SYSTEMS = ("ours", "bare", "mediacms", "peertube", "hlsfield")
ALONE = ("two_workers", "clip_cost")
# Seconds of film, how often it is there in the long one, and of how many frames VMAF takes one.
FULL, HALF_HOUR, QUICK = (60, 10, 5), (60, 1, 15), (6, 2, 10)
WITHIN_S = 3 * 3600.0
GOALS = [
    Goal("cpu_vs_bare", "<= 1.03", "processor time, of bare ffmpeg doing the same work"),
    Goal("cpu_vs_mediacms", "<= 0.45", "processor time, of a process for each rendition"),
    Goal("vmaf_minus_mediacms", ">= -0.5", "picture quality (VMAF), over that recipe's"),
    Goal("bytes_vs_mediacms", "<= 1.15", "bytes, of that recipe's"),
    Goal("passthrough_cpu_per_media_s", "<= 0.02", "processor seconds for a second that is copied"),
    Goal("two_workers_vs_one", ">= 1.8", "the speed of two workers on a long film, of one's"),
    Goal(
        "clip_cost_2h_vs_2min", "<= 1.1", "a clip's processor time out of 2 h, of one out of 2 min"
    ),
]


def measured(system: str, film: Path, scratch: Path) -> dict[str, Any]:
    """What a system uses for a film; its renditions are left in `scratch`. Raises `BenchError`."""
    scratch.mkdir(parents=True)
    line = [sys.executable, "-m", "bench.pipeline_run", system, str(film), str(scratch)]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"{system} on {film.name}: {done.stderr[-1500:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def judged(system: str, film: Path, scratch: Path, each: int) -> dict[str, Any]:
    """The renditions' bytes and VMAF."""
    from bench.pipeline_peers import beside, films_in

    made = films_in(system, scratch)
    sizes = [path.stat().st_size for one in made for path in beside(one)]
    scores = [vmaf(one, film, scratch / "vmaf.json", each) for one in made]
    return {
        "renditions": len(made),
        "bytes": sum(sizes),
        "vmaf_each": [round(score, 2) for score in scores],
        "vmaf": round(sum(scores) / len(scores), 2) if scores else None,
    }


def vmaf(rendition: Path, film: Path, log: Path, each: int) -> float:
    """How much alike they look, 0 to 100, the rendition scaled to the film."""
    import imageio_ffmpeg

    # Named alike, or the program turns the colours of one into what it thinks the other's are.
    even = "setpts=PTS-STARTPTS,fps=30,format=yuv420p,setparams=range=tv:colorspace=bt709"
    even += ":color_primaries=bt709:color_trc=bt709"
    graph = f"[1:v]{even}[film];[0:v]{even}[small];[small][film]scale=rw:rh:flags=bicubic[same];"
    graph += f"[1:v]{even}[again];[same][again]libvmaf=n_threads=2:n_subsample={each}"
    graph += f":log_fmt=json:log_path={log.name}"
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error"]
    line += ["-i", str(rendition), "-i", str(film), "-lavfi", graph, "-an", "-f", "null", "-"]
    done = subprocess.run(line, cwd=log.parent, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"VMAF of {rendition.name}: {done.stderr[-800:]}")
    score: float = json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"]
    return score


def films(folder: Path, scale: tuple[int, int, int], kinds: Iterable[str]) -> dict[str, Path]:
    from bench.pipeline_sources import film

    seconds, times, _each = scale
    return {
        f"{kind}, {seconds * often} s": film(folder, kind, seconds, often)
        for kind in kinds
        for often in sorted({1, times})
    }


def measure(
    folder: Path, scale: tuple[int, int, int], kinds: Sequence[str], wanted: Sequence[str]
) -> dict[str, Any]:
    began, load = time.monotonic(), os.getloadavg()[0]
    systems = [one for one in SYSTEMS if one in wanted]
    found = beside_each_other(folder, scale, kinds, systems) if systems else {}
    passthrough = copied(folder, scale[0]) if "ours" in systems else None
    more = alone(folder, scale, wanted)
    return result(
        peers=found,
        figures=figures(found, passthrough) | long_figures(more),
        goals=GOALS,
        passthrough=passthrough,
        long=more,
        scale=scale,
        load_before=round(load, 2),
        took_s=round(time.monotonic() - began),
    )


def beside_each_other(
    folder: Path, scale: tuple[int, int, int], kinds: Sequence[str], systems: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Every system on every film."""
    found: dict[str, dict[str, Any]] = {}
    for name, film in films(folder, scale, kinds).items():
        found[name] = {}
        for system in systems:
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                out = Path(scratch) / "out"
                told = measured(system, film, out)
                found[name][system] = told | judged(system, film, out, scale[2])
            print(f"{name}: {system} {found[name][system]}", file=sys.stderr)
    return found


def copied(folder: Path, seconds: int) -> dict[str, Any]:
    """What a film costs that needs no encoding."""
    from bench.pipeline_sources import drawn

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        return {
            "seconds": seconds,
            **measured("ours", drawn(folder, seconds), Path(scratch) / "out"),
        }


def alone(folder: Path, scale: tuple[int, int, int], wanted: Sequence[str]) -> dict[str, Any]:
    """What has an instance of its own."""
    from bench import pipeline_long
    from bench.pipeline_sources import drawn, film

    if not set(ALONE) & set(wanted):
        return {}
    here, found = pipeline_long.prepared(), dict[str, Any]()
    if "two_workers" in wanted:
        long = film(folder, "phone", scale[0], FULL[1])
        found["two_workers"] = pipeline_long.two_workers_vs_one(long, scale[0], folder, here)
        print(f"two_workers: {found['two_workers']}", file=sys.stderr)
    if "clip_cost" in wanted:
        found["clip_cost"] = pipeline_long.clip_cost_2h_vs_2min(drawn(folder, 60), folder, here)
        print(f"clip_cost: {found['clip_cost']}", file=sys.stderr)
    return found


def long_figures(found: Mapping[str, Any]) -> dict[str, float | None]:
    two, clip = found.get("two_workers", {}), found.get("clip_cost", {})
    return {
        "two_workers_vs_one": ratio(two.get("one_s"), two.get("two_s")),
        "clip_cost_2h_vs_2min": ratio(clip.get("in_2_h"), clip.get("in_2_min")),
    }


def figures(
    found: Mapping[str, Mapping[str, Any]], passthrough: Mapping[str, float] | None
) -> dict[str, float | None]:
    """By their names, over all films; `None` for what was not measured."""

    def total(system: str, what: str) -> float | None:
        told = [one[system][what] for one in found.values() if system in one]
        return sum(told) if told and None not in told else None

    copy = passthrough or {}
    told = {
        f"cpu_vs_{peer}": ratio(total("ours", "cpu_s"), total(peer, "cpu_s"))
        for peer in SYSTEMS[1:]
    }
    ours, theirs = total("ours", "vmaf"), total("mediacms", "vmaf")
    better = None if ours is None or theirs is None else (ours - theirs) / len(found)
    return {
        **told,
        "vmaf_minus_mediacms": None if better is None else round(better, 2),
        "bytes_vs_mediacms": ratio(total("ours", "bytes"), total("mediacms", "bytes")),
        "passthrough_cpu_per_media_s": ratio(copy.get("cpu_s"), copy.get("seconds")),
    }


def tables(found: Mapping[str, Any]) -> str:
    from bench.room_page import goals

    head = ["film", "system", "CPU s", "wall s", "MB", "VMAF, the mean", "VMAF of each"]
    rows = [
        [
            name,
            system,
            *(told["cpu_s"], told["wall_s"], told["bytes"] / 1e6, told["vmaf"]),
            ", ".join(f"{score:.1f}" for score in told["vmaf_each"]),
        ]
        for name, one in found["peers"].items()
        for system, told in one.items()
    ]
    machine = found["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}."
    where += f" Load of the machine before it began: {found['load_before']}."
    if found["shortened"]:
        where += f" Shortened: {found['shortened']}."
    return f"{where}\n\n{goals(found)}\n\n{table(head, rows)}"


def last_line(found: Mapping[str, Any]) -> str:
    looked_at = [goal for goal in found["goals"] if goal["value"] is not None]
    missed = [goal["figure"] for goal in looked_at if not goal["met"]]
    known = {name: value for name, value in found["figures"].items() if value is not None}
    told = ", ".join(f"{name} {value}" for name, value in known.items())
    verdict = f"{len(looked_at) - len(missed)} of {len(looked_at)} goals met"
    return f"{verdict}{': not ' + ', '.join(missed) if missed else ''}. {told}"


def shortened(asked: argparse.Namespace, wanted: Sequence[str], kinds: Sequence[str]) -> str:
    """What this run leaves out of the whole one, in words."""
    left = []
    if asked.half_hour:
        left.append("systems beside each other on a minute, not also on ten")
        left.append("VMAF of every 15th frame, not every 5th")
    if asked.quick:
        left.append("films of some seconds")
    if asked.seconds:
        left.append(f"films of {asked.seconds} s, the long one of {asked.seconds * FULL[1]} s")
    if missing := set(SYSTEMS + ALONE) - set(wanted):
        left.append(f"without {', '.join(sorted(missing))}")
    if len(kinds) < 2:
        left.append(f"{kinds[0]} films only")
    return "; ".join(left)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="films of some seconds, to try it out")
    parser.add_argument("--seconds", type=int, help="length of the short film; 60 as a rule")
    parser.add_argument("--half-hour", action="store_true", help="all figures in half an hour")
    everything = SYSTEMS + ALONE
    parser.add_argument("--only", nargs="+", choices=everything, default=everything)
    parser.add_argument("--films", nargs="+", choices=("phone", "browser"), default=None)
    asked = parser.parse_args()
    kinds = asked.films or ("phone", "browser")
    is_whole = (
        not (asked.quick or asked.seconds)
        and set(asked.only) == set(everything)
        and len(kinds) == 2
    )
    scale = QUICK if asked.quick else HALF_HOUR if asked.half_hour else FULL
    scale = (asked.seconds or scale[0], *scale[1:])
    try:
        with tempfile.TemporaryDirectory(prefix="lc-bench-") as folder:
            os.environ["LIVECOMMERCE_DATA"] = folder
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
            django.setup()
            found = measure(Path(folder), scale, kinds, asked.only)
    except BenchError as error:
        print(f"bench-pipeline: {error}", file=sys.stderr)
        return 1
    found["shortened"] = shortened(asked, asked.only, kinds)
    write("pipeline" if is_whole else "pipeline-part", found)
    if is_whole:
        page = ROOT / "docs/benchmarks.md"
        page.write_text(put_between(page.read_text(), "pipeline", tables(found)))
    if found["shortened"]:
        print(f"Shortened: {found['shortened']}.")
    print(last_line(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
