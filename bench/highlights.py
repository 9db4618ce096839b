"""How well the highlight finder meets planted truth: `make bench-highlights`.

Two hundred generated shows whose seeds and families of delays the finder was not tuned on, beside
whoever simply takes the minutes with the most orders. Writes `build/bench/highlights.json` and the
page's table. `--quick` takes a tenth as many, other shows, and changes nothing in the page.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bench.report import Goal, put_between, result, table, write
from bench.room_page import PAGE, goals
from streams.highlights.find import highlights
from streams.highlights.signals import Bought, Question, Shown, Signals, Stretch, Watching
from tests.streams.highlights.generate import HELD_OUT, TUNED_ON, Planted, show
from tests.streams.highlights.measure import NONE, Found, judge, top_minutes

FIRST_SEED = 70_000
TRIED_SEED = 10_000
"""Of `--quick`, which is for trying things out: nothing may be tuned on the others."""
SHOWS = 200
AGAIN = 40
"""Shows of the families that it was tuned on, with other seeds."""
GOALS = (
    Goal("highlight_precision", ">= 0.8", "of what is proposed, so much was planted"),
    Goal("highlight_recall", ">= 0.7", "of what was planted, so much is proposed"),
    Goal("f1_over_top_minutes", ">= 1", "F1, over that of the best minutes by orders"),
    Goal("cpu_s_of_a_long_show", "<= 2", "CPU s: 3 hours, 5,000 orders, 50,000 messages"),
)


class Tally:
    """What was found in some shows, by us and by the best minutes."""

    def __init__(self) -> None:
        self.ours = self.strict = self.top = self.top_earlier = NONE
        self.shows = 0

    def add(self, planted: Planted) -> None:
        truth = planted.truth
        ours = [Stretch(one.start_s, one.end_s) for one in highlights(planted.signals)]
        self.shows += 1
        self.ours += judge(ours, truth)
        self.strict += judge(ours, truth, strict=True)
        # They are told how many there are, and as the kinder of two, when buyers decided.
        self.top += judge(top_minutes(planted.signals, len(truth)), truth)
        earlier = top_minutes(planted.signals, len(truth), earlier_s=planted.median_delay_s)
        self.top_earlier += judge(earlier, truth)

    def row(self) -> dict[str, Any]:
        best_top = max(self.top, self.top_earlier, key=lambda found: found.f1)
        return {
            "shows": self.shows,
            "planted": self.ours.planted,
            "proposed": self.ours.proposed,
            "precision": _rounded(self.ours.precision),
            "recall": _rounded(self.ours.recall),
            "strict_precision": _rounded(self.strict.precision),
            "strict_recall": _rounded(self.strict.recall),
            "top_minutes": _rounded(self.top.f1),
            "top_minutes_earlier": _rounded(self.top_earlier.f1),
            "f1": _rounded(self.ours.f1),
            "best_top_f1": best_top.f1,
        }


def main(arguments: list[str]) -> None:
    is_quick = "--quick" in arguments
    part, seed = (10, TRIED_SEED) if is_quick else (1, FIRST_SEED)
    held_out = _tallied(_shows(HELD_OUT, SHOWS // part, seed))
    again = _tallied(_shows(TUNED_ON, AGAIN // part, seed))
    rows = {name: tally.row() for name, tally in (held_out | again).items()}
    figures = _figures(rows["held out, all"]) | {"cpu_s_of_a_long_show": long_show_cpu_s()}
    found = result(peers=rows, figures=figures, goals=GOALS)
    print(tables(found))
    if not is_quick:
        write("highlights", found)
        PAGE.write_text(put_between(PAGE.read_text(), "highlights", tables(found)))


def _shows(families: Iterable[str], count: int, first_seed: int) -> Iterable[tuple[str, Planted]]:
    names = list(families)
    for number in range(count):
        family = names[number % len(names)]
        yield family, show(first_seed + number, family)


def _tallied(shows: Iterable[tuple[str, Planted]]) -> dict[str, Tally]:
    """By family and by size, and all together."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for family, planted in shows:
        kind = "held out" if family in HELD_OUT else "tuned on, other seeds"
        one = Tally()
        one.add(planted)
        names = [f"{kind}, all", family]
        if family in HELD_OUT:
            names.append(f"size: {planted.size}")
        for name in names:
            _join(tallies[name], one)
    return dict(sorted(tallies.items(), key=lambda item: (", all" not in item[0], item[0])))


def _join(tally: Tally, one: Tally) -> None:
    tally.shows += one.shows
    for name in ("ours", "strict", "top", "top_earlier"):
        total: Found = getattr(tally, name) + getattr(one, name)
        setattr(tally, name, total)


def _figures(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "highlight_precision": row["precision"],
        "highlight_recall": row["recall"],
        "f1_over_top_minutes": _rounded(row["f1"] / row["best_top_f1"]),
    }


def long_show_cpu_s() -> float:
    """CPU seconds for a show of 3 hours, 5,000 orders and 50,000 messages."""
    signals = _long_show()
    before = time.process_time()
    highlights(signals)
    return _rounded(time.process_time() - before)


def _long_show() -> Signals:
    rng, duration_s = random.Random(3), 3 * 3600.0
    bursts = [rng.uniform(100, duration_s - 300) for _ in range(30)]
    orders = [rng.uniform(0, duration_s) for _ in range(3500)]
    orders += [
        rng.choice(bursts) + rng.uniform(0, 60) + rng.gammavariate(2, 10) for _ in range(1500)
    ]
    chat = [rng.uniform(0, duration_s) for _ in range(50_000)]
    return Signals(
        duration_s=duration_s,
        orders=tuple(Bought(at_s, f"product-{rng.randrange(8)}") for at_s in orders),
        chat=tuple(sorted(chat)),
        questions=tuple(Question(at_s, "weight") for at_s in chat[:4000]),
        pins=tuple(Shown(at_s, "product-1") for at_s in bursts),
        viewers=tuple(Watching(60.0 * n, rng.randrange(900, 1100)) for n in range(180)),
    )


def tables(found: Mapping[str, Any]) -> str:
    head = ["shows", "number", "planted", "proposed", "precision", "recall"]
    head += ["precision, recall by IoU ≥ 0.5 alone", "F1", "F1 of the top minutes"]
    rows = [
        [
            name,
            row["shows"],
            row["planted"],
            row["proposed"],
            row["precision"],
            row["recall"],
            f"{row['strict_precision']}, {row['strict_recall']}",
            row["f1"],
            f"{row['top_minutes']}; {row['top_minutes_earlier']} if moved by the true delay",
        ]
        for name, row in found["peers"].items()
    ]
    return f"{goals(found)}\n\n{table(head, rows)}"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    main(sys.argv[1:])
