"""The JSON object that every benchmark writes, and its page."""

from __future__ import annotations

import json

import pytest

from bench import report, room, room_page
from bench.report import Goal

DONE = {
    "delivered_per_s": 500_000,
    "server_cpu_pct": 99.0,
    "client_cpu_pct": 40.0,
    "limited_by_client": False,
}
LOADED = {
    **DONE,
    "p50_ms": 50.0,
    "p99_ms": 112.0,
    "delivered_share": 1.0,
    "facts_missing": 0,
    "kb_per_viewer": 23.4,
    "gaps": 0,
}
FIGURES = {
    "vs_node_ws",
    "vs_stock_channels",
    "p99_ms_5000",
    "p99_vs_node_batched",
    "daphne_p99_ms_5000",
    "redis_p99_vs_in_process",
    "facts_missing_5000",
    "kb_per_viewer",
    "client_cpu_pct_most",
}


def measured() -> dict[str, object]:
    """What `bench.room.measure` returns, with figures that were never measured."""
    peers = {
        peer.name: {"label": peer.label, "flood": dict(DONE), "load": dict(LOADED)}
        for peer in room.PEERS
    }
    peers["node_ws"]["flood"] = {**DONE, "delivered_per_s": 100_000}
    peers["redis"]["load"] = {**LOADED, "p99_ms": 168.0}
    last = {"viewers": 15_000, **LOADED, "p99_ms": 900.0, "client_cpu_pct": 60.0}
    points = {name: [{"viewers": 500, **LOADED}, last] for name in room.CURVE}
    return report.result(
        peers=peers,
        figures=room.figures(peers, points),
        goals=room.GOALS,
        client={"500 sockets": {**DONE, "frames_per_s": 200_000}},
        curve=points,
        scale={"crowd": 5000, "flooded": 500, "load_s": 30},
    )


def test_it_has_the_figures_and_the_form_that_were_agreed() -> None:
    found = json.loads(json.dumps(measured()))
    assert found["figures"].keys() >= FIGURES
    assert found["figures"]["vs_node_ws"] == 5.0
    assert {"machine", "peers", "figures", "goals"} <= found.keys()
    assert all(goal.keys() == {"figure", "goal", "value", "met"} for goal in found["goals"])
    assert {goal["figure"] for goal in found["goals"]} <= found["figures"].keys()


def test_a_goal_is_met_or_not() -> None:
    missed = {goal["figure"] for goal in measured()["goals"] if not goal["met"]}  # type: ignore[attr-defined]
    assert missed == {"vs_stock_channels", "redis_p99_vs_in_process"}


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (">= 5", 5, True),
        (">= 5", 4.99, False),
        ("<= 1.0", 1.0, True),
        ("== 0", 0, True),
        ("== 0", 1, False),
        ("<= 200", None, False),
    ],
)
def test_what_was_not_measured_is_not_met(goal: str, value: float | None, met: bool) -> None:
    assert Goal("one", goal, "").judged({"one": value})["met"] is met


def test_a_ratio_of_what_is_missing_is_missing() -> None:
    assert report.ratio(None, 2.0) is None
    assert report.ratio(1.0, 0.0) is None
    assert report.ratio(1.0, 3.0) == 0.333


def test_the_page_is_rewritten_between_its_marks_only() -> None:
    page = "before\n<!-- room: begin -->\nold\n<!-- room: end -->\nafter\n"
    once = report.put_between(page, "room", "new\n")
    assert once == "before\n<!-- room: begin -->\n\nnew\n\n<!-- room: end -->\nafter\n"
    assert report.put_between(once, "room", "new") == once
    with pytest.raises(ValueError, match="room"):
        report.put_between("no marks", "room", "new")


def test_the_page_has_a_place_for_the_figures() -> None:
    report.put_between(room_page.PAGE.read_text(), "room", room_page.tables(measured()))


def test_the_tables_tell_every_peer_and_say_when_the_client_was_the_limit() -> None:
    found = measured()
    told = room_page.tables(found)
    assert all(f"| {peer.label} |" in told for peer in room.PEERS)
    assert "the client was the limit" not in told
    found["peers"]["redis"]["flood"]["limited_by_client"] = True  # type: ignore[index]
    assert room_page.tables(found).count("the client was the limit") == 1


def test_a_busy_client_marks_the_figure() -> None:
    assert room.marked({"client_cpu_pct": 85.1})["limited_by_client"]
    assert not room.marked({"client_cpu_pct": 84.9})["limited_by_client"]


def test_it_says_how_busy_the_client_was_at_its_busiest() -> None:
    assert measured()["figures"]["client_cpu_pct_most"] == 60.0  # type: ignore[index]
    assert room.figures({}, {})["client_cpu_pct_most"] is None


def test_the_last_line_says_what_was_missed() -> None:
    line = room.last_line(measured())
    assert line.startswith("6 of 8 goals met: not vs_stock_channels, redis_p99_vs_in_process.")
    assert "\n" not in line
