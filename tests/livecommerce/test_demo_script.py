from __future__ import annotations

from livecommerce.demo.past_show import home_of
from livecommerce.demo.script import Buy, Pin, Say, script
from orders.delivery import Courier, clean_destination
from sellers.regions import is_region


def test_the_same_seed_gives_the_same_show() -> None:
    assert script(60, each_pin_s=15, seed=1) == script(60, each_pin_s=15, seed=1)
    assert script(60, each_pin_s=15, seed=1) != script(60, each_pin_s=15, seed=2)


def test_things_happen_in_order_and_before_the_end() -> None:
    times = [action.at_s for action in script(600, each_pin_s=45, seed=7)]
    assert times == sorted(times)
    assert times[0] == 1.0
    assert times[-1] <= 598


def test_people_only_buy_what_is_pinned() -> None:
    pinned = None
    for action in script(600, each_pin_s=45, seed=7):
        if isinstance(action, Pin):
            pinned = action.good
        if isinstance(action, Buy):
            assert action.good == pinned


def test_a_show_has_talk_and_sales() -> None:
    actions = script(600, each_pin_s=45, seed=7)
    assert sum(isinstance(action, Say) for action in actions) > 60
    assert sum(isinstance(action, Buy) for action in actions) > 30


def test_a_show_too_short_for_a_pin_is_empty() -> None:
    assert script(5, each_pin_s=15, seed=1) == []


def test_everybody_says_where_they_live() -> None:
    """Once Zhang saves a zone, what delivery costs depends on it."""
    to = clean_destination(home_of("demo-liu"))

    assert isinstance(to, Courier)
    assert is_region(to.region)
