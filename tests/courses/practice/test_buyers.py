from __future__ import annotations

import itertools

import msgspec
import pytest

from courses.practice import words
from courses.practice.buyers import (
    SILENT_S,
    Act,
    Event,
    Offered,
    Pinned,
    Room,
    Spoke,
    open_room,
    step,
)
from courses.practice.personas import PERSONAS
from tests.courses.practice.scripts import (
    APPLES,
    DATES,
    Script,
    deaf,
    dear,
    good,
    goods,
    money,
    pieces,
    play,
    poor,
    silent,
)

SEEDS = range(1, 13)


def kinds(acts: list[Act], kind: str) -> list[Act]:
    return [act for act in acts if act.kind == kind]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", [silent, poor, dear])
def test_a_good_script_sells_at_least_twice_what_a_bad_one_does(script: Script, seed: int) -> None:
    well, badly = play(good, seed=seed), play(script, seed=seed)
    assert pieces(well) >= 10
    assert pieces(well) >= 2 * pieces(badly)
    assert money(well) >= 2 * money(badly)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_sell(seed: int) -> None:
    asked, bought = play(deaf, seed=seed), {"careful", "complainer"}
    assert not [act for act in kinds(asked, "order") if act.persona in bought]
    assert {act.persona for act in kinds(play(good, seed=seed), "order")} >= bought


def test_the_same_seed_and_script_are_the_same_show() -> None:
    assert play(good, seed=7) == play(good, seed=7)
    assert play(good, seed=7) != play(good, seed=8)


def test_a_room_that_was_stored_goes_on_as_if_it_had_not() -> None:
    room, acts = open_room(5, "zh-hans"), list[Act]()
    for second in range(1, 200):
        acts += step(room, good(second, room), second)
        room = msgspec.json.decode(msgspec.json.encode(room), type=Room)
    assert acts == play(good, seed=5, seconds=199, language="zh")


def test_events_in_one_step_are_heard_at_their_times() -> None:
    events: list[Event] = [*goods(), Pinned(10, APPLES), *(Spoke(at) for at in range(1, 120))]
    at_once = step(open_room(3, "en"), events, 120)
    slowly = play(
        lambda second, _room: [
            one for one in events if one.at_s == second or (second == 1 and one.at_s == 0)
        ],
        seed=3,
        seconds=120,
    )
    assert at_once == slowly


@pytest.mark.parametrize("seed", SEEDS)
def test_when_the_host_falls_silent_so_do_they(seed: int) -> None:
    """Nobody asks, haggles or buys; one asks whether anybody is there, and they begin to go."""

    def stops(second: int, room: Room) -> list[Event]:
        return good(second, room) if second <= 100 else []

    acts = play(stops, seed=seed)
    after = [act for act in acts if act.at_s >= 100 + SILENT_S]
    assert {act.kind for act in after} <= {"wonder", "leave"}
    assert kinds(after, "wonder")
    assert kinds(after, "wonder")[0].at_s <= 100 + 2 * SILENT_S


def test_who_left_comes_back_when_the_host_speaks_again() -> None:
    def pauses(second: int, room: Room) -> list[Event]:
        return [] if 100 < second < 200 else good(second, room)

    room = open_room(2, "en")
    left: set[str] = set()
    for second in range(1, 301):
        step(room, pauses(second, room), second)
        left |= {name for name, one in room.buyers.items() if one.has_left}
    assert left
    assert [name for name in left if room.buyers[name].is_here]


@pytest.mark.parametrize("seed", SEEDS)
def test_they_speak_at_the_pace_of_people(seed: int) -> None:
    acts = play(good, seed=seed)
    times = [act.at_s for act in acts]
    assert min(later - sooner for sooner, later in itertools.pairwise(times)) >= 2
    for persona in PERSONAS:
        own = [act.at_s for act in acts if act.persona == persona.name]
        assert all(later - sooner >= 10 for sooner, later in itertools.pairwise(own))
    assert 15 <= len(acts) <= 60


def test_nobody_buys_what_is_not_shown_or_not_open_or_gone() -> None:
    def never_pins(second: int, room: Room) -> list[Event]:
        return [one for one in good(second, room) if not isinstance(one, Pinned)]

    assert pieces(play(never_pins)) == 0

    def closed_drop(second: int, room: Room) -> list[Event]:
        events: list[Event] = goods() if second == 1 else [Spoke(second)]
        return [*events, Pinned(second, DATES)] if second == 5 else events

    assert pieces(play(closed_drop)) == 0

    def two_left(second: int, room: Room) -> list[Event]:
        events: list[Event] = [Spoke(second)]
        if second == 1:
            events.append(Offered(0, APPLES, "apples", 4900, 4900, True, False, 2))
        return [*events, Pinned(second, APPLES)] if second == 5 else events

    assert pieces(play(two_left)) == 2


def test_a_drop_and_a_lower_price_sell() -> None:
    def lowers(second: int, room: Room) -> list[Event]:
        events = deaf(second, room)
        cheaper = Offered(second, APPLES, "apples", 4200, 4900, True, False, 40)
        return [*events, cheaper] if second == 100 else events

    def no_drop(second: int, room: Room) -> list[Event]:
        return [one for one in deaf(second, room) if second == 1 or not isinstance(one, Offered)]

    sold = {
        script: [pieces(play(script, seed=seed)) for seed in SEEDS] for script in (lowers, no_drop)
    }
    assert sum(sold[lowers]) > sum(sold[no_drop])
    bargains = [act for seed in SEEDS for act in play(good, seed=seed) if act.persona == "bargains"]
    assert {act.good for act in kinds(bargains, "order")} == {DATES}


def test_an_order_is_no_act_of_the_host() -> None:
    """What is left becomes fewer with each order: that must not count as somebody who speaks."""

    def counts_down(second: int, room: Room) -> list[Event]:
        if second <= 5:
            return silent(second, room)
        return [Offered(second, APPLES, "apples", 4900, 4900, True, False, 50 - second // 10)]

    assert kinds(play(counts_down), "wonder")


@pytest.mark.parametrize("language", ["zh-hans", "en", "", "fr"])
def test_there_are_words_for_everything_in_each_language(language: str) -> None:
    spoken = words.spoken(language)
    assert set(words.SAID[spoken]) == set(words.SAID["en"])
    assert all(set(names) == set(words.LANGUAGES) for names in words.NAMES.values())
    assert set(words.NAMES) == {one.name for one in PERSONAS}
    for seed in SEEDS:
        for act in play(dear, seed=seed, language=language):
            assert act.kind == "order" or (act.text and "{" not in act.text)


def test_there_are_at_least_five_kinds_and_all_take_part() -> None:
    assert len(PERSONAS) >= 5
    assert {act.persona for act in play(good)} == {one.name for one in PERSONAS}
