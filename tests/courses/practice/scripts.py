"""What hosts do, second by second, and what simulated buyers make of it, on a clock of numbers."""

from __future__ import annotations

from collections.abc import Callable

from courses.practice.buyers import (
    Act,
    Answered,
    Event,
    Offered,
    Pinned,
    Room,
    Spoke,
    open_room,
    step,
)

Script = Callable[[int, Room], list[Event]]
APPLES, HONEY, DATES = "apples", "honey", "dates"


def play(script: Script, *, seed: int = 1, seconds: int = 300, language: str = "en") -> list[Act]:
    room, acts = open_room(seed, language), list[Act]()
    for second in range(1, seconds + 1):
        acts += step(room, script(second, room), second)
    return acts


def pieces(acts: list[Act]) -> int:
    return sum(act.quantity for act in acts if act.kind == "order")


def money(acts: list[Act]) -> int:
    return sum(act.quantity * act.price_minor for act in acts if act.kind == "order")


def goods(ratio: float = 1.0) -> list[Event]:
    """Apples, honey, and dates as a drop that waits for a tap."""
    return [
        Offered(0, APPLES, "apples", int(4900 * ratio), 4900, True, False, 50),
        Offered(0, HONEY, "honey", int(6800 * ratio), 6800, True, False, 50),
        Offered(0, DATES, "dates", 2500, 3300, False, True, 30),
    ]


def good(second: int, room: Room) -> list[Event]:
    """Greets, speaks, pins two things, answers within seconds, opens the drop near the end."""
    events = goods() if second == 1 else []
    if second % 4:
        events.append(Spoke(second))
    if second in (12, 130):
        events.append(Pinned(second, APPLES if second == 12 else HONEY))
    if second == 200:
        events += [
            Pinned(second, DATES),
            Offered(second, DATES, "dates", 2500, 3300, True, True, 30),
        ]
    open_ones = [one for one in room.questions if not one.is_answered and second - one.at_s >= 8]
    return [*events, *(Answered(second, one.act) for one in open_ones)]


def silent(second: int, room: Room) -> list[Event]:
    """Pins something, and waits."""
    if second == 1:
        return goods()
    return [Pinned(second, APPLES)] if second == 5 else []


def poor(second: int, room: Room) -> list[Event]:
    """A quarter of each minute in words, dear, and no answer to anybody."""
    events = goods(1.12) if second == 1 else []
    if second % 60 < 15:
        events.append(Spoke(second))
    return [*events, Pinned(second, APPLES)] if second == 20 else events


def dear(second: int, room: Room) -> list[Event]:
    """As good, at prices out of the air, and without a drop."""
    events = [one for one in good(second, room) if not isinstance(one, Offered)]
    return [*goods(1.4), *events] if second == 1 else events


def deaf(second: int, room: Room) -> list[Event]:
    """As good, but never answers."""
    return [one for one in good(second, room) if not isinstance(one, Answered)]
