"""What `make bench-orders` makes of what it measured."""

from __future__ import annotations

from bench import orders, orders_limit, orders_page
from bench.orders_tally import Tally, share_ms


def told(per_s: float) -> dict[str, float]:
    return {"per_s": per_s, "p50_ms": 2.0, "p99_ms": 9.0, "client_cpu_pct": 20.0}


def by_clients(*rates: float) -> dict[str, dict[str, float]]:
    return dict(zip(("1", "8", "64"), map(told, rates), strict=True))


FOUND = {
    "postgres": {
        "one": {
            "bare_sql": by_clients(400, 1000, 800),
            "one_by_one": by_clients(200, 250, 240),
            "grouped": by_clients(200, 900, 2000),
            "http": {**by_clients(90, 300, 400), "half": told(200)},
            "socket": {**by_clients(150, 700, 1200), "half": told(600)},
        },
        "pretix": {"1": {"per_s": 10.0}, "8": {"per_s": 16.0}},
    }
}


def test_the_figures_are_ratios_to_the_best_of_the_peer() -> None:
    figures = orders.figures(FOUND)

    assert figures["group_commit_vs_bare_sql"] == 2.0
    assert figures["socket_vs_bare_sql"] == 1.2
    assert figures["http_vs_bare_sql"] == 0.4
    assert figures["vs_pretix"] == 125
    assert [goal.judged(figures)["met"] for goal in orders.GOALS].count(False) == 1


def test_the_page_shows_every_way() -> None:
    table = orders_page.rates("PostgreSQL", FOUND["postgres"]["one"])

    assert all(label in table for label in orders_page.WAYS.values())


def test_what_is_answered_while_warming_up_does_not_count() -> None:
    tally = Tally(warm_s=10, for_s=10)
    for answered in (tally.begins - 1, tally.begins + 1, tally.ends + 1):
        tally.add(answered - 0.5, answered)

    assert tally.told()["orders"] == 1
    assert tally.told()["p99_ms"] == 500


def test_a_share_of_no_waits_is_not_known() -> None:
    assert share_ms([], 0.99) is None


def test_the_bare_sql_draws_from_all_variants() -> None:
    world = {
        "variant_pks": [4, 5, 6],
        "people_pks": [7, 8],
        "seller_pk": 1,
        "show": "s",
        "price_minor": 3590,
    }

    assert "random(4, 6)" in orders_limit.script(world, 3)
    assert "random(4, 4)" in orders_limit.script(world, 1)
