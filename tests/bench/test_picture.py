"""The curve as a picture."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

from bench import room_page
from bench.picture import Axis, Line, draw

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_it_is_an_svg_whose_words_can_be_read() -> None:
    drawn = draw(
        "Title <&>",
        "note",
        Axis("viewers", (1, 10)),
        Axis("ms", (1, 100)),
        [Line("a", "#000", [(1, 1), (10, 100)])],
    )
    root = ElementTree.fromstring(drawn)
    words = [one.text for one in root.iter(f"{NAMESPACE}text")]
    assert {"Title <&>", "note", "viewers", "ms", "a"} <= set(words)
    assert len(list(root.iter(f"{NAMESPACE}circle"))) == 2


def test_the_axis_is_logarithmic_and_ends_at_its_marks() -> None:
    axis = Axis("ms", (1, 10, 100))
    assert [axis.place(value) for value in (0.1, 1, 10, 100)] == [0, 0, 0.5, 1]


def test_a_curve_that_was_not_measured_is_left_out() -> None:
    ElementTree.fromstring(room_page.picture({}))


def test_names_do_not_cover_each_other() -> None:
    points = [{"viewers": 500, "p50_ms": 50.0, "p99_ms": 50.5}]
    root = ElementTree.fromstring(room_page.picture({"uvicorn": points, "node_batched": points}))
    tops = [
        float(one.attrib["y"]) for one in root.iter(f"{NAMESPACE}text") if "%" in (one.text or "")
    ]
    assert len(tops) == 4
    assert all(later - earlier >= 18 for earlier, later in pairwise(tops))
